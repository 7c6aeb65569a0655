PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAM_VENV := .venv-sam
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help install demo dev test lint types imports sam clean
.DEFAULT_GOAL := help

help:  ## what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# The venv is made in a step of its own, so that an install that broke off is taken up again.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Nightjar runs on (about a minute) …"
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing what its tests need …"
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	@touch $@

$(SAM_VENV)/.made: requirements-sam.txt
	$(PYTHON) -m venv $(SAM_VENV)
	$(SAM_VENV)/bin/pip install --quiet --requirement requirements-sam.txt
	@touch $@

install: $(VENV)/.dev  ## make .venv with everything in it

demo: $(VENV)/.run  ## a day of jobs, four alerts, two Slack channels: watch the product do its main job
	$(BIN)/python -m scripts.demo

dev: $(VENV)/.run  ## a running system on this machine, on its own clock
	$(BIN)/nightjar dev

test: $(VENV)/.dev  ## the whole test suite
	$(BIN)/python -m pytest

lint: $(VENV)/.dev  ## ruff
	$(BIN)/ruff check .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy layers/nightjar/nightjar functions local

imports: $(VENV)/.dev  ## who may import whom
	$(BIN)/lint-imports

sam: $(SAM_VENV)/.made  ## sam validate --lint
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 $(SAM_VENV)/bin/sam validate --lint

clean:  ## remove what was made here
	rm -rf $(VENV) $(SAM_VENV) .aws-sam .hypothesis .mypy_cache .ruff_cache
