# You need make and Python 3.11 or newer. PYTHON=… chooses the interpreter.
.DEFAULT_GOAL := help
.PHONY: help setup demo dev shell migration translations check test hosts coverage fuzz bench bench-full lint fmt lock clients sbom clean
.PHONY: unit style types imports dependencies mistakes
SHELL := /bin/sh

PYTHON ?= python3
ifeq ($(strip $(PYTHON)),)
PYTHON := python3
endif
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-from
ARGS ?=
ENV ?= var/demo.env
NAME ?=
EXAMPLES ?= 50
SEED ?= $(shell date +%s)
# Every command starts Python programs. Without their bytecode they compile all modules again, and the tests are rewritten
# in each of their processes. It is kept in __pycache__, which make clean deletes.
export PYTHONDONTWRITEBYTECODE :=
# Processes for the tests: one more than processors, because many tests wait for a server. Six need 6 GB of memory.
JOBS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ $$n -lt 6 ] && echo $$((n + 1)) || echo 6)
# The percentage of lines in a folder of saas_app that tests must run.
FLOORS := rbac:99 web:98 identity:96
LINTERS := style types imports dependencies mistakes
CHECKS := unit $(LINTERS)

help: ## Show the available commands
	@echo "Usage: make COMMAND"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name says; do \
		printf '  %-10s %s\n' "$$name" "$$says"; done
	@echo
	@echo "Options: PYTHON=python3.13 (interpreter), APP_PORT=3100 LOGTO_PORT=3101 COMPANY_PORT=3102"
	@echo "         (ports of the demo), ARGS=\"-k projects\" (options for pytest), JOBS=1 (processes for the tests)"

setup: ## Create the environment in .venv from the lock files (does nothing if it is up to date)
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
		echo "$(PYTHON) was not found. Install Python 3.11 or newer, or choose one: make PYTHON=/path/to/python3"; exit 1; }
	@[ "$$("$(PYTHON)" -c 'print(6 * 7)' 2>/dev/null)" = 42 ] || { \
		echo "$(PYTHON) is not a Python interpreter. Choose Python 3.11 or newer: make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Workroom needs Python 3.11 or newer, and $(PYTHON) is $$("$(PYTHON)" -V 2>&1). Choose another: make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module. Install it (on Debian and Ubuntu: the package python3-venv)."; exit 1; }
	@wanted="$$("$(PYTHON)" -V) $$(cat requirements*.lock pyproject.toml local_logto/pyproject.toml | cksum)"; \
	if [ "$$(cat $(STAMP) 2>/dev/null)" = "$$wanted" ] && $(BIN)/python -c '' 2>/dev/null; then exit 0; fi; \
	mkdir -p $(VENV) 2>/dev/null && touch $(VENV) 2>/dev/null || { \
		echo "$$(pwd) is not writable. Make it writable, or work in a copy elsewhere."; exit 1; }; \
	if [ "$$($(BIN)/python -V 2>/dev/null)" != "$$("$(PYTHON)" -V)" ]; then clear=--clear; fi; \
	echo "Creating the environment in $(VENV) with $$("$(PYTHON)" -V) (once, about a minute)"; \
	"$(PYTHON)" -m venv $$clear $(VENV) && \
	$(BIN)/python tools/install_locked.py requirements.lock requirements-dev.lock && \
	echo "  installing Workroom and local_logto" && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e local_logto && \
	$(BIN)/python -m compileall -q saas_app local_logto/src migrations && \
	echo "$$wanted" > $(STAMP) && \
	echo "The environment is ready."

demo: setup ## Run Workroom, its identity provider, that of a customer and the lab's practice service; Ctrl-C stops them
	@exec $(BIN)/saas-app demo

dev: setup ## Run the demo, and restart Workroom when its code or templates change
	@exec $(BIN)/saas-app demo --reload

shell: setup ## Open a Python prompt on the demo's database; ENV=.env opens another one
	@[ -f "$(ENV)" ] || { echo "$(ENV) was not found. Run make demo once, or name the file of a deployment: make shell ENV=.env"; exit 1; }
	@exec $(BIN)/saas-app shell --env-file "$(ENV)"

migration: setup ## Write a migration for changed models and try it; NAME="add project colors" names it
	@[ -n "$(NAME)" ] || { echo 'Name the migration: make migration NAME="add project colors"'; exit 1; }
	@$(BIN)/saas-app make-migration "$(NAME)"

translations: setup ## Bring the catalogues in translations/ up to date with the texts; ARGS=fr starts another language
	@$(BIN)/python tools/update_translations.py $(ARGS)

check: setup ## Run the linters and the unit tests side by side, in less than a minute; no browser, no server
	@$(MAKE) --no-print-directory -j $(words $(CHECKS)) $(CHECKS)

unit:
	@$(BIN)/python -m pytest -q -n 2 tests/unit

test: setup ## Run all tests, including those of local_logto; ARGS="tests/unit -x" passes options to pytest
	@[ -w . ] || { echo "$$(pwd) is not writable, and the tests keep a cache there. Run them in a copy elsewhere."; exit 1; }
ifeq ($(strip $(ARGS)),)
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --ignore=tests/hosts; rest=$$?; \
	$(BIN)/python -m pytest tests/hosts && exit $$rest
else
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)
endif

hosts: setup ## Run the tests with several hosts alone, because their networks disturb browsers (make test does it last)
	@$(BIN)/python -m pytest tests/hosts $(ARGS)

coverage: setup ## Show the lines that no test runs (browser tests aside), and check the floors of rbac, web and identity
	@$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report= tests --ignore=tests/browser --ignore=tests/fuzz $(ARGS)
	@$(BIN)/coverage report
	@for floor in $(FLOORS); do \
		room="$${floor%:*}"; \
		$(BIN)/coverage report --include="saas_app/$$room/*" --fail-under="$${floor#*:}" --format=total >/dev/null || { \
			echo "Coverage of saas_app/$$room is below its floor of $${floor#*:} %."; exit 1; }; \
	done; echo "Coverage is above its floors: $(FLOORS)"

fuzz: setup ## Send random requests to the JSON API; EXAMPLES=500 sends more for each operation
	@FUZZ_EXAMPLES=$(EXAMPLES) FUZZ_SEED=$(SEED) $(BIN)/python -m pytest -p no:randomly tests/fuzz

bench: setup ## Measure the CPU time of requests beside lean twins (two minutes); ARGS="--against main" compares commits
	@$(BIN)/python tools/install_locked.py requirements-bench.lock
	@$(BIN)/python -m bench run $(ARGS)

bench-full: setup ## Measure longer, and memory and start-up too; ARGS="--keep" keeps the result
	@$(BIN)/python tools/install_locked.py requirements-bench.lock
	@$(BIN)/python -m bench run --rounds 15 --seconds 0.5 --memory-requests 5000 $(ARGS)

lint: setup ## Check style, types, import rules, dependencies and common security mistakes
	@$(MAKE) --no-print-directory -j $(words $(LINTERS)) $(LINTERS)

style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy
	$(BIN)/mypy --config-file local_logto/pyproject.toml

imports:
	$(BIN)/lint-imports
	$(BIN)/lint-imports --config local_logto/pyproject.toml

dependencies:
	$(BIN)/deptry .
	cd local_logto && ../$(BIN)/deptry src

mistakes:
	$(BIN)/bandit -q -r -c pyproject.toml saas_app local_logto/src

fmt: setup ## Format the code and apply automatic fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## Compile the lock files from pyproject.toml with uv; ARGS="--upgrade-package quart" updates a package
	@"$(PYTHON)" tools/compile_locks.py $(ARGS)

clients: setup ## Generate clients of the JSON API in build/clients: Python (asynchronous) and TypeScript
	@$(BIN)/python tools/install_locked.py requirements-clients.lock
	@$(BIN)/python tools/generate_clients.py $(ARGS)

sbom: setup ## List what the image gets from requirements.lock, as a CycloneDX document in dist/
	@mkdir -p dist
	@$(BIN)/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible \
		--output-file dist/workroom.cdx.json requirements.lock
	@echo "Written to dist/workroom.cdx.json"

clean: ## Delete the environment and all caches; the data of the demo in var/ is kept
	rm -rf $(VENV) .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info local_logto/build local_logto/src/*.egg-info
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
