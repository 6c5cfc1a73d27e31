#!/bin/sh
# Makes .venv with a suitable Python and puts uv into it. uv comes through pip inside the environment, since some systems refuse
# `pip install` outside of one.
set -eu
cd "$(dirname "$0")/.."

suitable() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null
}

for python in ${PYTHON:-python3 python3.12 python3.11}; do
    if suitable "$python"; then
        uv=$(sed -n 's/^required-version = "\(==.*\)"$/uv\1/p' pyproject.toml)
        "$python" -m venv .venv
        .venv/bin/python -m pip install --quiet --disable-pip-version-check "$uv"
        touch .venv/.uv
        exit 0
    fi
done
echo "tools/venv.sh: needs Python 3.11 or 3.12 (some packages have no builds for others yet); name one with PYTHON=…" >&2
exit 1
