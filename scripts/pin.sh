#!/usr/bin/env bash
# Writes constraints.txt and constraints-gcp.txt anew from the ranges in setup.py.
# Needs uv (python -m pip install uv). Versions that still fit are kept; --upgrade takes the newest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# pin FILE HEADING EXTRA...: one pinned set for Linux (x86-64) and macOS (arm64), Python 3.10 to 3.13.
pin() {
    local file=$1 heading=$2 work
    shift 2
    work=$(mktemp -d)
    printf 'setuptools\nwheel\n' >"$work/build.in"
    [[ ! -f $file ]] || grep -v '^#' "$file" >"$work/pins.txt"
    uv pip compile --quiet --universal --python-version 3.10 --no-annotate --no-header \
        ${UPGRADE:+--upgrade} "${@/#/--extra=}" --output-file="$work/pins.txt" \
        setup.py "$work/build.in" >/dev/null
    # Most packages are the same everywhere; the markers that remain say which are not.
    {
        printf '# %s\n# Made by scripts/pin.sh.\n' "$heading"
        sed -E \
            -e "s/ and \(\(platform_machine.*\)\)$//" \
            -e "s/ and platform_machine == '[a-z0-9_]*'//" \
            -e "s/ and python_full_version < '3\.14'//" \
            -e "s/python_full_version < '3\.14' and //" \
            -e "s/ ; python_full_version < '3\.14'$//" \
            "$work/pins.txt"
    } >"$work/new"
    cp "$work/new" "$file"
    rm -r "$work"
}

UPGRADE=
[[ ${1:-} != --upgrade ]] || UPGRADE=1
pin constraints.txt \
    "Every package of the core and of the extras sample, hf, tensorflow, datasets, train, aws, test." \
    sample hf tensorflow datasets train aws test
pin constraints-gcp.txt \
    "The same for the extra gcp, whose protobuf is newer than TensorFlow 2.16 takes." \
    sample hf datasets gcp aws
