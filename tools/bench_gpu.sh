#!/usr/bin/env bash
# tools/bench_gpu.sh [BENCH...]: programs of bench/gpu on a device, all of them if none is named. Each
# compares its outputs before it measures. Without a device it says why, and the status is 1.
#
#   REFPIX_PYTHON=...  see gpu_common.sh
#   OUT=DIR            where gpu.json and gpu_jpeg_bound.json go (bench/results)
#   BENCH_SECONDS=N    time that a bench gets (600)
set -uo pipefail
cd "$(dirname "$0")/.."

readonly out=${OUT:-$PWD/bench/results}
. tools/gpu_common.sh
# The quick ones first, then what the project makes claims about.
if [ $# -eq 0 ]; then
    set -- copy_bandwidth kernels refhcm jpeg_bound jpeg_leak
fi
need_device bench-gpu
mkdir -p "$out"
for bench in "$@"; do
    options=()
    case $bench in
        kernels | refhcm) options=(--json "$out/gpu.json") ;;
        jpeg_bound) options=(--json "$out/gpu_jpeg_bound.json") ;;
    esac
    printf '\n==== %s\n' "$bench"
    timeout --kill-after=30 "${BENCH_SECONDS:-600}" "$python" "bench/gpu/$bench.py" "${options[@]}" ||
        failed+=("$bench: status $?")
done
report_failed
