# Three commands do everything on a fresh machine that has Python 3.11:
#   make demo      set up, and run the main job on real words
#   make test      set up, and run the linters and all tests
#   make proofs    set up, install Rocq where apt is there, and re-check every proof
# A fourth is for the time between two commits, and takes less than a minute:
#   make check     lint, types, the quick tests, and the arrows between the packages
# And for those who read:
#   make docs      set up, and make the site in build/site from the documents

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: setup demo check test proofs docs rocq rocq-check algebra lint bench bench-full mutations rocq-mutations limits attack plants interop browser picture clean

setup: $(VENV)/.test

demo: $(VENV)/.demo
	$(BIN)/construct demo

# Tests run in two processes and in a random order, whose seed is printed: the same order comes
# with `make test TESTS=--randomly-seed=1234`, and the one of the files with
# `make test TESTS="-p no:randomly"`.
WORKERS = 2
TESTS =
PYTEST = $(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal $(TESTS)

# The tests of CHECK and of SHAPES enforce the shapes and types of every signature; together they
# reach nearly all of them. `make check` runs those of CHECK on few examples each;
# test_layout.py holds the arrows between the packages.
CHECK = tests/spec tests/designs tests/network/test_codes.py tests/network/test_primitives.py \
	tests/network/test_transformer.py tests/certify/test_bounds.py tests/certify/test_formats.py \
	tests/checking/test_pieces.py tests/checking/test_provenance.py tests/execute/test_exact.py \
	tests/execute/test_numpy.py tests/test_answer.py tests/test_api.py tests/test_citations.py \
	tests/test_compiler.py tests/test_cost.py tests/test_frozen.py tests/test_layout.py \
	tests/test_matrix.py tests/test_rational.py
ARTIFACT = tests/artifact/test_artifact.py
SHAPES = tests/checking tests/execute/test_prepare.py \
	tests/network/test_reach.py tests/prove/test_export.py tests/cli/test_plan.py
check: $(VENV)/.test lint
	CONSTRUCT_SHAPES=1 $(PYTEST) --hypothesis-profile quick $(CHECK)

# All tests, each once and on all of its examples: with enforced shapes, then the others without.
# CLAIM hands over values of wrong types, which enforced types would refuse first.
CLAIM = test_every_claim_of_a_config
test: $(VENV)/.test lint
	CONSTRUCT_SHAPES=1 $(PYTEST) -k "not $(CLAIM)" $(CHECK) $(SHAPES) $(ARTIFACT)
	$(PYTEST) -k "$(CLAIM) or not $(notdir $(ARTIFACT))" $(addprefix --ignore=,$(CHECK) $(SHAPES)) tests

# Every proof, from the sources: Rocq, its independent checker, computer algebra, and the
# bridge to the weights of all examples. JOBS of them run at once.
JOBS = 2
proofs: $(VENV)/.test rocq
	$(MAKE) --jobs $(JOBS) rocq-check algebra
	$(BIN)/python proofs/bridge.py

rocq-check: rocq
	$(MAKE) -C proofs/rocq check

ALGEBRA = $(addprefix algebra-,codes gather label query superpose fetch level pool square divide theorem)
algebra: $(ALGEBRA)
$(ALGEBRA): algebra-%: $(VENV)/.test
	$(BIN)/python proofs/algebra/$*.py

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
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The short form of every benchmark, some four minutes on two cores; answers are checked.
BENCHMARKS = width horizon build forward run context verify startup plan paper words device designs
bench: $(VENV)/.test
	for script in $(BENCHMARKS); do \
	  echo "$$script"; $(BIN)/python benchmarks/$$script.py --quick || exit 1; done

# The long form, which writes the figures of benchmarks/README.md: some half an hour.
bench-full: $(VENV)/.test
	for script in $(BENCHMARKS); do \
	  echo "$$script"; $(BIN)/python benchmarks/$$script.py || exit 1; done

# Every single-weight mutation of three small artifacts, and why the survivors live; and of the
# softmax designs, how many are noticed.
mutations: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m theorem.mutations
	PYTHONPATH=tests $(BIN)/python -m softmax.mutations

# Random artifacts, prompts, files and interrupts against a reckoning of its own, in Fractions:
# counts, worst figures, and the smallest input on which something is wrong.
SECONDS = 1800
SEED = 1
attack: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m attack --seconds $(SECONDS) --seed $(SEED)

# The pages in headless Chromium (tests/browser): Debian's where apt is there, or the one that
# the variable CHROMIUM names.
CHROMIUM = $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
browser: $(VENV)/.browser
	test -n "$(CHROMIUM)" || { $(SUDO) apt-get update -qq && \
	  $(SUDO) apt-get install -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; }
	CONSTRUCT_BROWSER="$(or $(CHROMIUM),chromium)" $(BIN)/pytest $(TESTS) tests/browser

# The Python of docs/interop.md, in an environment that has the public libraries and no construct.
FRESH = .venv-interop
interop: $(VENV)/.test
	test -d $(FRESH) || $(PYTHON) -m venv $(FRESH)
	$(FRESH)/bin/python -m pip install --quiet torch==2.13.0
	$(FRESH)/bin/python -m pip install --quiet transformers transformer-lens nnsight onnxruntime
	$(BIN)/python tests/documented.py docs/interop.md $(FRESH)/bin/python

# The site (docs/conf.py): its pages are the documents where they lie. A warning is an error.
SITE = build/site
docs: $(VENV)/.docs
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -c docs . $(SITE)
	@echo "open $(SITE)/index.html"

# Does the attack find faults that are planted one by one?
plants: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m attack.plants

# The pictures in the README and in docs/: of the demo, and of the thing itself.
picture: $(VENV)/.test
	FORCE_COLOR=1 TTY_INTERACTIVE=0 $(BIN)/construct demo | $(BIN)/python docs/picture.py
	for design in theorem decoder encoder; do \
	  $(BIN)/construct build --tasks examples/capitals.json --design $$design --out build/$$design \
	  || exit 1; done
	$(BIN)/construct inspect build/theorem --picture docs/diagram-theorem.svg
	$(BIN)/construct inspect build/decoder --picture docs/diagram-decoder.svg
	$(BIN)/construct inspect build/encoder --picture docs/diagram-encoder.svg
	$(BIN)/construct inspect build/theorem --prompt examples/capitals-prompt.txt \
	  --picture docs/stream.svg

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

$(VENV)/.browser: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --editable '.[browser]'
	touch $@

$(VENV)/.docs: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) $(FRESH) build dist src/*.egg-info .hypothesis .pytest_cache .mypy_cache .ruff_cache
