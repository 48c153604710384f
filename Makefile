# kuaitui. `make` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test check bench reliability format messages lock clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.runtime messages ## Make .venv with the console script .venv/bin/kuaitui

setup-dev: .venv/.dev messages ## Add what tests and checks need

demo: setup ## A seeded marketplace with web, worker and simulated channel
	@$(BIN)/kuaitui demo

test: setup-dev ## All tests, on a real PostgreSQL and a real browser
	@$(BIN)/python -m tests.support.browser || true
	@$(BIN)/python -m pytest -n 3 --dist loadfile --ignore tests/simulation --ignore tests/e2e $(PYTEST_ARGS)
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder tests/simulation tests/e2e $(PYTEST_ARGS)

check: setup-dev ## Lint, types, architecture, migrations, messages in step
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -W ignore -m kuaitui.config.manage makemigrations --check --dry-run
	@$(BIN)/python -m kuaitui.config.manage check --fail-level WARNING
	@$(BIN)/python -m kuaitui.config.messages check

bench: setup-dev .venv/.bench ## Our figures beside the peers', written to benchmarks/results/
	@$(BIN)/python -m benchmarks

reliability: setup-dev ## Simulated years, kills, crashes for hours; writes docs/reliability.md
	@$(BIN)/python -m reliability $(RELIABILITY_ARGS)

messages: .venv/.runtime ## Compile the catalogues of words; no GNU gettext needed
	@$(BIN)/python -m kuaitui.config.messages compile

format: setup-dev ## Format and mend what can be mended
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

lock: setup-dev ## Renew requirements/*.txt from requirements/*.in
	@for name in build runtime dev bench; do \
	  $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-header --quiet requirements/$$name.in -o requirements/$$name.txt; done

clean: ## Remove the environment and caches; data under var/ stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/.runtime: requirements/build.txt requirements/runtime.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src
	@touch $@

.venv/.dev: .venv/.runtime requirements/dev.txt
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.bench: .venv/.dev requirements/bench.txt
	@$(PIP) install --require-hashes -r requirements/bench.txt
	@touch $@
