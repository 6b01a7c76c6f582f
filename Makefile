# Everything a person or a CI runs. `make audit` is the first command; `make` alone lists the rest.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Without .pyc files every start costs three times as much; a virtual environment elsewhere is none of ours.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV

VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
UV := $(BIN)/uv -q
compile = { echo "\# Resolved from pyproject.toml by 'make pins'."; $(UV) pip compile --python $(PYTHON) --universal \
	--python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade $(1); }
SITE ?= examples/laravel-sqlite/host
ARGUMENTS ?= $(shell cat "$(SITE)/../arguments.txt" 2>/dev/null)

.PHONY: help
help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

.PHONY: audit
audit: $(VENV)/.run ## set up what the auditor needs and audit an example host, its queue too (SITE=DIR: another)
	@status=0; $(BIN)/queue-auditor audit "$(SITE)" $(ARGUMENTS) || status=$$?; \
	case $$status in \
	0) echo "Exit status 0: nothing to object to." ;; \
	1) echo "Exit status 1: there are findings. (0: none; 2: could not audit; 3: nothing to audit.)" ;; \
	*) exit $$status ;; \
	esac

# One process more than the cores of a small machine: the proofs mostly wait.
.PHONY: test
test: system-packages lint types ## everything CI checks: the oracles' packages, lint, types, all tests
	@$(PYTHON) -m pytest -q -n 3 --dist worksteal

.PHONY: proofs
proofs: system-packages $(VENV)/.dev ## the harms, shown with real workers, queues and supervisors
	@$(PYTHON) -m pytest -q -n 4 --dist worksteal tests/proofs --table docs/proofs.md

.PHONY: bench
bench: system-packages $(VENV)/.dev ## measure start-up, audits, readers and live looks against their budgets
	@$(PYTHON) bench

.PHONY: lint
lint: $(VENV)/.dev ## ruff: rules and format
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "Not formatted as ruff does: run 'make format'." >&2; exit 1; }

.PHONY: types
types: $(VENV)/.dev ## mypy, strictly
	@$(BIN)/mypy --no-error-summary

.PHONY: format
format: $(VENV)/.dev ## let ruff format the code and mend what it safely can
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format --quiet

.PHONY: docs
docs: $(VENV)/.dev ## write the generated parts of README.md and docs/
	@$(PYTHON) docs/generate.py

.PHONY: dist
dist: $(VENV)/.dev ## build the sdist and the wheel into dist/
	@rm -rf dist
	@$(UV) build --no-build-isolation --no-create-gitignore --python $(PYTHON)
	@ls dist

.PHONY: pins
pins: $(VENV)/.setup ## resolve requirements/*.txt anew from pyproject.toml
	@$(call compile,--group pyproject.toml:setup) > requirements/setup.txt
	@$(call compile,pyproject.toml -c requirements/setup.txt) > requirements/run.txt
	@$(call compile,pyproject.toml --all-extras --group dev -c requirements/setup.txt -c requirements/run.txt) > requirements/dev.txt

.PHONY: clean
clean: ## remove what these targets made
	@rm -rf $(VENV) dist build .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: system-packages
system-packages:
	@tests/system_packages

# One stamp a step, so that nothing is done twice.

$(VENV)/.setup: requirements/setup.txt
	@python=; for each in python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$each; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "queue-auditor needs Python 3.11 or newer, and none is on the PATH." >&2; exit 2; fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; \
	fi; \
	$(PYTHON) -c '' 2>/dev/null || { echo "Setting up $(VENV) with $$($$python --version)"; $$python -m venv --clear $(VENV); }
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --require-hashes -r $<
	@$(UV) pip uninstall --python $(PYTHON) setuptools # venv's gift on Python 3.11: its .pth file slows every start
	@touch $@

$(VENV)/.run: $(VENV)/.setup requirements/run.txt pyproject.toml
	@$(UV) pip install --python $(PYTHON) --compile-bytecode --require-hashes -r requirements/run.txt
	@$(UV) pip install --python $(PYTHON) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@$(UV) pip install --python $(PYTHON) --compile-bytecode --require-hashes -r requirements/dev.txt
	@touch $@
