# `make demo` and `make test` work from a fresh clone; `make dev` builds in place for daily work.
PYTHON ?= python3
DEV_PYTHON ?= $(PYTHON)

.PHONY: dev
dev:  ## Build into python/refpix, for PYTHONPATH=python
	cmake -S . -B build/dev -G Ninja -DPython_EXECUTABLE=$$($(DEV_PYTHON) -c 'import sys; print(sys.executable)') \
	  -Dpybind11_DIR=$$($(DEV_PYTHON) -m pybind11 --cmakedir) $(CMAKE_ARGS)
	cmake --build build/dev
	cmake --install build/dev --component python --prefix python
