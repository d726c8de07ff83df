# What a person types. `make` alone lists it. .ci/run and GitHub call the same targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
INSTALLED := .venv/.installed
LOCK_TOOL := .cache/lock-tool
AWS_SERVER := .cache/ministack
CDK := .cache/cdk
AWS_TOOLS := .cache/aws-tools
TEMPLATES := .cache/cdk.out
STACK := sluice-data
SPARK := .cache/spark
PIP_COMPILE = $(LOCK_TOOL)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-emit-find-links --no-header --no-annotate

##@ Use
.PHONY: demo up spark spark-package
demo: $(INSTALLED) ## generate a landing zone, run everything through Dagster, show the result
	$(BIN)/sluice demo $(ARGS)

up: $(INSTALLED) ## start the web server and the daemon; files dropped into the landing folder become rows
	$(BIN)/sluice up $(ARGS)

spark: $(INSTALLED) $(SPARK)/.installed ## install Spark, for datasets whose contract has it build large partitions

spark-package: $(INSTALLED) ## write what Spark jobs on AWS need to .cache/spark-package (docs/spark.md)
	$(BIN)/python deploy/spark/package.py .cache/spark-package

##@ Work on it
.PHONY: install test test-long test-daemon test-chaos test-aws test-spark test-browser check lint format types rooms locks-in-step bench synth aws-environment verify-e2e
install: $(INSTALLED) ## create .venv (PYTHON=python3.12 make install picks the interpreter)

test: $(INSTALLED) ## the fast suite, in parallel (ARGS="-k late" narrows it)
	$(BIN)/pytest -n auto --dist loadfile $(ARGS)

test-long: $(INSTALLED) ## tests of many whole runs each
	$(BIN)/pytest -n auto --dist loadgroup -m long $(ARGS)

test-daemon: $(INSTALLED) ## tests against a real web server and daemon
	$(BIN)/pytest -n 3 --dist loadgroup -m daemon tests/end_to_end $(ARGS)

test-chaos: $(INSTALLED) ## kills and faults at random under a real daemon (ARGS="--seed 7" repeats a seed)
	$(BIN)/pytest -n 2 -m chaos tests/chaos $(ARGS)

test-aws: $(INSTALLED) $(AWS_SERVER)/.installed $(CDK)/.installed $(AWS_TOOLS)/.installed ## tests against a server with the APIs of AWS, on this machine
	$(BIN)/pytest -n 2 --dist loadgroup -m aws $(ARGS)

test-spark: $(INSTALLED) $(SPARK)/.installed $(AWS_SERVER)/.installed ## tests with a real Spark on two cores (Java 17: openjdk-17-jre-headless)
	$(BIN)/pytest -n 2 --dist loadgroup -m spark $(ARGS)

test-browser: $(INSTALLED) ## tests that drive a real browser (Debian: apt-get install chromium)
	$(BIN)/pytest -m browser tests/end_to_end $(ARGS)

check: lint format types rooms locks-in-step ## everything a tool can judge; `make -k check` shows all of it

lint: $(INSTALLED)
	$(BIN)/ruff check .

format: $(INSTALLED)
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

rooms: $(INSTALLED)
	$(BIN)/lint-imports --cache-dir .cache/import-linter

locks-in-step: $(INSTALLED)
	$(BIN)/python .ci/locks.py check

synth: $(CDK)/.installed $(AWS_TOOLS)/.installed ## write CloudFormation templates into .cache/cdk.out and lint them (CONTEXT='{"services": false}')
	rm -rf $(TEMPLATES)
	CDK_CONTEXT_JSON='$(CONTEXT)' CDK_OUTDIR=$(TEMPLATES) JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20 \
	  $(CDK)/bin/python -m deploy.aws.app
	$(AWS_TOOLS)/bin/cfn-lint $(TEMPLATES)/*.template.json

aws-environment: $(INSTALLED) ## print the settings of a deployed stack for a shell (STACK=sluice-data)
	@$(BIN)/python -m deploy.aws.environment $(STACK)

verify-e2e: $(INSTALLED) ## land files in a deployed stack, wait for their events, ask the table (ARGS=--services)
	$(BIN)/python -m deploy.aws.verify $(STACK) $(ARGS)

bench: $(INSTALLED) ## measure against references; ends with one table (ARGS=--quick; ARGS="idle gates" runs these two)
	$(BIN)/python -m bench.everything $(ARGS)

##@ Keep it
.PHONY: lock clean help
lock: $(INSTALLED) ## pin the dependencies of pyproject.toml anew (ARGS=--upgrade takes the newest)
	test -x $(LOCK_TOOL)/bin/uv || { $(BIN)/python -m venv $(LOCK_TOOL); $(LOCK_TOOL)/bin/pip install --quiet uv; }
	$(PIP_COMPILE) pyproject.toml --output-file requirements.lock $(ARGS)
	$(PIP_COMPILE) pyproject.toml --output-file requirements-dev.lock --extra dev $(ARGS)
	$(PIP_COMPILE) deploy/aws/requirements-ministack.in --output-file deploy/aws/requirements-ministack.lock $(ARGS)
	$(PIP_COMPILE) deploy/aws/requirements-cdk.in --output-file deploy/aws/requirements-cdk.lock $(ARGS)
	$(PIP_COMPILE) deploy/aws/requirements-tools.in --output-file deploy/aws/requirements-tools.lock $(ARGS)
	$(PIP_COMPILE) --no-deps deploy/aws/requirements-image.in --output-file deploy/aws/requirements-image.lock $(ARGS)
	$(PIP_COMPILE) deploy/spark/requirements.in --constraint requirements.lock \
		--output-file deploy/spark/requirements.lock $(ARGS)
	$(PIP_COMPILE) - --output-file bench/requirements-dlt.lock $(ARGS) <<< 'dlt[parquet]'
	$(BIN)/python .ci/locks.py stamp

clean: ## remove caches and build products; .venv and the data in .sluice stay
	rm -rf .cache .hypothesis build *.egg-info
	find sluice resources pipeline_assets sensors tests bench .ci -name __pycache__ -type d -prune -exec rm -rf {} +

help:
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# In environments of their own: they pin other versions of what Sluice uses.
$(AWS_SERVER)/.installed: deploy/aws/requirements-ministack.lock
$(CDK)/.installed: deploy/aws/requirements-cdk.lock
$(AWS_TOOLS)/.installed: deploy/aws/requirements-tools.lock
$(AWS_SERVER)/.installed $(CDK)/.installed $(AWS_TOOLS)/.installed: | $(INSTALLED)
	rm -rf $(@D)
	$(BIN)/python -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

# In an environment of its own: it is large, and most datasets never need it.
$(SPARK)/.installed: deploy/spark/requirements.lock
	rm -rf $(SPARK)
	$(BIN)/python -m venv $(SPARK)
	$(SPARK)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

$(INSTALLED): requirements-dev.lock pyproject.toml
	PYTHON="$(PYTHON)" .ci/install
	touch $@
