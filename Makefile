# One entry for everything a person does here; `make help` lists it. The work is in scripts/.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run build programs sample ui test test-rust test-ui test-e2e check bench bench-metrics bench-rules bench-traces fuzz chaos conformance accuracy doctor fmt demo demo-suite demo-load

PROFILE ?= release
FUZZ_S ?= 60
ROUNDS ?= 40
RECORDS ?= 1000000
SERIES ?= 20000,100000
SCRAPES ?= 480
PEERS ?= narrows,victoria-metrics,prometheus
SUITE ?=
LOAD_S ?= 60
SEEDS ?= 20
WRITE ?=
FILES ?=
FAULT ?=
ONLY ?=

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

run: ## build, start a collector and an agent here, say how to log in and send (FILES='/var/log/*.log')
	@scripts/doctor.sh --fix --for run
	@$(MAKE) --no-print-directory build
	@PROFILE=$(PROFILE) FILES='$(FILES)' scripts/run.sh

build: ui programs ## the UI and both binaries (PROFILE=release or dev)

programs: ## both binaries, with the UI that is in ui/dist
	@cargo build --locked --profile $(PROFILE) -p narrows-collector -p narrows-agent

sample: ## a small service that sends spans
	@cargo build --locked --profile $(PROFILE) -p narrows-collector --example emit_spans

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

check: ## formatting, lints, licences, types, containers and units
	@scripts/check.sh

fmt: ## format everything
	@cargo fmt --all
	@cd ui && npx --no-install biome check --write .

bench: ## workload L through the real collector (RECORDS=n or n,m for the slope), then the agent at 10,000 lines/s and idle
	@scripts/bench.sh logs $(RECORDS)

bench-traces: ## workload T through the real collector: CPU, bytes, memory, a trace by id and a search
	@scripts/bench.sh traces

bench-metrics: ## workload M beside Debian's victoria-metrics and prometheus (SERIES=20000,100000 SCRAPES=480 PEERS=…), then a cardinality bomb
	@SERIES=$(SERIES) SCRAPES=$(SCRAPES) PEERS=$(PEERS) scripts/bench.sh metrics
	@scripts/bench.sh bomb

bench-rules: ## 2,000 rules over 200,000 series beside Debian's prometheus: CPU, lag, memory, and whether the answers agree
	@scripts/bench.sh rules

fuzz: ## every decoder and the query parser for FUZZ_S seconds in all
	@fuzz/run.sh $(FUZZ_S)

chaos: ## kill the real programs ROUNDS times under load; counts lost and doubled
	@cargo build --locked --release -p narrows-collector -p narrows-agent -p narrows-bench
	@scripts/bench-bin.sh chaos --rounds $(ROUNDS)

conformance: ## the suites of CONFORMANCE_DATA (SUITE=name for one)
	@scripts/conformance.sh $(SUITE)

demo: ## a shop on real servers, watched by a collector and an agent (FAULT=missing_index: what goes wrong after 3 minutes)
	@scripts/doctor.sh --fix --for demo
	@$(MAKE) --no-print-directory build
	@cargo build --locked --profile $(PROFILE) -p narrows-demo
	@PROFILE=$(PROFILE) FAULT='$(FAULT)' scripts/demo.sh

demo-suite: ## every fault three times on one shop, quiet runs, a deploy, more traffic; what was said about each (ONLY='lock quiet')
	@cargo build --locked --profile $(PROFILE) -p narrows-collector -p narrows-agent -p narrows-demo
	@PROFILE=$(PROFILE) ONLY='$(ONLY)' scripts/demo-suite.sh

accuracy: ## how often the bottleneck analysis is right, by set (SUITE=name for one, SEEDS=n, WRITE=1 into docs/accuracy.md)
	@scripts/accuracy.sh $(SUITE) --seeds $(SEEDS) $(if $(WRITE),--write docs/accuracy.md)

demo-load: ## make this host busy for LOAD_S seconds, so that its pressure shows
	@scripts/demo-load.sh $(LOAD_S)

doctor: ## what this machine lacks
	@scripts/doctor.sh
