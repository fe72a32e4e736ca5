# make table2          the whole pipeline, from nothing to results/table2.md (with the figures: `snakemake --cores all`)
# make report          all tables and figures, and results/report.html, one page that shows them
# make evidence        the experiment with several worlds and seeds: hours; the same command again continues it
# make studies         the studies of when a subset is enough (config/evidence/plan.yaml): hours, likewise
# make test            lint and all tests but those below
# make test-openrlhf   the whole pipeline with OpenRLHF and vLLM on a CPU, and its failures: about 20 minutes, in a
#                      separate environment, .venv-openrlhf (4 GB)
# make test-slurm      the pipeline on a real SLURM, which it installs and runs on this machine, and OpenRLHF on two of its
#                      nodes (.venv-openrlhf): about half an hour, as root on Debian
# make test-conda      the whole pipeline with `snakemake --sdm conda` and a stand-in for conda, which creates the
#                      environments of envs/ with pip: about five minutes
# make lint            ruff, import-linter, snakefmt and snakemake --lint; `make format` corrects what it can
# make clean           remove results and caches, but not the environments
#
# Each target creates its virtual environment, .venv, if it is missing or if the packages to install have changed.
# PYTHON names the interpreter (3.11 or later). PIP_FLAGS and pip's own environment variables apply to every installation,
# e.g. to name an index that has torch for CPUs, a tenth of the size.
PYTHON ?= python3
PIP_FLAGS ?=
BIN := .venv/bin
INSTALLED := .venv/installed
SNAKEFILES := Snakefile rules
OPENRLHF := .venv-openrlhf

.PHONY: table2 report evidence studies test test-openrlhf test-slurm test-conda lint format clean
.DELETE_ON_ERROR:

table2: $(INSTALLED)
	$(BIN)/snakemake --cores all results/table2.md
	@cat results/table2.md

report: $(INSTALLED)
	$(BIN)/snakemake --cores all results/report.html
	@echo "Open results/report.html in a browser, or read results/report.md."

evidence: $(INSTALLED)
	$(BIN)/python workflow/evidence.py evidence

studies: $(INSTALLED)
	$(BIN)/python workflow/evidence.py studies

test: lint
	$(BIN)/python -m pytest

test-openrlhf: $(OPENRLHF)/installed
	LIMR_TEST_OPENRLHF=1 $(OPENRLHF)/bin/python -m pytest tests/with_openrlhf

test-slurm: $(INSTALLED) $(OPENRLHF)/installed
	LIMR_TEST_SLURM=1 $(BIN)/python -m pytest tests/slurm

test-conda: $(INSTALLED)
	LIMR_TEST_CONDA=1 $(BIN)/python -m pytest tests/pipeline/test_conda.py

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check $(SNAKEFILES)
	$(BIN)/snakemake --lint

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/snakefmt $(SNAKEFILES)

clean:
	rm -rf results .snakemake .pytest_cache .hypothesis .ruff_cache

# torch first: if the index offers a build for CPUs (2.13.0+cpu), pip prefers it, and the second step keeps it
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install $(PIP_FLAGS) --constraint constraints.txt torch
	$(BIN)/python -m pip install $(PIP_FLAGS) --constraint constraints.txt --editable '.[test]'
	touch $@

$(OPENRLHF)/installed: envs/install_openrlhf.sh envs/openrlhf.post-deploy.sh envs/openrlhf_cpu.txt pyproject.toml
	PYTHON=$(PYTHON) PIP_FLAGS="$(PIP_FLAGS)" envs/install_openrlhf.sh cpu $(OPENRLHF)
	touch $@
