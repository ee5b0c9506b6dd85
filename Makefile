# Two commands matter: `make up` runs everything on this machine, `make test` checks everything.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Some machines forbid kept bytecode. Each process would compile all modules anew: a quarter of a start of the service.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: up venv test lint format lock bench bench-purchases bench-base bench-whole demo docs clean
.DEFAULT_GOAL := up

up: $(STAMP)
	@exec $(BIN)/keiyaku up $(ARGS)

venv: $(STAMP)

# Made anew only when the pins change. Everything is pinned with hashes; the project itself needs no network.
$(VENV)/.pins: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Keiyaku needs Python 3.11 or later; found " + sys.version.split()[0] + " at $(PYTHON)")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --require-hashes -r requirements/dev.txt
	@touch $@

$(STAMP): $(VENV)/.pins pyproject.toml
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

test: lint
	$(BIN)/python -m pytest -n 4 $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# After an edit of requirements/*.in. Takes minutes: every file is hashed. UPGRADE=--upgrade takes the newest versions.
COMPILE = $(abspath $(BIN))/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options $(UPGRADE)
lock: $(STAMP)
	cd requirements && $(COMPILE) -o runtime.txt runtime.in && $(COMPILE) -o dev.txt dev.in

bench: $(STAMP)
	$(BIN)/keiyaku bench $(ARGS)

# Minutes each: purchases, purchases beside a flood of logins, the runs over bases of up to a million contracts.
bench-purchases: $(STAMP)
	$(BIN)/python -m bench.purchases $(ARGS)
	$(BIN)/python -m bench.flood

bench-base: $(STAMP)
	$(BIN)/python -m bench.base $(ARGS)

# Half an hour: a million contracts brought in, the runs of a month and of a year over them, and the API beside those.
bench-whole: $(STAMP)
	$(BIN)/python -m bench.whole $(ARGS)

demo: $(STAMP)
	$(BIN)/keiyaku demo $(ARGS)

docs: $(STAMP)
	$(BIN)/keiyaku diagrams

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
