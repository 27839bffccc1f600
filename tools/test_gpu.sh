#!/usr/bin/env bash
# tools/test_gpu.sh [STAGE...]: the CUDA code on a device, and a report of it. Stages: tests, sanitize,
# report; all of them if none is named. The status is 0 if nothing failed.
#
# Takes an installed refpix or one built in place, in a Python (see gpu_common.sh) that has pytest,
# pytest-timeout and hypothesis too; nothing is compiled here.
#
#   OUT=DIR          where results go (build/gpu)
#   STAGE_SECONDS=N  time that a run of pytest or of a sanitizer gets (900)
set -uo pipefail
cd "$(dirname "$0")/.."

readonly out=${OUT:-$PWD/build/gpu}
readonly seconds=${STAGE_SECONDS:-900}
. tools/gpu_common.sh

# run NAME COMMAND...: with a time limit; the log goes to the terminal and to $out/NAME.log.
run() {
    printf '\n==== %s\n' "$1"
    timeout --signal=INT --kill-after=30 "$seconds" "${@:2}" 2>&1 | tee "$out/$1.log"
    local status=${PIPESTATUS[0]}
    case $status in
        0) ;;
        124 | 137) failed+=("$1: ended after $seconds s") ;;
        *) failed+=("$1: status $status") ;;
    esac
}

tests() {
    # Warnings of the machine's own packages are no failures of ours.
    local options=(-W default)
    if "$python" -c 'import xdist' 2>/dev/null; then
        options+=(-n 4)
    fi
    run gpu-tests "$python" -m pytest -q "${options[@]}" -m gpu --junitxml="$out/gpu-tests.xml" tests/gpu
    # Every contract test of the kernels, with `cuda` wherever a test leaves the backend open.
    PYTHONPATH=$PWD/tests/native/cuda_emulation${PYTHONPATH:+:$PYTHONPATH} \
        run kernel-tests "$python" -m pytest -q "${options[@]}" -p cuda_first \
        --junitxml="$out/kernel-tests.xml" tests/kernels
}

# Every kernel once on tiny inputs, compared with the CPU; torch's pool would hide where blocks end.
sanitize() {
    local sanitizer tool options
    sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null)
    if [ -z "$sanitizer" ]; then
        echo "sanitize: left out: there is no compute-sanitizer here" | tee "$out/sanitizers-left-out.log"
        return
    fi
    for tool in memcheck racecheck initcheck; do
        options=(--tool "$tool" --target-processes all --error-exitcode 99 --print-limit 50)
        if [ "$tool" = memcheck ]; then
            # What a library tries and handles itself is no fault; our failing calls raise anyway.
            options+=(--padding 64 --report-api-errors no)
        fi
        PYTORCH_NO_CUDA_MEMORY_CACHING=1 run "sanitizer-$tool" \
            "$sanitizer" "${options[@]}" "$python" bench/gpu/kernels.py --check --tiny
    done
}

report() { "$python" tools/gpu_report.py collect "$out" || failed+=("report"); }

if [ $# -eq 0 ]; then
    set -- tests sanitize report
fi
need_device test-gpu hypothesis pytest pytest_timeout
mkdir -p "$out"
"$python" bench/gpu/where.py >"$out/machine.json" || exit 1
cat "$out/machine.json"
for stage in "$@"; do
    case $stage in
        tests | sanitize | report) "$stage" ;;
        *) echo "test-gpu: unknown stage $stage" >&2; exit 2 ;;
    esac
done
report_failed
