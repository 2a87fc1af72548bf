# Everything here needs only make and Python 3.11 or newer; PYTHON=… says which one.
.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz lint fmt clean
SHELL := /bin/sh

PYTHON ?= python3
ifeq ($(strip $(PYTHON)),)
PYTHON := python3
endif
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-from
ARGS ?=
EXAMPLES ?= 50
SEED ?= $(shell date +%s)

help: ## Say what can be made
	@echo "make …"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name says; do \
		printf '  %-8s %s\n' "$$name" "$$says"; done
	@echo "PYTHON=… chooses an interpreter; APP_PORT=… and LOGTO_PORT=… move the demo; ARGS=… goes to pytest."

setup: ## Make the environment from the lock files; quick when it stands already
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
		echo "There is no $(PYTHON). Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3"; exit 1; }
	@[ "$$("$(PYTHON)" -c 'print(6 * 7)' 2>/dev/null)" = 42 ] || { \
		echo "$(PYTHON) is no Python. Name Python 3.11 or newer: make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Workroom needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" -V 2>&1). Name another: make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) lacks its venv module. Install it (on Debian and Ubuntu the package python3-venv)."; exit 1; }
	@wanted="$$("$(PYTHON)" -V) $$(cat requirements*.lock pyproject.toml local_logto/pyproject.toml | cksum)"; \
	if [ "$$(cat $(STAMP) 2>/dev/null)" = "$$wanted" ] && $(BIN)/python -c '' 2>/dev/null; then exit 0; fi; \
	mkdir -p $(VENV) 2>/dev/null && touch $(VENV) 2>/dev/null || { \
		echo "Cannot write to $$(pwd): make the folder writable, or start from a copy elsewhere."; exit 1; }; \
	if [ "$$($(BIN)/python -V 2>/dev/null)" != "$$("$(PYTHON)" -V)" ]; then clear=--clear; fi; \
	echo "Making the environment in $(VENV) (once; half a minute) …"; \
	"$(PYTHON)" -m venv $$clear $(VENV) && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock -r requirements-dev.lock && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e local_logto && \
	echo "$$wanted" > $(STAMP)

demo: setup ## Run the application and the development identity provider until Ctrl-C
	@exec $(BIN)/saas-app demo

test: setup ## Run every test, the provider's too
	@[ -w . ] || { echo "Cannot write to $$(pwd): the tests keep a cache there. Run them in a copy elsewhere."; exit 1; }
	@$(BIN)/python -m pytest -n 2 $(ARGS)

fuzz: setup ## Send the JSON API thousands of random requests; EXAMPLES=… for each operation and caller
	@FUZZ_EXAMPLES=$(EXAMPLES) FUZZ_SEED=$(SEED) $(BIN)/python -m pytest -p no:randomly tests/fuzz

lint: setup ## Check style, types, import rules, dependencies and known security mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file local_logto/pyproject.toml
	$(BIN)/lint-imports
	$(BIN)/lint-imports --config local_logto/pyproject.toml
	$(BIN)/deptry .
	cd local_logto && ../$(BIN)/deptry src
	$(BIN)/bandit -q -r -c pyproject.toml saas_app local_logto/src

fmt: setup ## Format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove the environment and caches; the demo's data in var/ stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info local_logto/build local_logto/src/*.egg-info
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
