#!/usr/bin/env bash
# Installs what the tests need, checks style and types, and runs all tests.
#
#   tests/run.sh            everything
#   tests/run.sh -k store   only pytest, with these arguments
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$project"
scripts/setup_venv.sh test
python=.venv/bin/python

# tensorflow-io holds NumPy and protobuf back; an environment of its own, without PyTorch, shows
# that it reads the sets and that such an environment makes the same ones.
if scripts/setup_venv.sh tensorflow-io; then
    export OLD_PYTHON=$project/.venv-tensorflow-io/bin/python
else
    echo "The tests that compare with older packages are skipped." >&2
fi

if (($# == 0)); then
    "$python" -m ruff check .
    "$python" -m ruff format --check .
    "$python" -m mypy
    # Tests wait for processes and disks as well as for a core: two run at once.
    set -- -n 2 --dist worksteal
fi

# The gallery is looked at in a browser. Where it cannot be installed, that test is skipped.
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [[ -z $browser && $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    echo "Installing chromium for the test of the gallery." >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
        --no-install-recommends chromium; } >&2 || echo "chromium could not be installed." >&2
fi

exec "$python" -m pytest "$@"
