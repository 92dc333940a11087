# Two commands: `make gate` runs the main job, `make test` passes the tests. Both set everything up first, once.
# ARGS passes arguments on: make gate ARGS="AnswerLost --build incident"

PYTHON ?= python3
ARGS ?=
WORKERS ?= -n 3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup gate nightly test compose-test lint proof bench readme clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready  ## set everything up (done by the others when it is needed)

$(VENV)/.ready: requirements.lock pyproject.toml .ci/setup.sh .ci/go.lock .ci/schemas.lock
	@PYTHON="$(PYTHON)" sh .ci/setup.sh "$(VENV)"
	@touch $@

gate: setup  ## run the main job, judge it, exit with the verdict's code
	@$(BIN)/harness gate $(ARGS)

nightly: setup  ## run every scenario in turn, under one verdict
	@$(BIN)/harness gate --all $(ARGS)

test: setup  ## pass the tests (about 12 minutes on two slow cores); WORKERS= for one process, as with --pdb or -s
	@$(BIN)/python -m pytest $(WORKERS) --durations=15 --durations-min=2 $(ARGS)

lint: setup  ## ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

compose-test: setup  ## the stack in containers, with the Docker that is there, else with the lab's (as root)
	@bash compose/lab/with_engine.sh $(BIN)/python -m pytest tests/compose -m containers -s -x $(ARGS)

proof: setup  ## what takes longer: every defect three times, ten seeds of the fixed build; goes on where it stopped
	@$(BIN)/python -m tests.proof $(ARGS)

bench: setup  ## measure a large run's page, and what it costs to watch a run (about six minutes)
	@$(BIN)/python -m tests.report.bench
	@$(BIN)/python -m tests.live.bench $(ARGS)

readme: setup  ## write the parts of README.md that come from the code
	@$(BIN)/python -m tests.readme

clean:  ## remove what set-up and runs left
	rm -rf $(VENV) runs .harness .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
