#!/usr/bin/env bash
# tools/lint.sh [--fix]: every static check, or with --fix the formatters' changes. All of them
# run; the exit status says whether one failed.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=${REFPIX_VENV:-.venv}/bin

native() { find csrc tests/native -type f \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) -print0 2>/dev/null; }

if [ "${1:-}" = --fix ]; then
    "$bin/ruff" check --fix . ; "$bin/ruff" format .
    native | xargs -0 "$bin/clang-format" -i
    exit
fi

failed=0
check() {
    printf '%s: ' "$1"
    if "${@:2}"; then echo "$1: ok"; else echo "$1: FAILED"; failed=1; fi
}
check 'ruff check' "$bin/ruff" check .
check 'ruff format' "$bin/ruff" format --check .
if "$bin/python" -c 'import torch' 2>/dev/null; then
    check 'mypy --strict' "$bin/mypy"
else
    echo "mypy --strict: left out: torch, whose types it needs, is not installed"
fi
check 'clang-format' bash -c "$(declare -f native); native | xargs -0 '$bin/clang-format' --dry-run -Werror"
check 'stubs' "$bin/python" tools/stubs.py --check
exit "$failed"
