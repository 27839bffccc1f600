#!/usr/bin/env bash
# tools/test_ray.sh: --engine ray on two real workers. Ray takes 70 MB to fetch and 280 on disk, so it
# is no part of `dev`: it lies in build/ray, beside .venv, and is left out where pip finds none.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly bin=${REFPIX_VENV:-$PWD/.venv}/bin
readonly target=$PWD/build/ray

mkdir -p build
if [ ! -d "$target/ray" ]; then
    rm -rf "$target"
    if ! "$bin/python" -m pip install -q --target "$target" 'ray>=2.9' 2>"$PWD/build/ray.log"; then
        rm -rf "$target"
        if "$bin/python" -m pip download -q --no-deps -d "$target" 'ray>=2.9' >/dev/null 2>&1; then
            cat "$PWD/build/ray.log" >&2
            exit 1
        fi
        echo "test-ray: pip finds no ray for this Python: left out"
        exit 0
    fi
fi
# Ray leaves processes and sockets to the interpreter's end.
PYTHONPATH=$target${PYTHONPATH:+:$PYTHONPATH} "$bin/python" -m pytest -q tests/synthesis/test_ray.py \
    -W ignore::ResourceWarning -W ignore::pytest.PytestUnraisableExceptionWarning
