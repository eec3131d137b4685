# Fleetkeeper: `make run` serves the product, `make test` runs every test. Both set up all they need.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .make
# Processes that run tests side by side; a file's tests stay together.
WORKERS ?= auto

.PHONY: run test lint check bench bench-smoke lock assets docs screenshots clean
.DELETE_ON_ERROR:

run: $(STAMPS)/run $(STAMPS)/assets
	@exec $(BIN)/fleetkeeper up

test: $(STAMPS)/test $(STAMPS)/assets
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# What is known without running anything; `make test` has the rest of `make check`.
lint: $(STAMPS)/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --check --lint src/fleetkeeper/console/templates

check: lint
	$(BIN)/python -m pytest -q tests/architecture

bench: $(STAMPS)/test $(STAMPS)/assets
	$(BIN)/python -m bench $(ARGS)

# Each section of the benchmarks with little data, so that none breaks unseen.
bench-smoke: $(STAMPS)/test $(STAMPS)/assets
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile bench $(ARGS)

screenshots: $(STAMPS)/test $(STAMPS)/assets
	$(BIN)/python -m docs.screenshots

lock: $(STAMPS)/venv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group build -c requirements/limits.txt pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group build --group test -c requirements/run.txt pyproject.toml -o requirements/test.txt

assets: $(STAMPS)/assets

$(STAMPS)/venv: requirements/installer.txt
	@mkdir -p $(STAMPS)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Fleetkeeper needs Python 3.11 or newer; set PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/installer.txt
	@touch $@

$(STAMPS)/run: $(STAMPS)/venv requirements/run.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/run.txt
	FLEETKEEPER_SKIP_ASSETS=1 $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/test: $(STAMPS)/run requirements/test.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/test.txt
	@touch $@

$(STAMPS)/assets: $(STAMPS)/run hatch_build.py web/package.json web/package-lock.json $(shell find web/src web/build.mjs src/fleetkeeper/console/templates -type f 2>/dev/null)
	$(BIN)/python hatch_build.py
	@touch $@

clean:
	rm -rf $(VENV) $(STAMPS) web/node_modules src/fleetkeeper/console/static/dist
