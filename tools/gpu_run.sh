#!/usr/bin/env bash
# run.sh [STAGE...]: everything that wants a GPU, in a folder made by tools/gpu_wheel.sh, on a machine
# that has a GPU, Python of the wheel's version, torch for CUDA, NumPy and Pillow, and no network.
# Stages: check, tests, bench, sanitize; all of them if none is named.
#
#   OUT=DIR          where results go (out): gpu.json, report.json, report.md, logs
#   PYTHON=python3   which Python
#   STAGE_SECONDS=N  time that each run of pytest, a bench or a sanitizer gets (150), so that a
#                    lent machine is not spent on one of them
set -uo pipefail
cd "$(dirname "$0")"

readonly python=${PYTHON:-python3}
readonly site=$PWD/site
mkdir -p "${OUT:=$PWD/out}"
OUT=$(cd "$OUT" && pwd)
export OUT REFPIX_PYTHON=$python PYTHONPATH=$site PYTHONDONTWRITEBYTECODE=1
export STAGE_SECONDS=${STAGE_SECONDS:-150}
export BENCH_SECONDS=$STAGE_SECONDS

if [ ! -f "$site/installed" ]; then
    # Wheels are zip files: where pip is missing they are unpacked.
    "$python" -m pip install -q --no-index --no-deps --target "$site" wheels/*.whl 2>"$OUT/install.log" ||
        for wheel in wheels/*.whl; do
            "$python" -m zipfile -e "$wheel" "$site" || exit 1
        done
    touch "$site/installed"
fi
"$python" -c 'import refpix._cpu, refpix._cuda' || {
    echo "run.sh: refpix does not import with $("$python" --version): see above" >&2
    exit 1
}

if [ $# -eq 0 ]; then
    set -- check tests bench sanitize
fi
# A minute of work on all cores, which the tests leave to it.
case " $* " in *" bench "*) "$python" bench/gpu/refhcm.py --make-data >"$OUT/data.log" 2>&1 & esac

status=0
for stage in "$@"; do
    case $stage in
        # Each kernel once on a few pixels: whether there is any sense in going on.
        check) timeout "$STAGE_SECONDS" "$python" bench/gpu/kernels.py --check --tiny | tee "$OUT/check.log" ;;
        tests) tools/test_gpu.sh tests report ;;
        bench) wait; tools/bench_gpu.sh 2>&1 | tee "$OUT/bench.log" ;;
        sanitize) tools/test_gpu.sh sanitize report ;;
        *) echo "run.sh: unknown stage $stage" >&2; exit 2 ;;
    esac || status=1
done
exit "$status"
