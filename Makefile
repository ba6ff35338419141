# Tasks for working on this checkout. Each target sets up the environment it needs, from constraints/ with hashes.

PYTHON ?= python3
VENV := .venv
BIN_NAME := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
BIN := $(VENV)/$(BIN_NAME)
TOOLS := $(VENV)/.tools
READY := $(VENV)/.ready
DEMO := .venv-demo
DEMO_TOOLS := $(DEMO)/.tools
DEMO_READY := $(DEMO)/.ready
PIP_INSTALL := -m pip install --disable-pip-version-check
# With extras: pip otherwise takes a package that is pinned without them for another one, and looks for its newest version.
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-strip-extras --python-version 3.11 pyproject.toml
# Two worker processes; PYTEST_ARGS="-n 0" runs everything in one.
PYTEST_ARGS ?=
PYTEST := -m pytest -n 2 --dist worksteal --inline-snapshot=disable
# Without cached bytecode each process compiles every module again, and pytest rewrites every test.
unexport PYTHONDONTWRITEBYTECODE

# tests/kits/profiles.py says why some tests hold for github.com alone.
PROFILES := ghes-3.4 ghes-3.7 ghes-3.8 ghes-3.19
# Versions of Enterprise Server differ from each other in listings, filters, API versions and retention, and all of them
# from github.com in downloads: those tests run under one of them. The command line is tested in real time alone.
PROFILE_TESTS := tests/api tests/automation tests/client
PROFILE_TESTS_ghes-3.8 := tests/faults tests/outsiders tests/transfer tests/transport

.DEFAULT_GOAL := help
.PHONY: help demo test slow profiles interop fuzz lint contracts types docs picture screens check bench bench-quick soak constraints upgrade clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

new-venv = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
  echo "Python 3.11 or later is needed; name one: make PYTHON=python3.12 ..."; exit 1; }; \
  $(PYTHON) -m venv --clear $(1)

$(TOOLS): constraints/dev.txt
	@$(call new-venv,$(VENV))
	@echo "installing the tools into $(VENV), which takes a minute or two ..."
	@$(BIN)/python $(PIP_INSTALL) -qq --require-hashes -r constraints/dev.txt
	@touch $@

$(READY): $(TOOLS) pyproject.toml
	@$(BIN)/python $(PIP_INSTALL) -qq --no-deps --no-build-isolation -e .
	@touch $@

# The demo needs the package and its command line, not the tools: an environment of its own, ready in a few seconds.
$(DEMO_TOOLS): constraints/demo.txt
	@echo "make demo: setting up $(DEMO), once; this takes about a minute"
	@$(call new-venv,$(DEMO))
	@echo "installing $$(grep -c == constraints/demo.txt) packages ..."
	@$(DEMO)/$(BIN_NAME)/python $(PIP_INSTALL) -qq --require-hashes -r constraints/demo.txt
	@touch $@

$(DEMO_READY): $(DEMO_TOOLS) pyproject.toml
	@echo "installing gh-artifacts-async from this checkout ..."
	@$(DEMO)/$(BIN_NAME)/python $(PIP_INSTALL) -qq --no-deps --no-build-isolation -e ".[cli]"
	@touch $@

demo: $(DEMO_READY)  ## list, show and download against the embedded fake GitHub
	@$(DEMO)/$(BIN_NAME)/gh-artifacts demo

test: $(READY)  ## the quick tests, with branch coverage
	@began=$$(date +%s); \
	$(BIN)/coverage erase \
	  && $(BIN)/coverage run $(PYTEST) -m "not slow or sample" --hypothesis-profile=quick $(PYTEST_ARGS) \
	  && $(BIN)/coverage combine --quiet \
	  && $(BIN)/coverage report; \
	status=$$?; echo "make test took $$(( $$(date +%s) - began )) s"; exit $$status

# make interop runs the slow tests in tests/interop.
slow: $(READY)  ## the slow tests; those that must have the machine to themselves one after the other
	@$(BIN)/python $(PYTEST) -m "slow and not alone" --ignore tests/interop $(PYTEST_ARGS)
	@$(BIN)/python -m pytest -m "slow and alone" --ignore tests/interop --inline-snapshot=disable $(PYTEST_ARGS)

profiles: $(PROFILES:%=profile-%)  ## the quick tests of the client, as on several versions of Enterprise Server

profile-%: $(READY)
	@echo "--profile $*"
	@$(BIN)/python $(PYTEST) $(PROFILE_TESTS) $(PROFILE_TESTS_$*) -q -rN -m "not slow and not realtime and not once" \
	  --hypothesis-profile=quick --profile $* $(PYTEST_ARGS)

interop: $(READY)  ## the tests against other people's clients, servers and proxies, as far as they are installed
	@$(BIN)/python $(PYTEST) tests/interop --contract=all $(PYTEST_ARGS)

# With atheris beside the package (pip install atheris) it is guided by coverage.
fuzz: $(READY)  ## a minute of damaged input to all that reads what others send; a finding fails, and is kept in build/fuzz
	@$(BIN)/python -m tests.fuzz all --seconds 60 --seed $${SEED:-$$(date +%s)}

lint: $(READY) contracts  ## style, spelling, who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell

contracts: $(READY)  ## who may import whom
	@$(BIN)/lint-imports

types: $(READY)  ## two type checkers, and three on tests/typing as on a user's code
	@$(BIN)/mypy
	@$(BIN)/basedpyright --pythonpath $(BIN)/python
	@$(BIN)/python -m tests.kits.checkers

docs: $(READY)  ## the documentation, and the examples in it
	@$(BIN)/sphinx-build -q -n -W --keep-going -b html docs docs/_build/html
	@$(BIN)/python -m tests.kits.built_docs docs/_build/html
	@$(BIN)/sphinx-build -q -n -W --keep-going -b doctest docs docs/_build/doctest
	@echo "docs/_build/html/index.html"

picture: $(READY)  ## update the picture in docs/explanation/architecture.md
	@$(BIN)/python -m docs.picture

screens: $(READY)  ## update the terminals in the documentation, docs/pictures
	@$(BIN)/python -m docs.screens

check:  ## everything that has to pass; the same as .ci/run
	@.ci/run

bench: $(READY)  ## compare with curl, aiohttp, githubkit and others (an hour); writes benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks

bench-quick: $(READY)  ## a short version of it, next to the figures on record
	@$(BIN)/python -m benchmarks --quick

soak: $(READY)  ## 32 transfers at once for ten minutes, with faults; writes benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks.soak

constraints: $(TOOLS)  ## pin new requirements of pyproject.toml; other pins stay
	@$(COMPILE) --group dev --all-extras $(UPGRADE) -o constraints/dev.txt
	@$(COMPILE) --group build --extra cli -c constraints/dev.txt -o constraints/demo.txt

upgrade:  ## pin the newest versions of all tools and dependencies
	@$(MAKE) --no-print-directory constraints UPGRADE=--upgrade

clean:  ## remove what was built
	rm -rf $(VENV) $(DEMO) build dist docs/_build artifacts-demo .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
	  .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
