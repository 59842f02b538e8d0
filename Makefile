# make demo: install into .venv and play an outage. make test: install and run all tests. Both work a second time.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
FAILED  = { echo "installing failed: pip could not fetch or build a package; check the network, then run make again (details: $(VENV)/install.log)" >&2; exit 1; }

.PHONY: help demo test again lint lab lab-down simulate bench bundle clean

help:
	@echo "make demo      install into .venv and run the program on four embedded machines that play an outage"
	@echo "make test      install into .venv and run all tests (those marked lab run where this machine can)"
	@echo "make lint      ruff, mypy and the import contracts"
	@echo "make lab       three real peers on this machine: sshd, glusterd, dockerd (root); make lab-down removes them"
	@echo "make simulate  random schedules of many bastions in one process; SEED=17 plays one of them again"
	@echo "make bundle    one file in dist/ for machines without Python 3.11 and without a package index"
	@echo "make bench     measure, with ratios against a baseline in the same run"

demo: $(VENV)/.installed
	@$(BIN)/incident-tui demo

# Five parts at once: peers, watches and clusters wait more than they work, and two cores share the others.
BESIDE   := screens lab watches replica
PARTS    := rest $(BESIDE)
lab      := tests/lab
screens  := tests/ui tests/cli tests/story tests/demo tests/bundle
watches  := tests/watch tests/chat
replica  := tests/replica tests/simulation
rest     := $(patsubst %,--ignore=%,$(lab) $(screens) $(watches) $(replica))

test: $(VENV)/.installed-dev
	@rm -f $(PARTS:%=$(VENV)/%.status); for part in $(BESIDE); do $(MAKE) -s part-$$part >$(VENV)/$$part.log 2>&1 & done; \
	$(MAKE) -s part-rest; wait; for part in $(BESIDE); do echo "== $$part"; cat $(VENV)/$$part.log; done; \
	[ "$$(cat $(PARTS:%=$(VENV)/%.status) | tr '\n' ' ')" = "$(PARTS:%=0) " ]

# One more try, alone, for what failed; a part that broke off (status 2 and more) has none.
again:
	@for part in $(PARTS); do grep -qx '[01]' $(VENV)/$$part.status || { echo "$$part broke off" >&2; exit 1; }; done
	@for part in $(PARTS); do grep -qx 0 $(VENV)/$$part.status || { echo "== once more, alone: what failed of $$part"; \
		$(MAKE) -s part-$$part MORE=--last-failed || exit 1; }; done

part-%:
	@$(BIN)/python -m pytest -q $($*) -o cache_dir=.pytest_cache/$* $(MORE); status=$$?; echo $$status >$(VENV)/$*.status; exit $$status

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy incident_tui tests benchmarks bundle && $(BIN)/lint-imports

lab: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.lab.peers up

lab-down:
	@$(PYTHON) -m tests.lab.peers down

simulate: $(VENV)/.installed-dev
	@SEED=$(SEED) $(BIN)/python -m pytest -q tests/simulation

bench: $(VENV)/.installed-dev
	@missed=; for one in benchmarks/*.py; do echo "== $$one"; $(BIN)/python $$one || missed="$$missed $$one"; done; \
		[ -z "$$missed" ] || { echo "missed a goal:$$missed" >&2; exit 1; }

bundle: $(VENV)/.installed-dev
	@$(BIN)/python bundle/build.py dist

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; install Python 3.11 or later (Debian: apt install python3)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$($(PYTHON) --version 2>&1), and 3.11 or later is needed; name another: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module; install it (Debian: apt install python3-venv) and run make again" >&2; exit 1; }
	@echo "making $(VENV) …"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "the virtual environment could not be made; see the lines above" >&2; exit 1; }

$(VENV)/.installed: pyproject.toml requirements-ci.txt | $(VENV)/bin/python
	@echo "installing incident-tui into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements-ci.txt -e . >$(VENV)/install.log 2>&1 || $(FAILED)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml requirements-ci.txt | $(VENV)/bin/python
	@echo "installing incident-tui and its test tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements-ci.txt -e '.[dev]' >$(VENV)/install.log 2>&1 || $(FAILED)
	@touch $@ $(VENV)/.installed
