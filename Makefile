# Each target does all of its own set-up; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
ENV ?= demo
SCENARIO ?=
# One more than there are cores: what runs on the embedded AWS waits a good part of its time.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONDONTWRITEBYTECODE := 1
export CDK_DISABLE_CLI_TELEMETRY := true
CDK := node_modules/.bin/cdk

.PHONY: help setup demo demo-up demo-down test test-all judge lint format bench synth diff bootstrap \
	deploy destroy backfill redrive reviews thresholds notebook snapshots reference lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY) ## prepare the virtual environment, Node and the CDK command line

$(READY): requirements.txt requirements-dev.txt requirements-ml.txt constraints.txt \
		package-lock.json constructs/pyproject.toml constructs/sagelens/packages.py \
		$(wildcard constructs/sagelens/locks/*.txt) tools/setup.sh
	@tools/setup.sh "$(PYTHON)" "$(VENV)"
	@touch $@

demo: setup ## deploy onto an embedded AWS and show it at work (SCENARIO=name for one)
	@python -m rehearsal demo $(if $(SCENARIO),--scenario $(SCENARIO))

demo-up: setup ## the same deployment, left running for you to use
	@python -m rehearsal up

demo-down: setup ## stop what demo-up started
	@python -m rehearsal down

test: setup lint ## every check: lint, tests, judges
	@CDK_VALIDATION=false python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

judge: setup ## the security judges alone, on every environment's templates
	@CDK_VALIDATION=false python -m pytest tests/security

lint: setup ## ruff and pyright
	@ruff check . && ruff format --check . && node_modules/.bin/pyright

format: setup ## let ruff mend what it can
	@ruff check --fix . && ruff format .

bench: setup ## the performance figures, as ratios of one run
	@PYTHONPATH=lambda_src python -m tests.benchmarks

synth: setup ## write the templates of ENV to cdk.out
	@$(CDK) synth --quiet -c environment=$(ENV) && ls cdk.out/*.template.json

diff: setup ## what a deployment of ENV would change in your account
	@$(CDK) diff -c environment=$(ENV)

bootstrap: setup ## prepare your account and Region for the CDK, once
	@$(CDK) bootstrap -c environment=$(ENV)

deploy: setup ## deploy ENV to your account
	@$(CDK) deploy --all -c environment=$(ENV)

destroy: setup ## delete ENV's stacks from your account
	@$(CDK) destroy --all -c environment=$(ENV)

thresholds: setup ## choose bands from labelled examples (FILE=examples.csv ARGS="--recall 0.99")
	@python -m tools.thresholds $(FILE) $(ARGS)

reviews: setup ## list what waits for a person in ENV (then: python -m tools.reviews accept|reject)
	@python -m tools.reviews list --environment $(ENV)

backfill: setup ## count what ENV's backfill would analyse, and its cost (then: python -m tools.backfill start)
	@python -m tools.backfill start --dry-run --environment $(ENV)

redrive: setup ## send ENV's failed images and starts back to work in your account
	@python -m tools.redrive --environment $(ENV)

# An environment of its own: the SageMaker SDK brings about 1 GB, which nothing else needs.
notebook: .notebook/.ready ## prepare .notebook: JupyterLab and the SageMaker SDK for notebooks/

.notebook/.ready: requirements-notebook.txt
	@"$(PYTHON)" -m venv .notebook
	@.notebook/bin/python -m pip install --quiet -r requirements-notebook.txt
	@touch $@

snapshots: setup ## accept the templates as they are now, and write the tables of rights
	@CDK_VALIDATION=false python -m pytest tests/snapshots --snapshot-update
	@python -m tools.role_tables

reference: setup ## regenerate the configuration's schema and reference page
	@python -m config.reference

lock: setup ## resolve the requirements anew into constraints.txt
	@python -m pip install --quiet uv==0.13.9
	@uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate \
		--no-emit-package sagelens requirements.txt requirements-dev.txt requirements-ml.txt \
		-o constraints.txt
	@sed -i '1i # Every package that the requirements need in turn, pinned by `make lock`.' constraints.txt

clean: ## remove everything that was built
	@rm -rf $(VENV) .notebook node_modules cdk.out build
