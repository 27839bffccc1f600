#!/usr/bin/env bash
# tools/sanitize.sh                  kernel tests under ASan and UBSan, the thread pool under TSan
# tools/sanitize.sh --cuda           tests of kernels with CUDA code, emulated on the CPU, under ASan and
#                                    UBSan: a quarter of an hour on two processors
# tools/sanitize.sh --fuzz SECONDS [TARGET...]   each target, or every tests/fuzz/fuzz_*.py, for
#                                    SECONDS, leaks looked for too
#
# Builds _cpu, and the CUDA code where it is wanted, with the sanitizers under build/sanitize and runs them
# with the Python of .venv. Needs gcc, whose run-time libraries are preloaded: python itself is not instrumented.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly cxx=${CXX:-g++}
readonly python=${REFPIX_VENV:-$PWD/.venv}/bin/python
readonly build=$PWD/build/sanitize
readonly site=$build/site            # with _cpu alone
readonly cuda_site=$build/cuda_site  # and with the CUDA code, emulated
logs=$build/logs
PATH=$(dirname "$python"):$PATH

build_sanitized() {
    cmake -S . -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" -DREFPIX_CUDA=OFF -DREFPIX_CUDA_EMULATION="$emulation" \
        -DREFPIX_SANITIZE=address,undefined -DPython_EXECUTABLE="$python" \
        -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)" >"$build.log" || cat "$build.log"
    cmake --build "$build" -j "$(nproc)" | tail -n 1
    rm -rf "$site" && mkdir -p "$site"
    cp -r python/refpix "$site/"
    rm -f "$site"/refpix/*.so
    cmake --install "$build" --component python --prefix "$site" >/dev/null
    rm -rf "$cuda_site" && cp -r "$site" "$cuda_site"
    if [ "$emulation" = ON ]; then
        cmake --install "$build" --component cuda --prefix "$cuda_site" >/dev/null
    fi
    "$cxx" -std=c++20 -g -O0 -fPIC -shared -fsanitize=address,undefined -fno-sanitize-recover=all \
        -fno-omit-frame-pointer tests/native/planted_bugs.cpp -o "$build/planted_bugs.so"
}

# sanitized LEAKS COMMAND...: with the sanitized build first on the path. ASan's reports go to files,
# as pytest swallows what is written to stderr; UBSan's come by stderr whatever it is told, so that
# is kept too. allocator_may_return_null: running out of memory is something that kernels report.
sanitized() {
    local preload= library
    for library in libasan.so libubsan.so libstdc++.so; do
        preload+=${preload:+:}$("$cxx" -print-file-name="$library")
    done
    rm -rf "$logs" && mkdir -p "$logs"
    # The exit status is ASan's too, so it is only given up where leaks are sifted afterwards.
    local leaks_are_no_failure=
    if [ "$1" = 1 ]; then
        leaks_are_no_failure=exitcode=0
    fi
    local options=halt_on_error=1:abort_on_error=0:log_path=$logs/report
    env LD_PRELOAD="$preload" PYTHONMALLOC=malloc PYTHONPATH="$site" REFPIX_SANITIZED=1 \
        ASAN_OPTIONS="$options:detect_leaks=$1:allocator_may_return_null=1:fast_unwind_on_malloc=$((1 - $1)):malloc_context_size=$((30 - 18 * $1))" \
        LSAN_OPTIONS="$leaks_are_no_failure" UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
        "${@:2}" 2>"$logs/stderr"
}

# Leaks of our own: CPython and the modules' own set-up leave plenty behind at exit.
own_leaks() {
    cat "$logs"/* | awk -v RS= \
        '/leak of/ && /csrc\/|planted_bugs/ && !/PyInit_/ { print; print ""; found = 1 } END { exit !found }'
}

show_reports() { cat "$logs"/* | head -n 120; }
has_reports() { grep -qE 'AddressSanitizer: [a-z]|runtime error: ' "$logs"/*; }

# call_bug LEAKS CALL: a planted bug in a process of its own.
call_bug() { sanitized "$1" "$python" -c "import ctypes; ctypes.CDLL('$build/planted_bugs.so').$2"; }

self_test() {
    if call_bug 0 'heap_overflow(1)' || ! grep -q 'heap-buffer-overflow' "$logs"/*; then
        echo "sanitize: ASan did not see the planted heap overflow" >&2
        exit 1
    fi
    if call_bug 0 'signed_overflow(2)' || ! grep -q 'signed integer overflow' "$logs"/*; then
        echo "sanitize: UBSan did not see the planted signed overflow" >&2
        exit 1
    fi
    call_bug 1 'leak(1000)' || true
    if ! own_leaks >/dev/null; then
        echo "sanitize: LeakSanitizer did not see the planted leak" >&2
        exit 1
    fi
    sanitized 0 "$python" -c "
import refpix._cpu
assert refpix._cpu.__file__.startswith('$site'), refpix._cpu.__file__"
    echo "sanitize: planted heap overflow, signed overflow and leak are all seen"
}

# kernel_tests PATH PYTEST_ARG...: with this at the head of PYTHONPATH.
kernel_tests() {
    if ! sanitized 0 env PYTHONPATH="$1:$site" "$python" -m pytest -q -x -p no:cacheprovider --capture=sys \
        --timeout 900 -n auto --maxprocesses 8 -m 'not slow' "${@:2}" || has_reports; then
        show_reports
        exit 1
    fi
}

thread_pool_under_tsan() {
    "$cxx" -std=c++20 -g -O1 -fsanitize=thread -pthread -I csrc tests/native/thread_pool_test.cpp \
        csrc/core/thread_pool.cpp -o "$build/thread_pool_test"
    # Some kernels lay memory out more randomly than older TSan can cope with.
    local run=()
    if setarch -R true 2>/dev/null; then
        run=(setarch -R)
    fi
    TSAN_OPTIONS=halt_on_error=1 "${run[@]}" "$build/thread_pool_test" --no-fork
    echo "sanitize: thread pool clean under TSan"
}

# fuzz_one SECONDS TARGET: with reports of its own, as several run at a time.
fuzz_one() {
    local logs=$logs/$(basename "$2" .py)
    echo "fuzz: $2, $1 s"
    if grep -q '^PURE_PYTHON = True' "$2"; then
        # Nothing for sanitizers to see, and they make Python a hundred times slower.
        "$python" "$2" --seconds "$1" --seed "${FUZZ_SEED:-$RANDOM}"
        return
    fi
    if ! sanitized 1 "$python" "$2" --seconds "$1" --seed "${FUZZ_SEED:-$RANDOM}" || has_reports; then
        show_reports
        return 1
    fi
    ! own_leaks
}

fuzz() {
    local target targets failed=0
    targets=("${@:2}")
    if [ "$#" -lt 2 ]; then
        targets=(tests/fuzz/fuzz_*.py)
    fi
    rm -rf "$logs"
    for target in "${targets[@]}"; do
        while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
            wait -n || failed=1
        done
        fuzz_one "$1" "$target" &
    done
    while [ -n "$(jobs -p)" ]; do
        wait -n || failed=1
    done
    return "$failed"
}

emulation=OFF
if [ "${1:-}" = --cuda ]; then
    emulation=ON
fi
mkdir -p "$build"
build_sanitized
self_test
case ${1:-} in
    --fuzz) fuzz "${2:-10}" "${@:3}" ;;
    --cuda) kernel_tests "$cuda_site:$PWD/tests/native/cuda_emulation" -p emulated_cuda tests/kernels ;;
    *)
        kernel_tests "$site" tests/kernels
        thread_pool_under_tsan
        ;;
esac
