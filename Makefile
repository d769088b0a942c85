# Two commands to know: make learn, make test. make help lists the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# Any Python from 3.11 on. The environments are made from it.
PYTHON ?= python3
# auto (uv, and pip where uv does not get through), uv or pip.
INSTALL ?= auto
PORT ?= 8888
# Test processes at a time, and what to pass on to pytest.
JOBS ?= 2
ARGS ?=

export INSTALL
SET_UP = @$(PYTHON) tools/environment.py
LEARNER = .venv/bin/python
GRADING = .venv-grading/bin/python
AUTOGRADER = .venv-grading/bin/autograder
# nbgrader starts the command alembic, which lies beside the interpreter.
IN_GRADING = @PATH="$(CURDIR)/.venv-grading/bin:$$PATH"
PYTEST = $(IN_GRADING) $(GRADING) -m pytest -n $(JOBS)

# What has a command of its own.
SLOW = tests/batch tests/compat tests/differential tests/hostile

.PHONY: help
help: ## list these commands
	@echo "Usage: make COMMAND"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | \
	  awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'
	@echo
	@echo "make learn takes PORT=8889 and NO_BROWSER=1; make test takes ARGS='-k grading'."
	@echo "Every command takes PYTHON=/path/to/python3 and INSTALL=pip (no uv)."
	@echo "Next: make learn opens the course."

.PHONY: learn
learn: ## open the course in JupyterLab (your copy of it lies in work/)
	$(SET_UP) learner
	@$(LEARNER) tools/learn.py --port $(PORT)

.PHONY: practice
practice: ## grade your own answers: make practice A=05-grading
ifndef A
	@echo "Which assignment? For example: make practice A=05-grading"; exit 2
else
	$(SET_UP) grading
	$(IN_GRADING) $(AUTOGRADER) practice $(A)
endif

.PHONY: demo
demo: ## the instructor's whole round trip, in a temporary folder; A=06-treatment for another
	$(SET_UP) grading
	$(IN_GRADING) $(AUTOGRADER) demo $(A)

.PHONY: release
release: ## rebuild release/ from source/
	$(SET_UP) grading
	$(IN_GRADING) $(AUTOGRADER) release

.PHONY: models
models: ## rebuild the models' SBML from their equations
	$(SET_UP) dev
	@$(GRADING) tools/build_models.py

.PHONY: cohort
cohort: ## rebuild the SYNTHETIC cohort, and the page that holds it against published figures
	$(SET_UP) dev
	@$(GRADING) tools/build_cohort.py
	@$(GRADING) tools/calibration.py

.PHONY: test
test: ## set everything up and run every check that is not slow
	$(SET_UP) learner dev
	@echo "Running the checks, $(JOBS) at a time (about twenty minutes)"
	$(PYTEST) $(SLOW:%=--ignore %) $(ARGS)
	@echo "Next: make batches, make differential, make hostile and make compat run the slow ones."

.PHONY: batches
batches: ## slow checks: a class graded at once, killed, on a cluster, on PostgreSQL
	$(SET_UP) learner dev
	$(PYTEST) tests/batch $(ARGS)

.PHONY: differential
differential: ## slow checks: honest answers of many kinds, under the seal and without it
	$(SET_UP) learner dev
	$(PYTEST) tests/differential $(ARGS)

.PHONY: hostile
hostile: ## slow checks: submissions that cheat, attack or are broken
	$(SET_UP) learner dev
	$(PYTEST) tests/hostile $(ARGS)

.PHONY: compat
compat: ## slow checks: nbgrader's own tests as they are, and under the seal
	$(SET_UP) learner dev
	$(PYTEST) tests/compat
	$(IN_GRADING) $(GRADING) tools/compat.py --jobs $(JOBS) $(ARGS)

.PHONY: lint
lint: ## format, lint and types: what the code itself must hold
	$(SET_UP) dev
	@echo "Checking format and style (ruff)"
	@$(GRADING) -m ruff format --check .
	@$(GRADING) -m ruff check .
	@echo "Checking types (mypy)"
	@$(GRADING) tools/check_types.py
	@echo "All clean. Next: make test runs every check."

.PHONY: format
format: ## rewrite code and notebooks in the house's form
	$(SET_UP) dev
	@$(GRADING) tools/strip_notebooks.py
	@$(GRADING) -m ruff format .
	@$(GRADING) -m ruff check --fix .
	@echo "Next: git diff shows what changed; make lint checks the rest."

.PHONY: bench
bench: ## measure: simulator, slider to figure, imports, lessons, set-up, grading
	$(SET_UP) learner dev
	$(IN_GRADING) $(GRADING) tools/bench.py $(ARGS)

.PHONY: lock
lock: ## refresh the pinned requirements
	@$(PYTHON) tools/lock.py
	@echo "Next: git diff --stat requirements shows what moved; make test tries it."

.PHONY: clean
clean: ## remove the environments and caches (never work/)
	@echo "Removing .venv, .venv-grading, .bootstrap and caches; work/ stays"
	@rm -rf .venv .venv-grading .bootstrap .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find course autograder source tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Next: make learn or make test sets up again."
