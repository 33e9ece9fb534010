# The ways in: `make` lists them. Each does its own set-up.
.DEFAULT_GOAL := help
.PHONY: help demo test test-all dist lock clean setup checks
bin := .venv/bin
JOBS ?= 2
export PYTHON

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' Makefile

demo: ## characterise the example LDO in simulation and on a simulated bench, and compare both
	@sh scripts/setup.sh run ngspice
	@sh scripts/demo.sh

test: checks ## format, lint, types, import contract, tests with coverage (in CI nothing is skipped)
	$(bin)/coverage erase
	$(bin)/coverage run -m pytest -n $(JOBS) -m "not slow"
	$(bin)/coverage combine --quiet
	@rm -f .coverage.* # what processes left behind that tests killed
	$(bin)/coverage report --fail-under=90
	$(bin)/coverage report --include='src/simorc/core/*' --fail-under=100

test-all: test ## the same and the long tests
	$(bin)/python -m pytest -n $(JOBS) -m slow

checks: setup
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports --no-logo

setup:
	@sh scripts/setup.sh dev

dist: setup ## sdist and wheel in dist/, tried in an empty environment elsewhere
	rm -rf dist
	$(bin)/python -m build --no-isolation
	$(bin)/python scripts/try_dist.py dist

lock: setup ## write requirements/*.lock again; newer versions by: make lock ARGS=--upgrade
	sh scripts/lock.sh $(ARGS)

clean: ## delete what the targets above made; runs stay
	rm -rf .venv dist build .coverage .coverage.* .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks testbenches -name __pycache__ -type d -prune -exec rm -rf {} +
