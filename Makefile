# One entry for everything a person does here; `make help` lists it. The work is in scripts/.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run build ui test test-rust test-ui test-e2e check bench fuzz chaos conformance doctor fmt demo-load

PROFILE ?= release
FUZZ_S ?= 60
ROUNDS ?= 40
RECORDS ?= 1000000
SUITE ?=
SECONDS ?= 60
FILES ?=

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## build, start a collector and an agent here, say how to log in and send (FILES='/var/log/*.log')
	@scripts/doctor.sh --fix --for run
	@$(MAKE) --no-print-directory build
	@PROFILE=$(PROFILE) FILES='$(FILES)' scripts/run.sh

build: ui ## the UI and both binaries (PROFILE=release or dev)
	@cargo build --locked --profile $(PROFILE) -p narrows-collector -p narrows-agent

ui: ## the web UI into ui/dist, only when its sources changed
	@scripts/build-ui.sh

test: ## every test: Rust, UI, the real programs in a real browser
	@scripts/doctor.sh --fix --for test
	@$(MAKE) --no-print-directory ui test-rust test-ui test-e2e

test-rust: ## the Rust tests alone
	@scripts/test-rust.sh

test-ui: ## the UI's own tests alone, in Chromium too
	@cd ui && npm run --silent test && npm run --silent test:browser

test-e2e: ## the real programs, driven by Chromium and by the Python OpenTelemetry SDK
	@scripts/e2e.sh

check: ## formatting, lints, licences, types
	@scripts/check.sh

fmt: ## format everything
	@cargo fmt --all
	@cd ui && npx --no-install biome check --write .

bench: ## workload L through the real collector (RECORDS=n or n,m for the slope), then the agent at 10,000 lines/s and idle
	@scripts/bench.sh $(RECORDS)

fuzz: ## every decoder and the query parser for FUZZ_S seconds in all
	@fuzz/run.sh $(FUZZ_S)

chaos: ## kill the real programs ROUNDS times under load; counts lost and doubled
	@cargo build --locked --release -p narrows-collector -p narrows-agent -p narrows-bench
	@scripts/bench-bin.sh chaos --rounds $(ROUNDS)

conformance: ## the suites of CONFORMANCE_DATA (SUITE=name for one)
	@scripts/conformance.sh $(SUITE)

demo-load: ## make this host busy for SECONDS, so that its pressure shows
	@scripts/demo-load.sh $(SECONDS)

doctor: ## what this machine lacks
	@scripts/doctor.sh
