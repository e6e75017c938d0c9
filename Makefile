# The autoencoder course.  `make lab` opens it, `make test` checks all of it, `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WITH_ENV := PATH="$(CURDIR)/$(BIN):$$PATH"
EXTENSION := aelib/labextension/package.json aelib/labextension/static/keep_interactives.js
SETTINGS := $(VENV)/share/jupyter/lab/settings/overrides.json
ONLY ?=
JOBS ?= 2
LAB_FLAGS ?=
PYTEST_FLAGS ?=
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

# No news, no update checks, no extension manager: the course asks nothing of the network.
QUIET_LAB := --LabApp.news_url=None --LabApp.extension_manager=readonly \
	--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

.DEFAULT_GOAL := help
.PHONY: help lab test check test-late notebooks figures html slides photograph published bench clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lab: $(VENV)/lab.stamp $(SETTINGS) ## install what is missing and open the course in JupyterLab
	@$(BIN)/jupyter trust notebooks/*.ipynb >/dev/null || true
	$(WITH_ENV) $(BIN)/jupyter lab $(QUIET_LAB) \
		--ServerApp.root_dir=notebooks --LabApp.default_url=/lab/tree/00_start_here.ipynb $(LAB_FLAGS)

test: $(VENV)/test.stamp ## install the test tools too and test everything
	$(WITH_ENV) $(PYTEST) --durations=15 $(PYTEST_FLAGS)

check: $(VENV)/test.stamp ## a contributor's minute: linter, formatter, imports, quick unit tests, changed lessons
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check --exclude '*.ipynb' .
	lessons=$$($(BIN)/python -m tests.changed) && $(WITH_ENV) $(PYTEST) -m "not training" \
		tests/architecture tests/notebooks tests/unit $$lessons $(PYTEST_FLAGS)

test-late: $(VENV)/test.stamp ## the interactives on a page whose frames, observers and timers are late, and on a slow one
	$(WITH_ENV) AELIB_LATE=150 $(PYTEST) tests/browser $(PYTEST_FLAGS)
	$(WITH_ENV) AELIB_THROTTLE=4 $(PYTEST) tests/browser $(PYTEST_FLAGS)

notebooks: $(VENV)/test.stamp ## run the lessons in order and keep their outputs (ONLY=04 for one)
	$(WITH_ENV) $(BIN)/python -m publish.execute $(ONLY)

figures: $(VENV)/test.stamp ## draw figures/*.svg again (ONLY=name for one)
	$(BIN)/python figures/render.py $(ONLY)

html: $(VENV)/test.stamp ## write the course to site/ as pages that need no Python and no network
	$(BIN)/python -m publish.pages

slides: $(VENV)/test.stamp ## write each lecture to site/slides/ as one file that needs no network
	$(BIN)/python -m publish.slides

photograph: $(VENV)/test.stamp ## take the README's picture of the explorer again (needs Chromium or Chrome)
	$(BIN)/python -m publish.photograph

published: $(VENV)/lab.stamp ## train on MNIST by two published protocols and print the table (a quarter of an hour)
	$(BIN)/python -m publish.published

bench: $(VENV)/test.stamp ## measure training, sweeps and interactives against the usual way
	$(WITH_ENV) $(BIN)/python -m tests.benchmarks $(ONLY)

clean: ## remove the environment and every cache
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# pip runs only when a file that it reads has changed.
$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "The course needs Python 3.11 or newer; 'make PYTHON=/path/to/python3.12 lab' names another one."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "Python could not make an environment; on Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }

$(VENV)/lab.stamp: requirements.txt pyproject.toml $(EXTENSION) | $(VENV)/bin/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test.stamp: requirements-test.txt $(VENV)/lab.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@

$(SETTINGS): publish/overrides.json $(VENV)/lab.stamp
	@mkdir -p $(@D)
	@cp $< $@
