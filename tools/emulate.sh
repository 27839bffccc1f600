#!/usr/bin/env bash
# tools/emulate.sh [PYTEST_ARG...]: the kernel tests with a CUDA backend that runs on the CPU.
#
# Builds _cuda by tests/native/cuda_emulation under build/emulated, puts it beside the Python modules
# and the _cpu of .venv (in daily work REFPIX_PYTHON with PYTHONPATH=python), and runs the tests of the
# kernels that it has.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly python=${REFPIX_PYTHON:-${REFPIX_VENV:-$PWD/.venv}/bin/python}
readonly build=$PWD/build/emulated
readonly site=$build/site

mkdir -p "$build"
cmake -S . -B "$build" -G Ninja -DREFPIX_CUDA_EMULATION=ON -DPython_EXECUTABLE="$("$python" -c 'import sys; print(sys.executable)')" \
    -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)" ${CMAKE_ARGS:-} >"$build.log" || { cat "$build.log"; exit 1; }
cmake --build "$build" --target _cuda -j "$(nproc)" | tail -n 1

rm -rf "$site" && mkdir -p "$site"
cp -r python/refpix "$site/"
rm -f "$site"/refpix/*.so
cp "$("$python" -c 'import refpix._cpu; print(refpix._cpu.__file__)')" "$site/refpix/"
cmake --install "$build" --component cuda --prefix "$site" >/dev/null

# In nvJPEG's place, a library that decodes on the CPU.
${CXX:-g++} -std=c++20 -O1 -g1 -fPIC -shared -Icsrc tests/native/nvjpeg_stand_in.cpp -ljpeg -o "$build/nvjpeg_stand_in.so"
export REFPIX_NVJPEG=$build/nvjpeg_stand_in.so

export REFPIX_EMULATED=1 PYTHONPATH=$site:$PWD/tests/native/cuda_emulation
"$python" -c '
import refpix.cuda
assert refpix.cuda.is_available(), refpix.cuda.build_info()
print("emulate:", refpix.cuda.device_name())'
if [ $# -eq 0 ]; then
    set -- -q -n auto --maxprocesses 8 tests/kernels tests/loader tests/bench
fi
exec "$python" -m pytest -p emulated_cuda "$@"
