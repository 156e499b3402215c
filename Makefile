# `make run` and `make test` need Python 3.11 or newer, make and git; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A second reader of calendar feeds, for the tests alone; without npm they are skipped and say why.
NODE := $(VENV)/node
NODE_STAMP := $(NODE)/.installed
JOBS ?= auto

.PHONY: help setup run demo secrets test lint types bench picture soak reliability sbom audit locks docs clean

help: ## shows this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) $(NODE_STAMP) ## makes .venv with everything that running and testing need

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tidings needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE_STAMP): tests/calendar/ical_js/package-lock.json | $(STAMP)
	@mkdir -p $(NODE) && cp tests/calendar/ical_js/package.json tests/calendar/ical_js/package-lock.json $(NODE)
	@if command -v npm >/dev/null; then npm ci --prefix $(NODE) --ignore-scripts --no-audit --no-fund --silent && touch $@; fi

run: setup ## every service in one process, with embedded PostgreSQL and Kafka
	@exec $(BIN)/tidings all

demo: setup ## the main job from end to end, on a fresh system that ends with it
	@exec $(BIN)/tidings demo

secrets: setup ## .env for docker compose; DOMAIN=tidings.example.org for a system that the world reaches
	@$(BIN)/python -m deploy.environment $(DOMAIN)

test: setup lint ## every test that this machine can run; names what it skips
	$(BIN)/pytest -n $(JOBS) --dist loadgroup

lint: setup ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## speed, each figure beside its ceiling from the same run
	$(BIN)/python -m bench

soak: setup ## twenty minutes of mixed flow at 50 events a second: how memory, files and sessions grow
	@$(BIN)/python -m bench.soak

reliability: setup ## kills every container of the whole system in turn, and writes what that showed to docs/reliability.md
	TIDINGS_REQUIRE=docker TIDINGS_RELIABILITY=docs/reliability.md $(BIN)/pytest tests/compose

sbom: setup ## what is in the image, as CycloneDX, in build/sbom.json
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible --of JSON -o build/sbom.json

audit: setup ## known vulnerabilities of what is in the image; asks a public database
	$(BIN)/pip-audit -r requirements.lock --disable-pip --require-hashes --progress-spinner off

picture: setup ## the picture in the README, from a system in which the whole job was done
	$(BIN)/python -m deploy.picture

docs: setup ## the generated pages: event catalogue, retention table, counts of the reference data
	$(BIN)/python -m shared.events.catalogue
	$(BIN)/python -m shared.retention
	$(BIN)/python -m shared.reference.summary

locks: ## renews both locks (needs uv on the PATH)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command 'make locks' -q -o requirements.lock
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command 'make locks' -q -o requirements-dev.lock -c requirements.lock

clean: ## removes what make setup and the tests made, never var/
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
