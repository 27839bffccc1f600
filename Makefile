# `make demo` and `make test` work from a fresh clone on a bare Debian or Ubuntu (tools/bootstrap.sh
# says what is fetched and how to steer it); `make dev` builds in place for daily work.
VENV := .venv/bin
PYTHON ?=
DEV_PYTHON ?= $(or $(PYTHON),python3)
BENCH_ARGS ?=
BENCHES ?= refhcm masks refcocom matting glt glt_crops
PYTEST_ARGS ?=
EMULATE_ARGS ?=
FUZZ_SECONDS ?= 10
export PYTHON

.PHONY: help demo test test-ray test-dali test-gpu bench bench-kernels bench-memory bench-gpu gpu-wheel
.PHONY: lint format stubs sanitize fuzz emulate dev clean

help:  ## This list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo:  ## Install into .venv, load the packaged sample, compare with the Pillow path, draw a batch
	@tools/bootstrap.sh
	$(VENV)/refpix demo

test:  ## Install into .venv and run the tests (PYTEST_ARGS=...)
	@tools/bootstrap.sh dev
	$(VENV)/pytest -n auto --maxprocesses 8 $(PYTEST_ARGS)

test-ray:  ## Synthesis on two workers of a Ray cluster; ray goes into build/ray, not into .venv
	@tools/bootstrap.sh dev
	@tools/test_ray.sh

test-dali:  ## refpix.dali in DALI itself, on the CPU; its 200 MB go into build/dali, not into .venv
	@tools/bootstrap.sh dev
	@tools/test_dali.sh $(PYTEST_ARGS)

test-gpu:  ## On a GPU: tests, compute-sanitizer, report (REFPIX_PYTHON=... has refpix and torch)
	@tools/test_gpu.sh

bench:  ## The jobs against their rivals, as tables and as JSON (BENCHES=masks BENCH_ARGS=...)
	@tools/bootstrap.sh bench
	@set -e; for bench in $(BENCHES); do echo "== $$bench"; $(VENV)/python bench/pipelines/$$bench.py $(BENCH_ARGS); done

bench-kernels:  ## Each kernel against its reference and the best rival
	@tools/bootstrap.sh bench
	@$(VENV)/python -c 'import torch' || { echo 'rivals need torch: REFPIX_TORCH=1 make $@'; exit 1; }
	@set -e; for bench in $$(grep -l __main__ bench/kernels/*.py); do echo "== $$bench"; $(VENV)/python $$bench $(BENCH_ARGS); done

bench-memory:  ## Memory of indexing and loading a 5 GB file, made on the fly (BENCH_ARGS=...)
	@tools/bootstrap.sh bench
	$(VENV)/python bench/pipelines/memory.py $(BENCH_ARGS)

bench-gpu:  ## On a GPU: copy bandwidth, CUDA kernels, RefHCM against DALI and torchvision, nvJPEG
	@tools/bench_gpu.sh

gpu-wheel:  ## A folder to carry to a GPU machine without build tools: wheels, tests, benches, run.sh
	@tools/gpu_wheel.sh

lint:  ## ruff, mypy --strict, clang-format, and the committed stubs against the built modules
	@tools/bootstrap.sh dev
	@tools/lint.sh

format:  ## Apply ruff's and clang-format's formatting
	@tools/bootstrap.sh dev
	@tools/lint.sh --fix

stubs:  ## Write python/refpix/_cpu.pyi anew from the built module
	@tools/bootstrap.sh dev
	$(VENV)/python tools/stubs.py

sanitize:  ## Kernel tests under ASan and UBSan, the thread pool under TSan
	@tools/bootstrap.sh dev
	@tools/sanitize.sh

fuzz:  ## Each fuzz target for FUZZ_SECONDS, under ASan and UBSan
	@tools/bootstrap.sh dev
	@tools/sanitize.sh --fuzz $(FUZZ_SECONDS)

emulate:  ## Kernel tests with the CUDA backend emulated on the CPU (EMULATE_ARGS=...)
	@tools/bootstrap.sh dev
	@tools/emulate.sh $(EMULATE_ARGS)

dev:  ## Build into python/refpix, for PYTHONPATH=python (DEV_PYTHON=..., CUDA=1 for _cuda too)
	cmake -S . -B build/dev -G Ninja -DPython_EXECUTABLE=$$($(DEV_PYTHON) -c 'import sys; print(sys.executable)') \
	  -Dpybind11_DIR=$$($(DEV_PYTHON) -m pybind11 --cmakedir) \
	  -DREFPIX_UNITY=OFF -DREFPIX_CUDA=$(if $(filter 1,$(CUDA)),ON,OFF) $(CMAKE_ARGS)
	cmake --build build/dev
	cmake --install build/dev --component python --prefix python

clean:  ## Remove all that these targets made, .venv included
	rm -rf .venv build dist wheelhouse demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f python/refpix/*.so
	find python tests bench tools -name __pycache__ -type d -prune -exec rm -rf {} +
