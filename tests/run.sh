#!/usr/bin/env bash
# Installs what the tests need and runs all of them; arguments go to pytest.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$project"
scripts/setup_venv.sh test

# The gallery is looked at in a browser. Where it cannot be installed, that test is skipped.
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [[ -z $browser && $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    echo "Installing chromium for the test of the gallery." >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
        --no-install-recommends chromium; } >&2 || echo "chromium could not be installed." >&2
fi

exec .venv/bin/python -m pytest "$@"
