# Everything happens in a virtual environment of its own; `make` alone shows the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Local mirrors may be configured as package sources that lack some packages; pip says so for each.
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# Two processes, a file of tests at a time in each, in the order of tests/conftest.py. Compiled files are kept, as there
# are many short processes.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup run test collect quick mutants fuzz floors lint format picture bench clean

help: ## show the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.tools ## make the virtual environment, with the tools for tests and linters

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("gdfit needs Python 3.11 or newer; try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml | $(BIN)/python
	$(PIP) install --editable .
	@touch $@

# Compiled when it is first imported: most of it never is.
$(VENV)/.tools: pyproject.toml tests/constraints.txt | $(BIN)/python
	$(PIP) install --no-compile --constraint tests/constraints.txt --editable '.[dev]'
	@touch $(VENV)/.core $@

run: $(VENV)/.core ## fit the sample data (sets up gdfit alone)
	$(BIN)/gdfit sample_data/housing.csv --target price --lr 0.01
	@printf '\nYour own file:\n  $(BIN)/gdfit FILE.csv --target COLUMN --lr auto\n'

test: setup ## run the tests
	$(PYTEST)

collect: setup ## see that every test can be imported, and keep what Python makes of their files
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --collect-only -q >$(VENV)/collected || { cat $(VENV)/collected; exit 1; }

quick: setup ## run the tests that take no longer than a thought
	$(PYTEST) -x tests/base tests/engine tests/report tests/models tests/test_house.py \
	    --ignore tests/engine/test_momentum_forecast.py --ignore tests/engine/test_descents.py

mutants: setup ## plant small faults one at a time and see the tests find them (ARGS='--only qr')
	$(BIN)/python tests/mutants/run.py $(ARGS)

fuzz: setup ## thousands of damaged files and odd options (ARGS='--cases 1000 --seed 7')
	$(BIN)/python tests/fuzz/run.py $(ARGS)

floors: ## the tests of reading and of the command line with the oldest packages allowed
	$(PYTHON) -m venv .floors
	.floors/bin/python -m pip --quiet --disable-pip-version-check install --no-compile --requirement tests/floors.txt
	PYTHONDONTWRITEBYTECODE= .floors/bin/python -m pytest tests/data/test_cells.py tests/data/test_frames.py tests/cli/test_options.py

lint: setup ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## let ruff rewrite the layout
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

picture: setup ## draw the picture of README.md anew
	$(BIN)/python tests/picture.py

bench: setup ## measure against rivals (ROWS=10000000 for the large table too)
	$(BIN)/python tests/benchmarks/run.py $(ARGS)

clean: ## remove what make made
	rm -rf $(VENV) .floors .bench .fuzz build dist man *.egg-info .mypy_cache .ruff_cache .pytest_cache
