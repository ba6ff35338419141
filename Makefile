# What one does with this checkout. Every target sets up .venv by itself, from constraints/dev.txt with its hashes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(VENV)/.tools
READY := $(VENV)/.ready
PYTEST_ARGS ?=
# Tests with processes and real time can fail on a machine that is busy with something else: what failed runs once more.
AGAIN := echo "once more, only what failed"
LAST_FAILED := --inline-snapshot=disable --last-failed --last-failed-no-failures=none

.DEFAULT_GOAL := help
.PHONY: help demo test slow interop lint contracts types docs check bench bench-quick constraints clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(TOOLS): constraints/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed; say which: make PYTHON=python3.12 ..."; exit 1; }
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r constraints/dev.txt
	@touch $@

$(READY): $(TOOLS) pyproject.toml
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)  ## list, show and download against the embedded fake GitHub
	@$(BIN)/gh-artifacts demo

test: $(READY)  ## the quick tests, with branch coverage
	@began=$$(date +%s); \
	$(BIN)/coverage erase \
	  && { $(BIN)/coverage run -m pytest -m "not slow or sample" --inline-snapshot=disable $(PYTEST_ARGS) \
	    || { $(AGAIN); $(BIN)/python -m pytest -m "not slow or sample" $(LAST_FAILED) $(PYTEST_ARGS); }; } \
	  && $(BIN)/coverage combine --quiet \
	  && $(BIN)/coverage report; \
	status=$$?; echo "make test took $$(( $$(date +%s) - began )) s"; exit $$status

slow: $(READY)  ## the slow tests
	@$(BIN)/python -m pytest -m slow --inline-snapshot=disable $(PYTEST_ARGS) \
	  || { $(AGAIN); $(BIN)/python -m pytest -m slow $(LAST_FAILED) $(PYTEST_ARGS); }

interop: $(READY)  ## the tests against gh, Azurite and nginx, as far as they are installed
	@$(BIN)/python -m pytest tests/interop --inline-snapshot=disable $(PYTEST_ARGS)

lint: $(READY) contracts  ## style, words, who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell

contracts: $(READY)  ## who may import whom
	@$(BIN)/lint-imports

types: $(READY)  ## two type checkers
	@$(BIN)/mypy
	@$(BIN)/basedpyright --pythonpath $(BIN)/python

docs: $(READY)  ## the documentation, and the examples in it
	@$(BIN)/sphinx-build -q -n -W --keep-going -b html docs docs/_build/html
	@$(BIN)/sphinx-build -q -n -W --keep-going -b doctest docs docs/_build/doctest
	@echo "docs/_build/html/index.html"

check:  ## everything that has to pass, as .ci/run does it
	@.ci/run

bench: $(READY)  ## measure against curl, aiohttp, githubkit and others; about half an hour; writes benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks

bench-quick: $(READY)  ## a short cut of it, beside the figures on record
	@$(BIN)/python -m benchmarks --quick

constraints: $(READY)  ## choose the newest versions of all tools and dependencies anew
	@$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-header --python-version 3.11 \
	  pyproject.toml --group dev --all-extras -o constraints/dev.txt

clean:  ## remove what was built
	rm -rf $(VENV) build dist docs/_build artifacts-demo .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
	  .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
