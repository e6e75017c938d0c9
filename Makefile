# The autoencoder course.  `make lab` opens it, `make test` checks all of it, `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WITH_ENV := PATH="$(CURDIR)/$(BIN):$$PATH"
INSTALLED := requirements.txt pyproject.toml aelib/labextension/static/keep_interactives.js
# Who signs a student's work where git has not been told.
ME = -c user.name="$$(git config user.name || echo me)" -c user.email="$$(git config user.email || echo me@localhost)"
ONLY ?=
JOBS ?= 2
LAB_FLAGS ?=
STUDENTS ?= 30
PYTEST_FLAGS ?=
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help lab hub update test check test-late notebooks figures html slides pdf edition release photograph published bench clean scripts renew

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lab: $(VENV)/lab.stamp ## install what is missing and open the course in JupyterLab (TORCH=cpu: without CUDA)
	@$(WITH_ENV) $(BIN)/python environment/lab.py $(LAB_FLAGS)

hub: $(VENV)/hub.stamp ## install and open a JupyterHub on this machine with made users, for a look (STUDENTS=30)
	@$(WITH_ENV) $(BIN)/python -m hub.local $(STUDENTS)

update: ## take the newest edition of the course and keep your own work (in a clone)
	@git diff --quiet HEAD || git $(ME) commit --quiet --all --message "My work"
	git $(ME) pull --no-rebase --no-edit --strategy-option ours

test: $(VENV)/test.stamp ## install the test tools too and test everything (PROCESSORS=all: on emulated processors)
ifdef PROCESSORS
	$(WITH_ENV) $(BIN)/python -m tests.processors "$(PROCESSORS)" --jobs $(JOBS) tests $(PYTEST_FLAGS)
else
	$(WITH_ENV) $(PYTEST) --durations=15 $(PYTEST_FLAGS)
endif

check: $(VENV)/test.stamp ## while writing: linter, formatter, imports, quick unit tests, changed lessons
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check --exclude '*.ipynb' .
	lessons=$$($(BIN)/python -m tests.changed) && $(WITH_ENV) $(PYTEST) -m "not training" \
		tests/architecture tests/unit $$lessons $(PYTEST_FLAGS)

test-late: $(VENV)/test.stamp ## the interactives on a page whose frames, observers and timers are late, and on a slow one
	$(WITH_ENV) AELIB_LATE=150 $(PYTEST) tests/browser $(PYTEST_FLAGS)
	$(WITH_ENV) AELIB_THROTTLE=4 $(PYTEST) tests/browser $(PYTEST_FLAGS)

notebooks: $(VENV)/test.stamp node_modules/.bin/esbuild ## run the lessons in order, photograph their interactives, keep both (ONLY=04 for one)
	$(WITH_ENV) $(BIN)/python -m publish.execute $(ONLY)

renew: $(VENV)/test.stamp node_modules/.bin/esbuild ## after a change of scripts alone: put them into the lessons, photograph them (ONLY=04)
	$(WITH_ENV) $(BIN)/python -m publish.execute --renew $(ONLY)

scripts: node_modules/.bin/esbuild ## write all scripts of the interactives in one way (needs npm)
	node_modules/.bin/prettier --log-level warn --write "aelib/widgets/*.js" "aelib/labextension/static/*.js"

figures: $(VENV)/test.stamp ## draw figures/*.svg again (ONLY=name for one)
	$(BIN)/python figures/render.py $(ONLY)

edition: $(VENV)/test.stamp ## write version and address of the course into lessons, links and files
	$(BIN)/python -m publish.edition

release: $(VENV)/test.stamp ## build archive, wheel and pages of this edition into dist/, and open each
	$(BIN)/python -m publish.release

html: $(VENV)/test.stamp ## write the course to site/ as pages that need no Python and no network
	$(BIN)/python -m publish.pages

slides: $(VENV)/test.stamp ## write each lecture to site/slides/ as one file that needs no network
	$(BIN)/python -m publish.slides

pdf: $(VENV)/test.stamp ## write the course to site/ as one PDF, bookmarks and links included (needs Chromium or Chrome)
	$(BIN)/python -m publish.pdf

photograph: $(VENV)/test.stamp ## take the README's picture of the explorer again (needs Chromium or Chrome)
	$(BIN)/python -m publish.photograph

published: $(VENV)/lab.stamp ## train on MNIST by two published protocols, and lesson 15's generator; print the tables (2.5 hours of one core)
	$(BIN)/python -m experiments.published_mnist

bench: $(VENV)/test.stamp ## measure training, sweeps and interactives against the usual way
	$(WITH_ENV) $(BIN)/python -m tests.benchmarks $(ONLY)

clean: ## remove the environment and every cache
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# An installer runs only when a file that it reads has changed; the script leaves the stamp.
$(VENV)/lab.stamp: $(INSTALLED)
	@$(PYTHON) environment/install.py lab

$(VENV)/test.stamp: requirements-test.txt requirements-hub.txt $(INSTALLED)
	@$(PYTHON) environment/install.py test

$(VENV)/hub.stamp: requirements-hub.txt $(INSTALLED)
	@$(PYTHON) environment/install.py hub

# Tools for the scripts of the interactives; only publishing needs them.
node_modules/.bin/esbuild: package.json
	npm install --silent --no-audit --no-fund --no-package-lock
	@touch $@
