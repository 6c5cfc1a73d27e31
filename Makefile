# Everything starts from here; `make` alone lists it. Each target sets up and compiles what it needs first.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# Hundreds of processes import the same packages: what Python compiles of them is kept, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

# Tests run in this many processes, each with an Anvil of its own: one more than CI has cores, since flows wait for blocks.
WORKERS ?= 3
# Restrict a run: make test-unit K=mint
K ?=
PYTEST := .venv/bin/pytest $(if $(K),-k "$(K)")

TOOLS := .venv/.linked
SOLHINT := node node_modules/solhint/solhint.js

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' Makefile

# -- set-up: stamps keep it from being done twice ------------------------------------------------

.PHONY: setup
setup: $(TOOLS) ## install Python and Node packages, compiler, Anvil and forge from the lock files

.venv/.uv: tools/venv.sh
	@sh tools/venv.sh

# PyPI has no pyrevm for this platform; uv builds it where there is Rust. Without it the tests that need it fail, the rest works.
ifeq ($(shell uname -sm) $(shell command -v cargo),Linux aarch64 )
SYNC := --no-group evm
endif

.venv/.synced: .venv/.uv pyproject.toml uv.lock
	@.venv/bin/uv sync --frozen --quiet $(SYNC)
	@if [ -n "$(SYNC)" ]; then echo "no cargo: pyrevm is left out, the tests that need it will fail"; fi
	@touch $@

node_modules/.installed: package.json package-lock.json
	@npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

$(TOOLS): .venv/.synced node_modules/.installed tools/link.sh tools/solc.mjs tools/parts.mjs
	@sh tools/link.sh
	@touch $@

# -- build and test ------------------------------------------------------------------------------

.PHONY: compile
compile: $(TOOLS) ## compile the contracts, if they have changed
	@.venv/bin/python -m perennial.artifacts

.PHONY: test
test: compile ## run every test (K=… for some, WORKERS=… processes)
	@$(PYTEST) -n $(WORKERS) --dist worksteal

.PHONY: test-unit
test-unit: compile ## run the unit tests in one process (K=… for some)
	@$(PYTEST) tests/unit

# A longer campaign, or another: make fuzz GAMES=20000 SEED=1000000
GAMES ?= 5000
SEED ?= 0

.PHONY: fuzz
fuzz: compile ## play random games against contracts and mirror (GAMES=…, SEED=…, WORKERS=…), print what differs
	@.venv/bin/python -m perennial.testing.fuzz --games $(GAMES) --seed $(SEED) --workers $(WORKERS)

.PHONY: fuzz-vault
fuzz-vault: GAMES = 500
fuzz-vault: compile ## the same with vaults over markets
	@.venv/bin/python -m perennial.testing.fuzz --vault --games $(GAMES) --seed $(SEED) --workers $(WORKERS)

# Options of the demo: make demo ARGS="--seed 2 --no-reckless"; ARGS=--help lists them.
ARGS ?=
.PHONY: demo
demo: compile ## live through the crash of December 2017 on a local chain (ARGS=--help)
	@.venv/bin/python -m perennial.demo $(ARGS)

# Options of the devnet: make devnet ARGS="--walk 1 --port 8545"; ARGS=--help lists them.
.PHONY: devnet
devnet: compile ## run a chain of one's own with markets, prices, keeper, relay and solver, until Ctrl-C (ARGS=--help)
	@exec .venv/bin/perennial devnet $(ARGS)

.PHONY: transcript
transcript: compile ## run docs/transcript.md's commands on a devnet and write what they print
	@PERENNIAL_TRANSCRIPT=write .venv/bin/pytest -q -p no:ape_test tests/flows/test_devnet_transcript.py

.PHONY: size
size: compile ## print every contract's runtime size, fail above the limit of 24,576 bytes
	@.venv/bin/python -m perennial.size

.PHONY: gas
gas: compile ## measure the gas of the flows on Anvil and write benchmarks/
	@.venv/bin/python -m perennial.benchmarks.gas

.PHONY: gas-check
gas-check: compile ## measure, fail where a flow costs more than 1 % above benchmarks/gas.json
	@.venv/bin/python -m perennial.benchmarks.gas --check

.PHONY: throughput
throughput: $(TOOLS) ## print how many fills a second Base has room for, from the committed gas, and write it to README.md
	@.venv/bin/python -m perennial.benchmarks.throughput

.PHONY: caps
caps: compile ## measure the dearest settle on Anvil and how many pending versions a transaction could settle
	@.venv/bin/python -m perennial.benchmarks.worst_case

.PHONY: vault-gas
vault-gas: compile ## measure epochs of vaults over 1, 2, 4 and 8 markets
	@.venv/bin/python -m perennial.benchmarks.vault_markets

# -- style ---------------------------------------------------------------------------------------

.PHONY: lint
lint: $(TOOLS) ## check style and types, Solidity and Python
	@.venv/bin/forge fmt --check
	@.venv/bin/forge lint
	@$(SOLHINT) --max-warnings 0 --disc --noPoster 'contracts/**/*.sol'
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/python -m perennial.layout --check

.PHONY: layout
layout: $(TOOLS) ## write the storage layouts of markets and vaults to layouts/; refuses where a field has moved
	@.venv/bin/python -m perennial.layout

.PHONY: layout-check
layout-check: $(TOOLS) ## fail where a field of the storage has moved, or is not in layouts/
	@.venv/bin/python -m perennial.layout --check

.PHONY: format
format: $(TOOLS) ## rewrite the sources in the project's style
	@.venv/bin/forge fmt
	@.venv/bin/ruff check --fix --quiet
	@.venv/bin/ruff format

.PHONY: clean
clean: ## remove everything that was made here, tools included
	@rm -rf .venv node_modules .solcx .build .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find perennial tests -name __pycache__ -type d -prune -exec rm -rf {} +
