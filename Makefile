# Two commands for everybody: `make bench` and `make test`. Both do their own set-up.

PYTHON ?= python3
VENV := .venv/bin/python

.PHONY: bench test lint aa cost setup setup-dev

bench: setup ## measure on servers of our own, and show the answer
	@$(VENV) -m ormbench servers fetch mariadb || true
	@$(VENV) -m ormbench run $(ARGS)

test: setup-dev ## the pure parts and the embedded server
	@$(VENV) -m pytest -n 2 --dist loadfile $(ARGS)

lint: setup-dev ## ruff and mypy
	@$(VENV) -m ruff check . && $(VENV) -m ruff format --check . && $(VENV) -m mypy

aa: setup ## a hundred comparisons of identical lanes: how many are called different?
	@$(VENV) -m ormbench run aa $(ARGS)

cost: setup ## what harness and relay add to an operation, and what they need in memory
	@$(VENV) tests/benchmarks/loop_cost.py && $(VENV) tests/benchmarks/raw_cost.py \
	&& $(VENV) tests/benchmarks/memory.py && $(VENV) tests/benchmarks/relay_cost.py

setup:
	@$(PYTHON) .ci/setup.py

setup-dev:
	@$(PYTHON) .ci/setup.py dev
