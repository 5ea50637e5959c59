# Targets for people; `make` alone lists them. Everything real is an npm script.
SHELL := /bin/bash
.DEFAULT_GOAL := help
stamp := node_modules/.package-lock.json

.PHONY: help install demo test check bench bench-config chaos build generate format clean e2e e2e-install e2e-kind

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  \1|/' | column -t -s '|'

$(stamp): package.json package-lock.json
	npm ci
	@touch $(stamp)

install: $(stamp) ## Install what the project needs (Node 26 comes along)

demo: $(stamp) ## Run the example shop behind a gateway; ARGS=--check asserts instead
	npm run --silent demo -- $(ARGS)

test: $(stamp) ## Run the tests
	npm run --silent test -- $(ARGS)

check: $(stamp) ## Types, lint, import arrows, generated files, then the tests
	npm run --silent types
	npm run --silent lint
	npm run --silent imports
	npm run --silent generate:check
	npm run --silent test -- $(ARGS)

bench: $(stamp) ## Measure against other proxies; SCENARIO=plain runs one (h2, grpc, tls, websocket, uploads ...)
	npm run --silent bench

bench-config: $(stamp) build ## Measure changes of config on a real API server (Linux, Go, etcd); ARGS=--strict heeds the bars
	npm run --silent bench:config -- $(ARGS)

chaos: $(stamp) build ## Endpoints in trouble under load: does any request fail? SEED=N repeats a run, SECONDS=N shortens it
	npm run --silent chaos

build: $(stamp) ## Bundle the programs into dist/
	npm run --silent build

generate: $(stamp) ## Write CRDs, protobuf code and the reference from their sources
	npm run --silent generate

format: $(stamp) ## Format and fix lint
	npm run --silent format

clean: ## Remove what is built
	rm -rf dist

e2e-install: $(stamp) ## Install and build what e2e needs, once: 10 to 15 minutes (root, Debian, Go)
	e2e/cluster/install
	npx node e2e/cluster/main.ts prepare

# A run of everything is kept.
E2E_REPORT ?= $(if $(ARGS),,bench/results/e2e.md)

e2e: $(stamp) ## Run the suites on a real cluster (root, Linux, Go); E2E_KEEP=1 keeps it, ARGS=FILE picks
	E2E_REPORT=$(E2E_REPORT) npm run --silent e2e -- $(ARGS)

e2e-kind: $(stamp) ## Run the same suites on kind (Docker, kind, kubectl, helm)
	E2E_KIND=1 npm run --silent e2e -- $(ARGS)
