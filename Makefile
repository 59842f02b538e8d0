# make demo: install into .venv and play an outage. make test: install and run all tests. Both work a second time.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
FAILED  = { echo "installing failed: pip could not fetch or build a package; check the network, then run make again (details: $(VENV)/install.log)" >&2; exit 1; }

.PHONY: help demo test lint lab lab-down bench clean

help:
	@echo "make demo      install into .venv and run the program on four embedded machines that play an outage"
	@echo "make test      install into .venv and run all tests (those marked lab run where this machine can)"
	@echo "make lint      ruff, mypy and the import contracts"
	@echo "make lab       three real peers on this machine: sshd, glusterd, dockerd (root); make lab-down removes them"
	@echo "make bench     measure, with ratios against a baseline in the same run"

demo: $(VENV)/.installed
	@$(BIN)/incident-tui demo

test: $(VENV)/.installed-dev
	@# The lab waits more than it works: it runs beside the others, and is shown after them.
	@$(BIN)/python -m pytest -q -m lab -o cache_dir=.pytest_cache/lab >$(VENV)/lab.log 2>&1 & lab=$$!; \
	$(BIN)/python -m pytest -q -m "not lab" -o cache_dir=.pytest_cache/rest; rest=$$?; \
	wait $$lab; status=$$?; echo $$rest $$status >$(VENV)/statuses; echo "== the lab"; cat $(VENV)/lab.log; [ $$rest -ne 0 ] && exit $$rest; exit $$status

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy incident_tui tests benchmarks && $(BIN)/lint-imports

lab: $(VENV)/.installed-dev
	@$(BIN)/python tests/lab/peers.py up

lab-down:
	@$(PYTHON) tests/lab/peers.py down

bench: $(VENV)/.installed-dev
	@missed=; for one in benchmarks/*.py; do echo "== $$one"; $(BIN)/python $$one || missed="$$missed $$one"; done; \
		[ -z "$$missed" ] || { echo "missed a goal:$$missed" >&2; exit 1; }

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
