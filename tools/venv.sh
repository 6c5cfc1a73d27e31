#!/bin/sh
# Makes .venv with a suitable Python and puts uv into it. uv comes through pip in a virtual environment, since some systems
# refuse `pip install` outside of one.
set -eu
cd "$(dirname "$0")/.."

uv=$(sed -n 's/^required-version = "\(==.*\)"$/uv\1/p' pyproject.toml)

suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null
}

for python in ${PYTHON:-python3 python3.12 python3.11}; do
    if suitable "$python"; then
        "$python" -m venv --clear .venv
        .venv/bin/python -m pip install --quiet --disable-pip-version-check "$uv"
        touch .venv/.uv
        exit 0
    fi
done

echo "no Python 3.11 or 3.12 found: uv looks for one and else fetches it"
bootstrap=$(mktemp -d)
trap 'rm -rf "$bootstrap"' EXIT
"${PYTHON:-python3}" -m venv "$bootstrap"
"$bootstrap/bin/python" -m pip install --quiet --disable-pip-version-check "$uv"
"$bootstrap/bin/uv" venv --quiet --clear --seed --no-project --python 3.12 .venv || {
    echo "tools/venv.sh: install Python 3.11 or 3.12, or name one with PYTHON=…" >&2
    exit 1
}
"$bootstrap/bin/uv" pip install --quiet --python .venv/bin/python "$uv"
touch .venv/.uv
