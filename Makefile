# Three commands do everything on a fresh machine that has Python 3.11:
#   make demo      set up, and run the main job on real words
#   make test      set up, and run the linters and all tests
#   make proofs    set up, install Rocq where apt is there, and re-check every proof

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: setup demo test proofs rocq lint bench bench-full mutations rocq-mutations limits attack plants picture clean

setup: $(VENV)/.test

demo: $(VENV)/.demo
	$(BIN)/construct demo

test: $(VENV)/.test lint
	$(BIN)/pytest

# Every proof, from the sources: Rocq, its independent checker, computer algebra, and the
# bridge to the weights of all examples.
proofs: $(VENV)/.test rocq
	$(MAKE) -C proofs/rocq check
	for proof in $(ALGEBRA); do $(BIN)/python $$proof || exit 1; done
	$(BIN)/python proofs/bridge.py

ALGEBRA = $(addprefix proofs/algebra/,$(addsuffix .py,codes gather label query superpose pool \
	square divide theorem))

# Rocq (Coq 8.16) and MathComp 1.15, from Debian's packages where apt is there.
ROCQ = coq libcoq-mathcomp-algebra libcoq-mathcomp-zify libcoq-mathcomp-algebra-tactics
rocq:
	@command -v coqc >/dev/null || { \
	command -v apt-get >/dev/null || { \
	  echo "install Coq 8.16 with MathComp 1.15: algebra, zify, algebra-tactics"; exit 1; }; \
	$(SUDO) apt-get update -qq && \
	$(SUDO) env DEBIAN_FRONTEND=noninteractive PATH="$$PATH:/usr/sbin:/sbin" \
	  apt-get install -qq --no-install-recommends \
	  $(ROCQ) >/dev/null; }
SUDO = $(shell test "$$(id -u)" = 0 || echo sudo)

# Each hypothesis and coefficient of the Rocq definitions, changed: does the proof notice?
rocq-mutations: rocq
	$(PYTHON) proofs/mutate.py

# For each float format: what is certified, and where it first fails.
limits: $(VENV)/.test
	$(BIN)/python proofs/floats/limits.py

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The short form of every benchmark, some four minutes on two cores; answers are checked.
BENCHMARKS = width horizon build forward context verify startup device
bench: $(VENV)/.test
	for script in $(BENCHMARKS); do \
	  echo "$$script"; $(BIN)/python benchmarks/$$script.py --quick || exit 1; done

# The long form, which writes the figures of benchmarks/README.md: some half an hour.
bench-full: $(VENV)/.test
	for script in $(BENCHMARKS); do \
	  echo "$$script"; $(BIN)/python benchmarks/$$script.py || exit 1; done

# Every single-weight mutation of three small artifacts, and why the survivors live.
mutations: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m theorem.mutations

# Random artifacts, prompts, files and interrupts against a reckoning of its own, in Fractions:
# counts, worst figures, and the smallest input on which something is wrong.
SECONDS = 1800
SEED = 1
attack: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m attack --seconds $(SECONDS) --seed $(SEED)

# Does the attack find faults that are planted one by one?
plants: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m attack.plants

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
