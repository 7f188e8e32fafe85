# Two commands do everything on a machine with git, make and Python 3.11+: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAM_VENV := .venv-sam
AUDIT_VENV := .venv-audit
UV = $(BIN)/uv
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade
ENVIRONMENT = requirements/environment.py

export SAM_CLI_TELEMETRY := 0
export AWS_EC2_METADATA_DISABLED := true
export AWS_DEFAULT_REGION ?= us-east-1
# Without bytecode every process would compile what it imports, for several seconds each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-unit coverage fuzz agreement bench load soak audit lint format build build-host lock clean FORCE

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## Make .venv with the library, the command line and the development tools

$(VENV)/.ready: requirements/dev.txt requirements/uv.txt requirements/environment.py pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "auditwire needs Python 3.11 or later, this is " + sys.version.split()[0] + ": make PYTHON=python3.13 ...")'
	@echo "Making $(VENV) (once; some 20 seconds)"
	@$(PYTHON) $(ENVIRONMENT) $(VENV) requirements/dev.txt --project .
	@touch $@

$(SAM_VENV)/.ready: requirements/sam.txt requirements/uv.txt
	@echo "Making $(SAM_VENV) for aws-sam-cli (once; some 20 seconds)"
	@$(PYTHON) $(ENVIRONMENT) $(SAM_VENV) requirements/sam.txt
	@touch $@

demo: setup ## Run the whole system on this machine and send sample traffic through it
	@$(BIN)/auditwire dev --demo

# Pages are tested in a real browser where there is one.
CHROMIUM := $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))
BROWSER = $(if $(CHROMIUM),$(VENV)/.browser)

test: setup $(BROWSER) lint build build-host ## Everything: style, types, template, unit, conformance, integration, end-to-end
	@$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

test-unit: setup ## The fast part: unit and conformance tests without the slow ones
	@$(BIN)/pytest -q -m 'not slow' --hypothesis-profile=fast tests/unit tests/conformance

coverage: setup $(VENV)/.coverage ## Which lines and branches the tests reach; writes build/coverage/ (minutes)
	@$(BIN)/pytest -q -n auto --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered --cov-report=html tests/unit tests/conformance tests/integration

$(VENV)/.coverage: requirements/coverage.txt $(VENV)/.ready
	@$(PYTHON) $(ENVIRONMENT) $(VENV) requirements/coverage.txt
	@touch $@

$(VENV)/.browser: requirements/browser.txt $(VENV)/.ready
	@$(PYTHON) $(ENVIRONMENT) $(VENV) requirements/browser.txt
	@touch $@

MINUTES ?= 5
fuzz: setup ## Try odd inputs on everything that reads what others wrote, for MINUTES=5
	@$(BIN)/python -m fuzz --minutes $(MINUTES)

bench: setup $(VENV)/.bench ## Measure everything docs/performance.md says, as ratios (minutes; on a quiet machine)
	@$(BIN)/python benchmarks/bench.py

$(VENV)/.bench: requirements/bench.txt $(VENV)/.ready
	@$(PYTHON) $(ENVIRONMENT) $(VENV) requirements/bench.txt
	@touch $@

CASES ?= 100000
agreement: setup ## Compare all ways to decide with the reference on CASES=100000 generated cases
	@$(BIN)/python tests/agreement.py --cases $(CASES)

load: setup ## Many senders at once, some of them wrong; balanced to the last event (half a minute)
	@$(BIN)/python benchmarks/load.py

soak: setup ## 200,000 events; nothing gets lost and the memory of ingest stays flat (a few minutes)
	@$(BIN)/python benchmarks/soak.py

$(AUDIT_VENV)/.ready: requirements/audit.txt requirements/uv.txt
	@$(PYTHON) $(ENVIRONMENT) $(AUDIT_VENV) requirements/audit.txt
	@touch $@

# Asks the vulnerability service of pypi.org, so it is no part of `make test`: that needs nothing but package downloads.
# Fails where the service cannot be asked, unless AUDIT_FLAGS=--unreachable-is-ok.
audit: $(AUDIT_VENV)/.ready ## Known vulnerabilities of the locked packages (asks pypi.org)
	@$(AUDIT_VENV)/bin/python requirements/audit.py $(AUDIT_FLAGS)

lint: setup ## ruff, mypy --strict, cfn-lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/cfn-lint template.yaml

format: setup ## Let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

build: .aws-sam/build/template.yaml ## sam build, without Docker: the artefacts that `sam deploy` uploads

# Written anew only when something that the build reads has changed.
build/.inputs: FORCE | setup
	@$(BIN)/python layers/auditwire/build.py inputs $@

.aws-sam/build/template.yaml: build/.inputs $(SAM_VENV)/.ready
	@$(SAM_VENV)/bin/sam build
	@find .aws-sam/build/AuditwireLayer -name '*.pyc' | grep -q . || \
		echo "No python3.13 runs here, which alone can write the layer's bytecode: cold starts will be slower."

# The same makefile targets for this machine: what the tests run in the real Lambda runtime client.
build-host: build/host/.ready ## The artefacts once more, for this machine's processor and Python

build/host/.ready: build/.inputs requirements/runtime.txt
	@$(BIN)/python layers/auditwire/build.py host build/host
	@touch $@

lock: setup ## Renew every lock file to the latest versions
	@$(LOCK) requirements/uv.in --output-file requirements/uv.txt
	@$(LOCK) requirements/dev.in --output-file requirements/dev.txt
	@$(LOCK) --constraint requirements/dev.txt layers/auditwire/requirements.in --output-file layers/auditwire/requirements.txt
	@$(LOCK) --constraint requirements/dev.txt layers/search/requirements.in --output-file layers/search/requirements.txt
	@$(LOCK) --constraint requirements/dev.txt layers/console/requirements.in --output-file layers/console/requirements.txt
	@$(LOCK) --constraint requirements/dev.txt requirements/runtime.in --output-file requirements/runtime.txt
	@$(LOCK) --constraint requirements/dev.txt requirements/bench.in --output-file requirements/bench.txt
	@$(LOCK) --constraint requirements/dev.txt requirements/coverage.in --output-file requirements/coverage.txt
	@$(LOCK) --constraint requirements/dev.txt requirements/browser.in --output-file requirements/browser.txt
	@$(LOCK) requirements/sam.in --output-file requirements/sam.txt
	@$(LOCK) requirements/audit.in --output-file requirements/audit.txt

clean: ## Remove everything that was made
	@rm -rf $(VENV) $(SAM_VENV) $(AUDIT_VENV) .aws-sam build .mypy_cache .ruff_cache .pytest_cache .hypothesis
