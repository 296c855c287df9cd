# Every task by name; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
PACKAGES := service-kit frontend agenda-service c4p-service email-service consistency-job development-provider testkit embedded delivery
SERVICES := $(patsubst %/requirements.lock,%,$(wildcard */requirements.lock))
INSTALLED := .venv/.installed
ALONE := .local/alone
PYTEST := $(BIN)/python -m pytest
CONSUMER_TESTS := $(wildcard */tests/contract/test_*_service*.py)
# The first of them finds the platform as it was installed, the last installs it anew.
# By CLUSTER_TESTS alone, since it needs Argo Rollouts.
CLUSTER_ALONE := tests/cluster/test_rollouts.py
CLUSTER_FILES := $(filter-out $(CLUSTER_ALONE),$(sort $(wildcard tests/cluster/test_*.py)))
CLUSTER_FIRST := tests/cluster/test_install.py
CLUSTER_LAST := tests/cluster/test_documented_commands.py
CLUSTER_TESTS ?= $(CLUSTER_FIRST) $(filter-out $(CLUSTER_FIRST) $(CLUSTER_LAST),$(CLUSTER_FILES)) $(CLUSTER_LAST)
CONTAINER_TOOL ?= docker
REGISTRY ?= localhost:5001
SOURCE ?= unknown
# Asked for once, and only where it is needed.
VERSION ?= $(eval VERSION := $(shell $(BIN)/delivery snapshot))$(VERSION)
export PACT_DO_NOT_TRACK := true
export PYTHONDONTWRITEBYTECODE :=

##@ The two commands
.PHONY: up
up: $(INSTALLED) $(if $(filter 1,$(OBSERVE)),.venv/.prometheus) $(if $(filter keycloak,$(AUTH)),keycloak) ## Start the whole platform here and print its addresses; with OBSERVE=1 traces and metrics too
	@exec $(BIN)/conference-up

.PHONY: test
test: $(INSTALLED) .venv/.browser .venv/.prometheus ## Everything that needs no cluster
	@# Two at a time, since one alone leaves a core idle, and the longest first, so that none is left for
	@# the end; each starts what it needs on ports of its own.
	@$(MAKE) --no-print-directory --jobs 2 --output-sync test-resilience lint test-site test-services test-component \
		test-schemathesis test-charts test-observability test-load test-documentation test-integration test-contract test-unit
	@echo "All tests passed."

##@ Using it
.PHONY: keycloak
keycloak: $(INSTALLED) ## Install Keycloak, which needs Java 17, for `make up AUTH=keycloak` and `make test-keycloak`
	@$(BIN)/python -m embedded.install_keycloak

.PHONY: demo
demo: $(INSTALLED) ## Fill the running platform with 40 believable proposals
	@$(BIN)/conference-demo

.PHONY: reset
reset: $(INSTALLED) ## Forget the data of the embedded platform
	@$(BIN)/conference-reset

##@ Tests, one kind each
.PHONY: test-unit
test-unit: $(INSTALLED) ## The rules of each package, without I/O, under 10 s
	$(PYTEST) $(wildcard */tests/unit)

.PHONY: test-component
test-component: $(INSTALLED) ## What services share, and the embedded platform, on real PostgreSQL, Valkey and SMTP
	$(PYTEST) -n 2 --dist loadfile $(wildcard $(patsubst %,%/tests/component,$(filter-out $(SERVICES),$(PACKAGES))))

.PHONY: test-services
test-services: $(SERVICES:%=test-%) ## Every service alone, as test-service does it

ifneq ($(filter test-service,$(MAKECMDGOALS)),)
ifeq ($(filter $(SERVICE),$(SERVICES)),)
$(error SERVICE is one of $(SERVICES); '$(SERVICE)' is not)
endif
endif
.PHONY: test-service
test-service: $(ALONE)/$(SERVICE)/.installed ## The unit, component and contract tests of SERVICE, with nothing of the other services there
	$(<D)/bin/python -m pytest -n 2 --dist loadfile $(wildcard $(SERVICE)/tests/unit $(SERVICE)/tests/component $(SERVICE)/tests/contract)

# The same by the name of a service, for several at once.
.PHONY: $(SERVICES:%=test-%)
$(SERVICES:%=test-%): test-%:
	@$(MAKE) --no-print-directory test-service SERVICE=$*

.PHONY: test-contract
test-contract: $(INSTALLED) ## What consumers expect of providers is what the committed pacts say
	$(PYTEST) $(CONSUMER_TESTS) tests/contract

.PHONY: test-integration
test-integration: $(INSTALLED) ## What takes several services, and neither a browser nor faults
	$(PYTEST) tests/integration

.PHONY: test-schemathesis
test-schemathesis: $(INSTALLED) ## Generated requests against every OpenAPI description
	$(PYTEST) tests/openapi

.PHONY: test-acceptance
test-acceptance: $(INSTALLED) ## The users' stories through the public URL (BASE_URL names another platform)
	$(PYTEST) tests/acceptance

.PHONY: test-security
test-security: $(INSTALLED) ## Attacks through the public URL
	$(PYTEST) tests/security

.PHONY: test-browser
test-browser: $(INSTALLED) .venv/.browser ## The pages in a real browser, with axe, and without JavaScript
	$(PYTEST) -n 2 --dist worksteal tests/browser

.PHONY: test-site
test-site: $(INSTALLED) .venv/.browser ## The three tasks above at once, which share platforms
	$(PYTEST) -n 2 --dist worksteal tests/browser tests/acceptance tests/security

.PHONY: test-resilience
test-resilience: $(INSTALLED) ## Stop, freeze and kill each process; nothing is lost or doubled
	$(PYTEST) -n 2 --dist loadfile tests/resilience tests/torture

.PHONY: test-keycloak
test-keycloak: keycloak .venv/.browser ## Sign-in at a real Keycloak, in a real browser; needs Java 17
	$(PYTEST) tests/keycloak

.PHONY: test-documentation
test-documentation: $(INSTALLED) .venv/.prometheus ## The commands of README and docs, as they are written
	$(PYTEST) tests/documentation

.PHONY: test-load
test-load: $(INSTALLED) ## A short conference day by locust
	$(PYTEST) tests/load

.PHONY: torture
torture: $(INSTALLED) ## Kill and freeze everything at random for SECONDS (300), by SEED, and see that nothing is lost
	$(BIN)/python -m tests.torture.torture $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) $(if $(WRITE),--write $(WRITE))

.PHONY: test-observability
test-observability: $(INSTALLED) .venv/.prometheus ## Traces, logs, metrics, dashboards and alerts of a running platform
	$(PYTEST) tests/observability

.PHONY: test-charts
test-charts: $(INSTALLED) ## Render the charts: objects that Kubernetes knows, and refused values
	$(PYTEST) tests/charts

.PHONY: pacts
pacts: $(INSTALLED) ## Write the committed pact files anew
	$(PYTEST) $(CONSUMER_TESTS) --write-pacts

##@ On Kubernetes
.PHONY: images
images: $(if $(filter file,$(origin VERSION)),$(INSTALLED)) ## Build every image with CONTAINER_TOOL (docker) and push it to REGISTRY
	@image() { \
		name=$(REGISTRY)/conference/$$1:$(VERSION); shift; \
		$(CONTAINER_TOOL) build "$$@" --tag $$name --build-arg PIP_INDEX_URL \
			--build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) --build-arg SOURCE=$(SOURCE) .; \
		$(CONTAINER_TOOL) push $$name; \
	}; \
	for service in $(SERVICES); do image $$service --file Dockerfile --build-arg SERVICE=$$service; done; \
	image load --file tests/load/Dockerfile

.PHONY: deploy
deploy: images ## Install the platform on the cluster of KUBECONFIG, from here, and print its address (PUBLIC_URL)
	@environments/local/deploy $(REGISTRY) $(VERSION)

.PHONY: kind-up
kind-up: ## Make a cluster on this machine by KinD, deploy the platform, and print its address; needs Docker
	@environments/local/kind up
	@$(MAKE) --no-print-directory deploy

.PHONY: kind-down
kind-down: ## Remove that cluster with all of its data
	@environments/local/kind down

.PHONY: cluster-test
cluster-test: $(INSTALLED) ## Install, load, break and upgrade the platform on the cluster of KUBECONFIG, which answers at PUBLIC_URL
	@test -n "$${KUBECONFIG:-}" || { echo "make cluster-test needs KUBECONFIG, which names a cluster; make kind-up makes one, in ~/.kube/config." >&2; exit 1; }
	@$(MAKE) --no-print-directory images
	REGISTRY=$(REGISTRY) VERSION=$(VERSION) CONTAINER_TOOL=$(CONTAINER_TOOL) $(PYTEST) --capture=no $(CLUSTER_TESTS)

.PHONY: cluster-bench
cluster-bench: ## Measure the platform there, and write its part of docs/benchmarks.md
	@WRITE_BENCHMARKS=1 $(MAKE) --no-print-directory cluster-test CLUSTER_TESTS=tests/cluster/test_resources.py

##@ Keeping it good
.PHONY: lint
lint: $(INSTALLED) ## ruff, mypy strict, the import arrows, and the freshness of what is generated
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.check_repository
	$(BIN)/hadolint Dockerfile tests/load/Dockerfile
	$(BIN)/mypy conftest.py tests charts/conference
	@# Services' folders have files of the same names, which are one module to mypy: a run for each.
	@printf '%s\n' $(sort $(dir $(wildcard */tests/*.py */tests/*/*.py))) | \
		xargs -P 2 -I FOLDER sh -c '$(BIN)/mypy FOLDER/*.py || { echo "in FOLDER"; exit 1; }'

.PHONY: format
format: $(INSTALLED) ## Let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: docs
docs: $(INSTALLED) ## Write what is generated anew: pages, dashboards, the services' locks, the charts' READMEs and schemas
	$(BIN)/python -m tests.check_repository --write

.PHONY: screenshots
screenshots: $(INSTALLED) .venv/.browser ## Take the pictures of docs/pictures anew
	$(BIN)/python -m tests.browser.screenshots

.PHONY: bench
bench: $(INSTALLED) ## Measure, and write docs/benchmarks.md
	$(BIN)/python -m tests.bench.bench

.PHONY: audit
audit: $(INSTALLED) ## Ask for known vulnerabilities of every package in the lock
	@$(BIN)/python tests/audit.py

.PHONY: lock
lock: $(INSTALLED) ## Resolve every dependency anew into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-header \
		--no-annotate $(PACKAGES:%=--no-emit-package %) \
		--group dev $(PACKAGES:%=%/pyproject.toml) --output-file requirements.lock
	@$(MAKE) docs # once more, with what is installed then

.PHONY: clean
clean: ## Remove what was installed; the data of the embedded platform stays
	rm -rf .venv .local/prometheus .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: help
help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# make_venv FOLDER LOCK PACKAGES. uv itself comes from the lock, with its hash, so that nothing unpinned
# is ever installed.
define make_venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or later is needed, {sys.executable} is {sys.version.split()[0]}; name another with PYTHON=...")'
	@$(PYTHON) -m venv --clear $(1)
	@awk '/^uv==/ {p = 1} p {print} p && !/\\$$/ {exit}' $(2) > $(1)/uv.txt
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(1)/uv.txt
	@VIRTUAL_ENV=$(1) $(1)/bin/uv pip sync --quiet --require-hashes $(2)
	@VIRTUAL_ENV=$(1) $(1)/bin/uv pip install --quiet --no-deps --no-build-isolation $(3:%=--editable %)
	@touch $@
endef

$(INSTALLED): requirements.lock $(PACKAGES:%=%/pyproject.toml)
	$(call make_venv,.venv,$<,$(PACKAGES))

$(ALONE)/%/.installed: %/requirements-test.lock %/pyproject.toml service-kit/pyproject.toml testkit/pyproject.toml
	$(call make_venv,$(@D),$<,service-kit testkit $*)

.venv/.prometheus: $(INSTALLED)
	@$(BIN)/python -m embedded.prometheus
	@touch $@

.venv/.browser: $(INSTALLED)
	@$(BIN)/python tests/browser/install_browser.py
	@touch $@
