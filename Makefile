# Each target is a plain command or two; README.md writes them out for machines without make.

PYTHON ?= python3
BIN    := .venv/bin
REPORT := build/tests
PIP    := -m pip install -q --disable-pip-version-check
# Folders of the tests' own stay below build/, where no other run of pytest clears them away.
OUT     = --junitxml=$(REPORT)/$@.xml --basetemp=build/tmp-$@
PYTEST  = $(BIN)/python -m pytest $(OUT)
NBVAL  := --nbval --nbval-sanitize-with tests/nbval_sanitize.cfg -n 2 --dist loadscope -W default
MARKS  := $(if $(CNNLIB_TEST_ALL),-m "")
export CNNLIB_TIMED
# JupyterLab asks at its first start whether to fetch news; not in a lecture.
NO_NEWS := {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}
LAB     = $(shell sed -n 's/.*"jupyterlab>=\([0-9]*\)".*/\1.0.0/p' pyproject.toml)
COLAB  ?= $(wildcard notebooks/*.ipynb)
CHROMIUM := chromium chromium-browser google-chrome google-chrome-stable chrome
# The same, those that changed last before the others: not committed yet, then by git's history, then by number.
LATEST  = $(wildcard $(shell { git ls-files -mo --exclude-standard notebooks; git log --format= --name-only -- notebooks; \
    ls notebooks/*.ipynb; } 2> /dev/null | awk '/^notebooks\/[^\/]*[.]ipynb$$/ && !seen[$$0]++'))

# One thread each, as two processes run side by side and stored numbers must not depend on the number of cores.
export OMP_NUM_THREADS = 1
# What a process compiles, the next one finds: each worker else compiles the library and all tests anew.
unexport PYTHONDONTWRITEBYTECODE
$(shell mkdir -p build)

PHASES     := unit nbval numpy-only browser colab-install test-colab
# OpenBLAS has a kernel for each kind of core, and their last digits differ.
ALL_PHASES := $(PHASES) late-frames oldest-lab widgets-colab nbval-Haswell $(if $(shell grep -sm1 avx512f /proc/cpuinfo),nbval-SkylakeX)

.NOTPARALLEL:
.PHONY: lab test test-all notebooks stamp lint bench triton js $(ALL_PHASES)

# ---- use the course

lab: .venv/.course
	env -u OMP_NUM_THREADS $(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) \
	    --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb

# Execute the notebooks and store them in their normal form.
notebooks: .venv/.course
	$(BIN)/python -m cnnlib notebooks

stamp: .venv/.course
	$(BIN)/python -m cnnlib stamp

# ---- test it: every phase runs, the last lines say how each went

test: .venv/.test
	@rm -rf $(REPORT); failed=0; \
	$(MAKE) --keep-going --no-print-directory $(PHASES) COLAB="$(wordlist 1,4,$(LATEST))" || failed=1; \
	$(BIN)/python tests/report.py $(REPORT) $(PHASES) || failed=1; exit $$failed

test-all: .venv/.test
	@rm -rf $(REPORT); failed=0; \
	$(MAKE) --keep-going --no-print-directory $(ALL_PHASES) CNNLIB_TEST_ALL=1 CNNLIB_TIMED=1 || failed=1; \
	$(BIN)/python tests/report.py $(REPORT) $(ALL_PHASES) || failed=1; exit $$failed

lint: .venv/.test
	$(BIN)/ruff check
	$(BIN)/python -m cnnlib stamp --check
	$(BIN)/python -m cnnlib notebooks --check

# Unit tests, doctests and the rules of the house.
unit: .venv/.test
	$(PYTEST) -n 2 $(MARKS) --ignore=tests/browser --ignore=tests/colab

# Every notebook runs, and prints what is stored.
nbval: .venv/.test
	$(PYTEST) $(NBVAL) notebooks

nbval-Haswell nbval-SkylakeX: nbval-%: .venv/.test
	OPENBLAS_CORETYPE=$* $(PYTEST) $(NBVAL) notebooks

# The NumPy half on the oldest NumPy that we promise, without torch and without what the course's pictures come from.
numpy-only: .venv-numpy/.ready
	@! .venv-numpy/bin/python -c "import torch" 2> /dev/null || { echo "torch is in .venv-numpy"; exit 1; }
	.venv-numpy/bin/python -m pytest $(OUT) -n 2 $(MARKS) -r fE --doctest-ignore-import-errors \
	    $(addprefix --ignore=tests/,rules browser colab widgets bench conv/test_memory.py plots/test_every_plot.py) \
	    $(addprefix --ignore=cnnlib/,torch_layers.py data/digits.py data/faces.py data/numbers.py data/textures.py)

# Two parts of `unit`, alone: the GPU kernel in Triton's interpreter, the interactives' JavaScript.
triton: .venv/.test
	TRITON_INTERPRET=1 $(PYTEST) $(MARKS) tests/conv/test_implicit_gemm_kernels.py

js: .venv/.test
	$(PYTEST) $(MARKS) tests/widgets/test_js.py

# Two browsers side by side, but one alone where times are held to their limits.
browser: .venv/.test .venv/.chromium
	$(PYTEST) $(if $(CNNLIB_TIMED),,-n 2 --dist worksteal) $(MARKS) tests/browser

# The widgets where each frame comes late, as on a busy machine: a test that does not wait for its frame is found out.
late-frames: .venv/.test .venv/.chromium
	CNNLIB_LATE_FRAMES=60 CNNLIB_TIMED= $(PYTEST) -n 2 --dist worksteal $(MARKS) tests/browser \
	    --ignore=tests/browser/test_lab.py --ignore=tests/browser/test_make_lab.py

# The widgets in the oldest JupyterLab that pyproject.toml promises, laid over the newer one.
oldest-lab: export PYTHONPATH = $(CURDIR)/build/$@:$(CURDIR)
oldest-lab: export JUPYTERLAB_DIR = $(CURDIR)/build/$@/share/jupyter/lab
oldest-lab: export CNNLIB_LAB = $(LAB)
oldest-lab: .venv/.test .venv/.chromium
	PYTHONPATH= $(BIN)/python $(PIP) --upgrade --no-deps --target build/$@ jupyterlab==$(LAB)
	$(PYTEST) tests/browser/test_lab.py

# Install cnnlib among Colab's versions as a set-up cell does, and see that nothing else changes.
colab-install: .venv-colab/.ready
	.venv-colab/bin/python -m pytest $(OUT) tests/colab

# The notebooks with Colab's versions of everything but Python and torch (`make test` takes four of them).
test-colab: colab-install
	.venv-colab/bin/python -m pytest $(OUT) $(NBVAL) $(COLAB)

# The widgets' Python side with Colab's versions (node and the browser are in `unit` and `browser`).
widgets-colab: .venv-colab/.ready
	.venv-colab/bin/python -m pytest $(OUT) -n 2 -W default --ignore=tests/widgets/test_js.py tests/widgets

# NumPy beside torch, two threads each, in the allocator's fast mode.
bench: .venv/.test
	OMP_NUM_THREADS=2 MALLOC_MMAP_THRESHOLD_=1000000000 MALLOC_TRIM_THRESHOLD_=2000000000 $(BIN)/python -m tests.bench

# ---- environments: made once, and again when what they are made from changes

.venv/.course: pyproject.toml constraints.txt
	@echo "installing the course into .venv: some minutes, this once"
	$(call new_environment,.venv)
	$(BIN)/python $(PIP) -c constraints.txt $$($(PYTHON) cnnlib/recipes/torch_index.py) -e ".[torch,course]"
	@mkdir -p .venv/share/jupyter/lab/settings && echo '$(NO_NEWS)' > .venv/share/jupyter/lab/settings/overrides.json
	@touch $@

.venv/.test: .venv/.course
	$(BIN)/python $(PIP) -c constraints.txt $$($(PYTHON) cnnlib/recipes/torch_index.py) -e ".[torch,course,test]"
	@touch $@

# What is imported there is compiled then; all of it beforehand would take a minute.
.venv-numpy/.ready: pyproject.toml tests/floor-requirements.txt
	$(call new_environment,.venv-numpy)
	.venv-numpy/bin/python $(PIP) --no-compile -r tests/floor-requirements.txt -e .
	@touch $@

.venv-colab/.ready: tests/colab-requirements.txt
	$(call new_environment,.venv-colab)
	.venv-colab/bin/python $(PIP) --no-compile $$($(PYTHON) cnnlib/recipes/torch_index.py) -r tests/colab-requirements.txt
	@touch $@

# Debian's and Ubuntu's Chromium, where we may install it; without one the browser tests skip and say so.
.venv/.chromium:
	@for name in $(CHROMIUM); do ! command -v $$name > /dev/null || exit 0; done; { \
	    command -v apt-get > /dev/null && sudo=$$([ $$(id -u) = 0 ] || echo "sudo -n") && \
	    $$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends chromium > /dev/null; } || \
	    echo "no Chromium, and it cannot be installed here: the browser tests will skip"

# Debian's Python may come without what `venv` takes pip from; then pip itself puts one there.
define new_environment
	@$(PYTHON) -c "import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f'Python 3.11 or newer is needed and \
	$(PYTHON) is {v.major}.{v.minor}: make PYTHON=python3.12 …')"
	$(PYTHON) -m venv --clear $(1) > /dev/null 2>&1 || { $(PYTHON) -m venv --clear --without-pip $(1) && \
	    $(PYTHON) -m pip --python $(1)/bin/python install -q pip; }
	$(1)/bin/python $(PIP) --upgrade pip
endef
