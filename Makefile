# Every check is defined here; pre-commit and CI only call it. `make` lists the targets.
# Needs make and Python 3.11 or newer; everything else is fetched into $(VENV), at the exact versions of the lock files.

VENV ?= .venv
ARGS ?=
KILLS ?= 1000
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
# A test starts Python hundreds of times; each time it would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
RUNTIME := $(VENV)/runtime.stamp
DEV := $(VENV)/dev.stamp

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test coverage acceptance lint check format drill bench lock clean

# A Python that was upgraded away leaves a dangling link in the venv: begin again.
$(shell test -x $(BIN)/python || rm -f $(RUNTIME) $(DEV))

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(RUNTIME) ## a story of about a minute: an alert fires, escalates and is resolved; needs no key
	@$(BIN)/guard demo $(ARGS)

test: $(DEV) ## the tests, within five minutes; ARGS="-k word" for some of them
	$(BIN)/python -m pytest -n auto -m "not acceptance" $(ARGS)

# Not in `make test`, since it doubles what the tests cost.
coverage: $(DEV) ## the same tests with branch coverage, which must not fall
	$(BIN)/python -m pytest -n auto -m "not acceptance" --cov $(ARGS)

# Tests that need a program which is not there are skipped, and say so: node and npm, and as root Postfix and openssl
# (Debian, Ubuntu: apt-get install postfix openssl; they run a Postfix of their own, whatever runs on the machine).
acceptance: $(DEV) ## the long tests of the command as a black box, against servers of their own
	$(BIN)/python -m pytest -n auto -m acceptance $(ARGS)

lint: $(DEV) ## lint, format, types, the import contract, dependencies, the Dockerfile
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .
	$(BIN)/hadolint Dockerfile

check: test lint ## test and lint

format: $(DEV) ## put the code into the one format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

drill: $(DEV) ## all that may go wrong, on purpose, and a count of what was lost: into docs/evidence; KILLS=10000 for more
	$(BIN)/python -m tests.crash.drill --fires --kills $(KILLS) $(ARGS)

bench: $(DEV) ## what a cycle, a message, a start and a byte cost, beside yardsticks; ARGS="cycle start" for some of it
	$(BIN)/python -m tests.bench $(ARGS)

LOCK = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
  --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

lock: $(DEV) ## write both lock files anew; ARGS=--upgrade for the newest versions
	$(BIN)/uv --version || $(PIP) install uv
	$(LOCK) $(ARGS) --group build --output-file requirements.lock
	$(LOCK) $(ARGS) --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean: ## remove what make made
	rm -rf $(VENV) .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .ruff_cache dist
	find guard tests -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found. Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is no Python 3.11 or newer. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a venv, because ensurepip is missing. Debian, Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) with $(PYTHON) …"
	@$(PYTHON) -m venv --clear $(VENV)

# The lock holds the build backend too: so nothing is fetched here whose hash was not checked.
$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing quota-guard and what it runs on into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "Installing the tools for tests and checks into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
