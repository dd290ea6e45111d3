# The verbs people use: make quickstart, make test, make check, make docs, make lock, make clean.

PYTHON ?= python3
VENV := .venv
# A program that fails ends the recipe, also where its lines are labelled.
SHELL := bash
.SHELLFLAGS := -o pipefail -c
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check --quiet
QUICKSTART := runs/quickstart
# Each takes up to 5 GB.
TEST_PROCESSES ?= 2

.PHONY: quickstart test check clean docs docs-format lock
.DELETE_ON_ERROR:

# Trains two models, prunes one, exports, attacks and reports; what is already there is not done again.
quickstart: | $(VENV)/installed
	@$(MAKE) --no-print-directory --jobs=2 $(QUICKSTART)/report/report.json
	@echo "open $(QUICKSTART)/report/report.html in a browser"

# A small network keeps little more than one core busy: both train at once, of one thread each, for
# threads of two programs wait for each other. Each line says whose it is.
define train
	@echo "$(RUN) train.py --flagfile=configs/$(1).cfg"
	@OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 $(RUN) train.py --flagfile=configs/$(1).cfg \
		| while IFS= read -r line; do echo "$(2)  $$line"; done
endef

$(QUICKSTART)/serving/1/saved_model.pb: | $(VENV)/installed
	$(call train,quickstart,kaf   )

$(QUICKSTART)_robust/serving/1/saved_model.pb: | $(VENV)/installed
	$(call train,quickstart_robust,robust)

$(QUICKSTART)/report/report.json: $(QUICKSTART)/serving/1/saved_model.pb $(QUICKSTART)_robust/serving/1/saved_model.pb
	$(RUN) evaluate.py --flagfile=configs/quickstart_evaluate.cfg

# The processes share the cores: threads of theirs would only wait for each other. In the order of
# their names: by number of tests, the files whose few tests take longest would come last.
test: export OMP_NUM_THREADS = 1
test: export TF_NUM_INTRAOP_THREADS = 1
test: export TF_NUM_INTEROP_THREADS = 1
test: $(VENV)/installed-dev
	$(RUN) -m pytest --numprocesses=$(TEST_PROCESSES) --dist=loadfile --no-loadscope-reorder

check: $(VENV)/installed-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

# Pages of what the packages offer, from their docstrings: build/api/index.html.
docs: $(VENV)/installed-dev
	$(RUN) -m pdoc --docformat=google --output-directory=build/api robust_keras '!robust_keras.programs'
	@echo "open build/api/index.html in a browser"

# The tables of docs/report_format.md and docs/report.schema.json, made of the code.
docs-format: | $(VENV)/installed
	$(RUN) -m robust_keras.findings.format_page

# The checksums of all that is installed, after a change of requirements.txt, requirements-dev.txt or
# constraints.txt: for every system, and every Python from 3.11 on.
lock: LOCK = $(VENV)/bin/uv pip compile --quiet --universal --python-version=3.11 --generate-hashes --no-annotate \
	--custom-compile-command='make lock'
lock:
	$(LOCK) requirements.txt --output-file=requirements.lock
	$(LOCK) requirements-dev.txt --output-file=requirements-dev.lock

clean:
	rm -rf $(VENV) $(QUICKSTART) $(QUICKSTART)_robust build

$(VENV)/installed: requirements.lock
	$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Python: expected 3.11 or newer; received {v[0]}.{v[1]}")'
	$(PYTHON) -m venv $(VENV)
	@echo "installing the pinned packages, each with its checksum (a minute or two)"
	$(PIP) install --use-pep517 --require-hashes -r requirements.lock
	touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	$(PIP) install --require-hashes -r requirements-dev.lock
	touch $@
