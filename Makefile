# What one does with this repository. Every target sets up .venv by itself when it is missing or stale.
# `make PYTHON=python3.12 test` chooses the interpreter of a new .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# keras-cpu, not keras: the CPU build of TensorFlow, a third of the download (see pyproject.toml).
EXTRAS := torch,keras-cpu,onnx,dev
DEMO   := runs/demo

# Keras imports JAX wherever it is installed, which takes seconds: JAX has an environment of its own, on top of the other.
JAX    := $(VENV)/jax

# A comma inside an argument of $(call …).
, := ,

export PIP_DISABLE_PIP_VERSION_CHECK := 1
.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-engines test-all lint format docs bench clean

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml .ci/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "netspec needs Python 3.11 or newer: make PYTHON=…")'
	@echo "Setting up $(VENV) (some minutes the first time: PyTorch, TensorFlow) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq -c .ci/constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

$(JAX)/.ready: $(READY)
	@echo "Setting up $(JAX) (JAX) …"
	@$(BIN)/python -m venv --without-pip --clear $(JAX)
	@$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
		> $$($(JAX)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/base.pth
	@$(BIN)/python -m pip --python $(JAX)/bin/python install -qq -c .ci/constraints.txt jax
	@touch $@

# $(call show,heading) and $(call run,command): a heading; a command as one would type it, and what it prints.
show = if [ -t 1 ]; then printf '\n\033[1m%s\033[0m\n' '$(1)'; else printf '\n%s\n' '$(1)'; fi
run  = printf '\n$$ %s\n' '$(1)' && PATH="$(CURDIR)/$(BIN):$$PATH" $(1)

demo: $(READY)  ## LeNet-5, from YAML to two trained models that are proven equal (a few minutes)
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	@$(call show,1. A network is a page of YAML. Does it hold what it promises?)
	@$(call run,netspec check specs)
	@$(call show,2. What it is: sizes$(,) parameters$(,) work$(,) layer by layer)
	@$(call run,netspec shapes zoo:lenet5)
	@$(call show,3. The same page as PyTorch and as Keras$(,) to read and to keep)
	@$(call run,netspec compile zoo:lenet5 --backend torch -o $(DEMO)/lenet5_torch.py)
	@$(call run,netspec compile zoo:lenet5 --backend keras -o $(DEMO)/lenet5_keras.py)
	@$(call run,cat $(DEMO)/lenet5_torch.py)
	@$(call show,4. Trained on real images by both$(,) from the same weights on the same batches)
	@$(call run,netspec train zoo:lenet5 --backend torch -o $(DEMO)/torch)
	@$(call run,netspec train zoo:lenet5 --backend keras -o $(DEMO)/keras)
	@$(call show,5. Equal? Every layer$(,) every gradient$(,) every step of the optimisers$(,) in float64)
	@$(call run,netspec compare zoo:lenet5)
	@$(call show,6. And if one layer were wrong$(,) would anyone notice?)
	@$(call run,netspec compare zoo:lenet5 --inject C3=1e-3) && exit 1 || test $$? -eq 1

test: $(READY)  ## the tests, without the slow ones
	@$(BIN)/python -m pytest -n auto --max-worker-restart 0 --dist loadgroup -q

test-slow: $(READY)
	@$(BIN)/python -m pytest -n auto --max-worker-restart 0 --dist loadgroup -q -m slow

# Keras on PyTorch and on JAX: every row of the two tables, training, and the quick part of the zoo. NumPy warns of how Keras
# reads PyTorch's tensors. XLA spends most of the time on making small graphs quicker, so for the rows it does not.
ENGINE_LEARN := $(addprefix tests/backends/,test_learning.py test_losses.py test_optimizers.py test_scoring.py)
ENGINE_ROWS  := tests/backends/test_suite.py tests/backends/test_engines.py $(ENGINE_LEARN)
ENGINE_CALLS := tests/backends/test_calls.py
ENGINE_OTHER := tests/backends/test_keras_train.py tests/test_zoo.py::test_backends_are_equal_in_float64
ENGINE_TESTS := -n auto --max-worker-restart 0 --dist loadgroup -q --brief -m 'engines or not slow'

test-engines: $(JAX)/.ready  ## Keras on PyTorch and on JAX, proven as on TensorFlow (minutes)
	@KERAS_BACKEND=torch $(BIN)/python -m pytest $(ENGINE_TESTS) $(ENGINE_ROWS) $(ENGINE_OTHER) $(ENGINE_CALLS) \
		-W 'ignore:__array__ implementation:DeprecationWarning'
	@KERAS_BACKEND=jax XLA_FLAGS=--xla_backend_optimization_level=0 JAX_DISABLE_MOST_OPTIMIZATIONS=1 \
		$(JAX)/bin/python -m pytest $(ENGINE_TESTS) $(ENGINE_ROWS)
	@KERAS_BACKEND=jax $(JAX)/bin/python -m pytest $(ENGINE_TESTS) $(ENGINE_OTHER)
	@KERAS_BACKEND=jax XLA_FLAGS=--xla_force_host_platform_device_count=2 \
		$(JAX)/bin/python -m pytest $(ENGINE_TESTS) $(ENGINE_CALLS)

test-all: $(READY)  ## all tests, the slow ones too
	@$(BIN)/python -m pytest -n auto --max-worker-restart 0 --dist loadgroup -q -m 'slow or not slow'

lint: $(READY)  ## ruff and mypy
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy --no-error-summary
	@echo "lint: clean"

format: $(READY)  ## put the source into its form
	@$(BIN)/ruff check -q --fix-only .
	@$(BIN)/ruff format -q .

docs: $(READY)  ## write the generated pages of docs/ anew
	@$(BIN)/python docs/generate.py

bench: $(READY)  ## time the commands and the backends on this machine
	@for script in $(sort $(wildcard benchmarks/bench_*.py)); do $(BIN)/python $$script || exit 1; done

clean:  ## remove .venv and all that was built
	@rm -rf $(VENV) build dist runs .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
