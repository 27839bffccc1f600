#!/usr/bin/env bash
# tools/test_dali.sh [PYTEST_ARG...]: tests/dali with NVIDIA DALI on the CPU. DALI takes 200 MB to fetch
# and 500 on disk, so it is no part of `dev`: it lies in build/dali, an environment over .venv, and is
# left out where pip cannot get it. REFPIX_DALI=0 leaves it out at once.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly base=${REFPIX_VENV:-$PWD/.venv}/bin/python
readonly bin=$PWD/build/dali/bin
readonly log=$PWD/build/dali.log

if [ "${REFPIX_DALI:-auto}" = 0 ]; then
    echo "test-dali: left out: REFPIX_DALI=0"
    exit 0
fi
if ! "$bin/python" -c 'import nvidia.dali, refpix' 2>/dev/null; then
    mkdir -p build
    rm -rf build/dali
    "$base" -m venv --without-pip build/dali
    # What .venv has is found by Python and pip alike, so that DALI alone is installed.
    "$base" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
        >"$("$bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/base.pth"
    if ! "$base" -m pip --python "$bin/python" install -q 'nvidia-dali-cuda130>=2.4' \
        >"$log" 2>&1 </dev/null; then
        rm -rf build/dali
        echo "test-dali: left out: pip cannot install DALI here: $(tail -n 1 "$log")"
        exit 0
    fi
fi
exec "$bin/python" -m pytest -q -n auto --maxprocesses 4 tests/dali "$@"
