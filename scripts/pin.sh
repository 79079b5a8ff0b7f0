#!/usr/bin/env bash
# Writes the constraints files from the ranges in pyproject.toml.
#
#   constraints.txt                  the core and every extra for users but tensorflow-io
#   constraints-test.txt             these, in the same versions, and what the tests need
#   constraints-tensorflow-io.txt    the core and the extra tensorflow-io
#
# Needs uv (python -m pip install uv). Versions that still fit are kept; --upgrade takes the newest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

UPGRADE=
[[ ${1:-} != --upgrade ]] || UPGRADE=1

# pin FILE HEADING BASE EXTRA...: one pinned set for Linux (x86-64) and macOS (arm64) and all
# Pythons. BASE is a pinned set whose versions hold here too, or empty.
pin() {
    local file=$1 heading=$2 base=$3 work
    shift 3
    work=$(mktemp -d)
    echo setuptools >"$work/build.in"
    [[ ! -f $file ]] || grep -v '^#' "$file" >"$work/pins.txt"
    uv pip compile --quiet --universal --python-version 3.10 --no-annotate --no-header \
        ${UPGRADE:+--upgrade} ${base:+--constraints "$base"} "${@/#/--extra=}" \
        --output-file="$work/pins.txt" pyproject.toml "$work/build.in" >/dev/null
    # Most packages are the same everywhere; the markers that remain say which are not.
    {
        printf '# %s\n# Made by scripts/pin.sh.\n' "$heading"
        sed -E \
            -e "s/ and \(\(platform_machine.*\)\)$//" \
            -e "s/ and platform_machine == '[a-z0-9_]*'//" \
            -e "s/ and python_full_version < '3\.15'//" \
            -e "s/python_full_version < '3\.15' and //" \
            -e "s/ ; python_full_version < '3\.15'$//" \
            "$work/pins.txt"
    } >"$work/new"
    cp "$work/new" "$file"
    rm -r "$work"
}

pin constraints.txt "Every package of the core and of the extras for users but tensorflow-io." "" \
    sample torch hf hub tensorflow datasets train gcp aws
pin constraints-test.txt "The same, and every package of the extra test." constraints.txt test
pin constraints-tensorflow-io.txt "Every package of the core and of the extra tensorflow-io." "" \
    sample tensorflow-io
