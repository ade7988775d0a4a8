# One recipe each: setup, demo, check, test, walk, bench, docs. Nothing but Python 3.11+ and make needs to be there.
PORT ?= 8000
PYTEST_ARGS ?=
CAMPAIGN_ARGS ?=
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup servers peers arm demo check format test walk campaign bench results leakage docs wheel lock clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.venv/bin/pip:
	@sh deploy/make-venv.sh .venv

.venv/.server: .venv/bin/pip requirements/server.txt pyproject.toml
	@echo "Installing what the demo needs (a minute or two, the first time only) ..."
	@$(BIN)/pip install -q --require-hashes -r requirements/server.txt
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/.everything: .venv/.server requirements/everything.txt
	@echo "Installing what tests, training and docs need ..."
	@$(BIN)/pip install -q torch==2.13.0
	@$(BIN)/pip install -q --require-hashes -r requirements/everything.txt
	@touch $@

.venv/.javascript: .venv/.everything deploy/javascript/package-lock.json
	@mkdir -p .venv/javascript
	@cp deploy/javascript/package.json deploy/javascript/package-lock.json deploy/javascript/.npmrc .venv/javascript/
	@cd .venv/javascript && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-audit --no-fund
	@touch $@

setup: .venv/.everything .venv/.javascript  ## make .venv with everything in it

.servers/.ready: requirements/servers.txt deploy/servers/package-lock.json
	@echo "Installing the servers that tests talk to (S3, Azure and Google storage, MLServer) ..."
	@sh deploy/make-venv.sh .servers
	@.servers/bin/pip install -q --require-hashes -r requirements/servers.txt
	@cp deploy/servers/package.json deploy/servers/package-lock.json deploy/servers/.npmrc .servers/
	@cd .servers && npm ci --silent --no-audit --no-fund
	@touch $@

servers: .venv/bin/pip .servers/.ready  ## the storage emulators and MLServer that some tests talk to

arm: .venv/bin/pip  ## an emulated 64-bit ARM machine, on which a test reads (Debian only)
	@sh deploy/aarch64/prepare.sh

# Each peer lives in an environment of its own: they disagree about versions, and about size.
.peers/%/.ready: benchmarks/serving/peers/%/requirements.txt
	@echo "Installing $* to measure beside ..."
	@mkdir -p .peers
	@sh deploy/make-venv.sh .peers/$*
	@.peers/$*/bin/pip install -q --require-hashes -r $<
	@touch $@

PEERS := $(notdir $(patsubst %/requirements.txt,%,$(wildcard benchmarks/serving/peers/*/requirements.txt)))
peers: $(PEERS:%=.peers/%/.ready)  ## the servers that benchmarks/serving measures beside ours

demo: .venv/.server  ## the whole system on http://127.0.0.1:8000 (PORT= changes it)
	@$(BIN)/firstread demo --port $(PORT)

check: .venv/.everything .venv/.javascript  ## format, lint, types of Python and JavaScript, architecture
	@$(BIN)/ruff format --check src tests benchmarks docs
	@$(BIN)/ruff check src tests benchmarks docs
	@$(BIN)/mypy
	@PATH="$(CURDIR)/$(BIN):$$PATH" .venv/javascript/node_modules/.bin/tsc -p deploy/javascript
	@$(BIN)/lint-imports

format: .venv/.everything  ## put every file into the common form
	@$(BIN)/ruff format src tests benchmarks docs
	@$(BIN)/ruff check --fix src tests benchmarks docs

test: .venv/.everything .venv/.javascript  ## all tests
	@$(BIN)/pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

walk: .venv/.everything  ## one case from door to sign-off, in a real browser
	@$(BIN)/pytest -v tests/walks tests/browser $(PYTEST_ARGS)

campaign: .venv/.everything  ## 10,000 samples while everything around them breaks: an hour at most
	@$(BIN)/python -m tests.campaign $(CAMPAIGN_ARGS)

bench: .venv/.everything peers  ## measure speed, side by side: half an hour on a quiet machine
	@for file in benchmarks/[a-z]*.py; do $(BIN)/python $$file || exit 1; done
	@$(BIN)/python benchmarks/serving/run.py

leakage: .venv/.everything  ## measure what copies of one picture on both sides of a split cost (needs the data)
	@$(BIN)/python benchmarks/leakage/run.py

results: .venv/.everything  ## measure every shipped pack and write docs/results.md (needs the data)
	@$(BIN)/python benchmarks/results/run.py

docs: .venv/.everything  ## build the documentation and run its examples
	@$(BIN)/sphinx-build -W -q -b doctest docs docs/_build/doctest
	@$(BIN)/sphinx-build -W -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

wheel: .venv/.server  ## the wheel, with pages, assets and packs inside
	@$(BIN)/python -m build --wheel --no-isolation -o dist .

lock: .venv/.everything  ## write requirements/*.txt anew
	@sh deploy/lock.sh

clean:  ## remove what was built
	@rm -rf .venv build dist docs/_build
