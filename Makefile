# mPower. Every target first makes .venv from requirements.lock; the machine needs only
# Python >= 3.11 and make.
#
#   make demo              two servers, a witness and counters here (DRILL=1: failover drill, exit)
#   make test              what fits in ten minutes on two cores; T='tests/config -k name' for some
#   make test-all          the same with more simulation seeds, longer hypothesis runs, the tests
#                          marked long, torture
#   make check             ruff, formatting, types, import rules, house rules
#   make coverage          which branches the pure tests reach, line by line where they do not
#   make simulate SEEDS=N  the pair under a virtual clock
#   make torture [MINUTES=6] [SEED=n] [PLANT=bug] [KINDS=a,b]
#                          three hosts, real faults, a checker outside; as root on Linux
#   make bench [ONLY=x]    the figures, as a table and JSON lines; RUNS=5 and PEERS=none|patroni|…
#                          for the failover figures
#   make scenario NAME=DAY a scripted day on a demo's board, its books compared to the paisa:
#                          mpower demo run -- make scenario NAME=DAY
#   make install           the environment alone, for a server (docs/operator/install.md)
#   make lock              write requirements.lock again from pyproject.toml
#   make audit [ADVISORIES=all.zip]
#                          secrets, dangerous code, known vulnerabilities of what the lock pins;
#                          exits 0 clean, 1 found, 3 the advisories could not be asked
#   make sbom              what is in a release: CycloneDX 1.6 of the lock, build/sbom.cdx.json
#   make clean             remove what these targets made

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := demo
.PHONY: demo install test test-all check coverage simulate torture bench scenario lock audit sbom clean

BIN := .venv/bin
STAMP := .venv/.from-lock
PYTHON ?=
T ?=
SEEDS ?= 20000
MINUTES ?= 6
SEED ?=
PLANT ?=
KINDS ?=
NAME ?= DAY
ADVISORIES ?=
PYTEST = $(BIN)/python -m pytest
# pytest exits 5 when a selection holds no test: not a failure of the code.
RUN_TESTS = run() { "$$@" || { code=$$?; [ "$$code" -eq 5 ] || exit "$$code"; }; }; run

demo: $(STAMP)
	@exec $(BIN)/mpower demo $(if $(DRILL),drill)

install: $(STAMP)

# What owns at most a database of its own, side by side; then what starts a whole pair, one at a time.
test: $(STAMP)
ifneq ($(T),)
	@$(PYTEST) $(T)
else
	@$(RUN_TESTS) $(PYTEST) -q -n 2 --dist loadfile -m "not live and not long"
	@$(RUN_TESTS) $(PYTEST) -q -m "live and not long"
endif

test-all: export MPOWER_TEST_SEEDS = $(SEEDS)
test-all: export HYPOTHESIS_PROFILE = thorough
test-all: export MPOWER_SATURATED_S = 60
test-all: test
	@$(RUN_TESTS) $(PYTEST) -q -m long
	@$(BIN)/python -m tests.torture --minutes 6 || { code=$$?; \
		[ "$$code" -eq 5 ] && [ -z "$${CI:-}" ] && echo "left out: make torture" || exit "$$code"; }

check: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(PYTEST) -q tests/house

coverage: $(STAMP)
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest -q -m "not database and not live"
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

simulate: $(STAMP)
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS)

torture: $(STAMP)
	@exec $(BIN)/python -m tests.torture --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) \
		$(if $(PLANT),--plant $(PLANT)) $(if $(KINDS),--only $(KINDS))

bench: $(STAMP)
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(RUNS),--runs $(RUNS)) \
		$(if $(PEERS),--peers $(PEERS))

scenario: $(STAMP)
	@$(BIN)/python -m clients.demo.scenario $(NAME)

lock: $(STAMP)
	@$(BIN)/uv pip compile --quiet --no-config --universal --generate-hashes --all-extras --upgrade \
		--python-version 3.11 --custom-compile-command "make lock" --output-file requirements.lock \
		pyproject.toml
	@! grep -nE '^-|file:|://' requirements.lock || \
		{ echo "requirements.lock names this machine"; exit 1; }

audit: $(STAMP)
	@ADVISORIES="$(ADVISORIES)" .ci/audit $(BIN)

# From the lock alone; needs no environment.
sbom:
	@mkdir -p build
	@python3 .ci/sbom > build/sbom.cdx.json.new
	@mv build/sbom.cdx.json.new build/sbom.cdx.json
	@echo "build/sbom.cdx.json: $$(grep -c '"type": "library"' build/sbom.cdx.json) packages"

clean:
	@rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache .coverage .coverage.*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The pins take half a minute, the checkout itself two seconds: a change of pyproject.toml alone
# does not install the pins again.
.venv/.pins: requirements.lock .ci/environment
	@PYTHON="$(PYTHON)" .ci/environment .venv
	@touch $@

$(STAMP): .venv/.pins pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@touch $@
