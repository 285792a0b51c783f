# make study               compute the study of params.yaml; does nothing when nothing changed
# make study STUDY=smoke   the same for studies/smoke.yaml, in a workspace of its own
# make test                lint, types, direction of imports, tests on all cores
# make test-all            the same, with tests that take minutes
# Both set up .venv first, from Python 3.11 and requirements.lock.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
READY := $(VENV)/.ready
WORKSPACE := $(if $(STUDY),.studies/$(STUDY),.)

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# DVC asks for a name, and a user of a container may have only a number.
export USER ?= $(firstword $(shell id -un 2>/dev/null || id -u))

# The programs of an environment name its Python: in another folder they start none.
MOVED := $(shell test ! -e $(VENV)/bin/dvc || grep -qF \
	-e "$(CURDIR)/$(VENV)/bin/python" -e "$$(cd $(VENV) && pwd -P)/bin/python" \
	$(VENV)/bin/dvc || echo moved)
ifdef MOVED
$(error $(VENV) was made in another folder; remove it (rm -r $(VENV)) and try again)
endif

.PHONY: study test test-all

study: $(READY)
ifdef STUDY
	@python -m pipeline.study.workspace $(STUDY)
else
	@python -m stages.check
endif
	@cd $(WORKSPACE) && dvc repro
	@cd $(WORKSPACE) && python -m stages.publish

test-all: PYTEST := -m ""

test test-all: $(READY)
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	OMP_NUM_THREADS=1 python -m pytest -n logical --dist loadfile \
		--no-loadscope-reorder $(PYTEST)

# Torch first, because which build pip finds decides what else it needs.
$(READY): requirements.lock
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	python -m pip install --quiet $$(grep '^torch==' requirements.lock)
	python -m pip install --quiet --requirement requirements.lock
	touch $@
