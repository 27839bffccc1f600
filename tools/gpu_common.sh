# Sourced by test_gpu.sh and bench_gpu.sh, in the repository's root.
#
# The Python that has refpix with its _cuda and torch for this CUDA: REFPIX_PYTHON, else .venv's where
# there is one, else python3.
if [ -n "${REFPIX_PYTHON:-}" ]; then
    python=$REFPIX_PYTHON
elif [ -x .venv/bin/python ]; then
    python=.venv/bin/python
else
    python=python3
fi
failed=()

# need_device WHO [MODULE...]: ends with 1, and the reason, where there is no device or no such module.
need_device() {
    local reason
    reason=$("$python" -c '
import importlib, sys
sys.path.insert(0, "bench/gpu")
try:
    for module in sys.argv[1:]:
        importlib.import_module(module)
    from devices import why_not
    print(why_not())
except Exception as error:
    print(f"{type(error).__name__}: {error}")' "${@:2}") || reason="it does not run"
    if [ -n "$reason" ]; then
        echo "$1: nothing can be run with $python: $reason" >&2
        exit 1
    fi
}

# Lists what is in `failed`; the status is 0 if that is nothing.
report_failed() {
    printf '\n'
    local one
    for one in "${failed[@]}"; do
        echo "FAILED: $one"
    done
    [ "${#failed[@]}" -eq 0 ]
}
