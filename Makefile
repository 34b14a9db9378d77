# Two commands do everything on a fresh machine that has Python 3.11:
#   make demo   set up, and run the main job on real words
#   make test   set up, and run all checks

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test lint bench mutations picture clean

demo: $(VENV)/.demo
	$(BIN)/construct demo

test: $(VENV)/.test lint
	$(BIN)/pytest

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/python benchmarks/width.py

# Every single-weight mutation of three small artifacts, and why the survivors live.
mutations: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m theorem.mutations

# The picture in the README.
picture: $(VENV)/.test
	FORCE_COLOR=1 TTY_INTERACTIVE=0 $(BIN)/construct demo | $(BIN)/python docs/picture.py

# A stamp for each set of extras: installed anew when pyproject.toml changes.
$(VENV)/.demo: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	touch $@

$(VENV)/.test: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

clean:
	rm -rf $(VENV) build dist src/*.egg-info .hypothesis .pytest_cache .mypy_cache .ruff_cache
