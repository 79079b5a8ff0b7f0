#!/usr/bin/env bash
# Makes or completes the project's .venv, and does nothing where that is done already.
#
#   scripts/setup_venv.sh run     what ./run_local.sh needs
#   scripts/setup_venv.sh test    that and what the tests need
#
# PYTHON names the interpreter to use; without it a suitable one is looked for.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$project/.venv
case ${1:-} in
    # Gigabytes of .venv with and without CUDA, and of its packages while they are fetched.
    run) extras=sample,hf gigabytes=7 cpu_gigabytes=3 fetched=4 ;;
    test) extras=test gigabytes=9 cpu_gigabytes=5 fetched=5 ;;
    *) echo "usage: $0 run|test" >&2 && exit 2 ;;
esac

wanted="$(cat "$project/setup.py" "$project/constraints.txt" | cksum) $project"

# installed SET: whether .venv holds what is wanted now.
installed() {
    [[ -x $venv/bin/python && -f $venv/.installed-$1 && ! -f $venv/.installing ]] &&
        [[ $(<"$venv/.installed-$1") == "$wanted" ]]
}

# suitable COMMAND: whether it is a Python that the project runs on.
suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' >/dev/null 2>&1
}

# Most runs of the tests are on Python 3.11. TensorFlow 2.16, which some read with, ends at 3.12.
find_python() {
    local name
    if [[ -n ${PYTHON:-} ]]; then
        suitable "$PYTHON" && echo "$PYTHON" && return
        echo "PYTHON=$PYTHON is not a Python from 3.10 to 3.13." >&2 && return 1
    fi
    for name in python3.11 python3.12 python3.10 python3.13 python3 python; do
        suitable "$name" && echo "$name" && return
    done
    echo "No Python from 3.10 to 3.13 found; install one, or name it: PYTHON=/path/to/python3.12 $0" >&2
    return 1
}

# check_disk PYTHON: fails with one line where the packages do not fit.
check_disk() {
    local need=$gigabytes
    # The index of CPU-only builds of torch is known by its name.
    if [[ $(uname) != Linux ]] || "$1" -m pip config list 2>/dev/null | grep -q "index.*/cpu"; then
        need=$cpu_gigabytes
    fi
    "$1" - "$project" "$need" "$fetched" <<'PYTHON'
import os, shutil, sys, tempfile

project, need, fetched = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
temporary = tempfile.gettempdir()
wanted = {os.stat(project).st_dev: [project, need]}
wanted.setdefault(os.stat(temporary).st_dev, [temporary, 0])[1] += fetched
for folder, gigabytes in wanted.values():
    free = shutil.disk_usage(folder).free / 1e9
    if free < gigabytes:
        sys.exit(
            f"{folder}: {free:.1f} GB are free, the installation needs about {gigabytes} GB there. "
            "TMPDIR=/other/folder moves what is fetched; torch without CUDA takes 4 GB less "
            "(./run_local.sh --help says how)."
        )
PYTHON
}

make_venv() {
    # Some systems pack ensurepip apart from Python; their pip can serve the new folder.
    "$1" -m venv "$venv" >/dev/null 2>&1 || {
        "$1" -m venv --without-pip --clear "$venv"
        "$1" -m pip --python "$venv/bin/python" install --quiet pip
    }
}

if installed "$1"; then
    exit
fi

python=$(find_python)

# One at a time: the lock is this process's and ends with it.
exec 9>>"$project/.venv.lock"
"$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null || {
    echo "Another start is installing into $venv; waiting for it." >&2
    "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
}
if installed "$1"; then
    exit
fi

if [[ -f $venv/.installing ]]; then
    echo "The last installation did not finish; starting it afresh." >&2
    rm -rf "$venv"
elif [[ -e $venv ]] && ! suitable "$venv/bin/python"; then
    [[ -f $venv/pyvenv.cfg ]] || { echo "$venv is in the way and no virtual environment." >&2 && exit 1; }
    echo "$venv has no Python from 3.10 to 3.13; making it anew." >&2
    rm -rf "$venv"
fi
if ! compgen -G "$venv/lib/python*/site-packages/torch/version.py" >/dev/null; then
    check_disk "$python"
    echo "Installing the pinned packages into $venv with $("$python" -V): up to $gigabytes GB, of which" >&2
    echo "CUDA for torch is 4 GB (Linux; ./run_local.sh --help says how to do without). Minutes, once." >&2
else
    echo "Bringing the packages in $venv up to date." >&2
fi
[[ -d $venv ]] || make_venv "$python"

touch "$venv/.installing"
rm -f "$venv"/.installed-*
(
    cd "$project"
    "$venv/bin/python" -m pip install --disable-pip-version-check -c constraints.txt setuptools wheel
    "$venv/bin/python" -m pip install --disable-pip-version-check -c constraints.txt \
        --no-build-isolation -e ".[$extras]"
) >&2
echo "$wanted" >"$venv/.installed-run"
[[ $1 == run ]] || echo "$wanted" >"$venv/.installed-test"
rm "$venv/.installing"
