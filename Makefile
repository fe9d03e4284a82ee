# ROS_DISTRO=kilted make test | PYTHON=/usr/bin/python3.12 make setup | make demo RECORDING=dir NODES=detection,height
ROS_DISTRO ?= jazzy
OUT ?= out/demo
SECS ?= 1800
export ROS_DISTRO

RUN := tools/run
SETUP := python3 tools/setup_env.py --distro $(ROS_DISTRO)
# A test that hangs must not block the others.
PYTEST := $(RUN) python -m pytest --timeout 300 $(PYTEST_ARGS)
# Modules of a sourced ROS or of another Python would be imported first.
PLAIN := env -u PYTHONHOME -u PYTHONPATH

.PHONY: help setup build demo test test-fast test-ros test-apt test-all lint docs bench soak clean lock

help:
	@echo 'make setup|build     private environment in .venv and .ros; ROS_DISTRO=jazzy|kilted LEVEL=run|training|test|full'
	@echo 'make demo            run a recording through all nodes; RECORDING= OUT= NODES= COMPOSED=0'
	@echo 'make test-fast       tests that need neither ROS nor TensorFlow, in a small environment (.venv/fast)'
	@echo 'make test            all tests except slow ones; test-ros: the ROS tests; test-all: slow ones too'
	@echo 'make test-apt        tests without ROS, on /usr/bin/python3 with the OpenCV and NumPy of apt'
	@echo 'make soak            small images through all nodes for SECS (1800) seconds: frame counts and memory'
	@echo 'make docs            API reference in out/api, from docstrings'
	@echo 'make lint            ruff and mypy'
	@echo 'make bench           measure speed on this machine; BENCH_ARGS='
	@echo 'make clean'

setup build:
	@$(SETUP) $(if $(LEVEL),--level $(LEVEL))

demo:
	@$(SETUP)
	@$(RUN) python -m rs_ml_perception.demo --ancestor $$PPID --out '$(OUT)' \
	  $(if $(RECORDING),--recording '$(RECORDING)') $(if $(NODES),--nodes '$(NODES)') \
	  $(if $(COMPOSED),--composed '$(COMPOSED)') $(if $(PARAMS),--params '$(PARAMS)') $(if $(CAMERA),--camera '$(CAMERA)')

test:
	@$(SETUP) --level full
	@$(PYTEST) -m 'not slow$(if $(TESTS), and $(TESTS))'

# The first tests to run after a change.
test-fast:
	@$(SETUP) --level fast
	@$(PLAIN) .venv/fast/bin/python -m pytest --timeout 300 -n auto $(PYTEST_ARGS) -m 'not ros and not slow'

test-ros:
	@$(SETUP) --level test
	@$(PYTEST) -m 'ros and not slow' rs_ml_perception/test test

test-all:
	@$(SETUP) --level full
	@$(PYTEST)

# A robot's Python with apt's NumPy and OpenCV, without ROS.
test-apt:
	@python3 tools/setup_env.py --distro apt
	@$(PLAIN) .venv/apt/bin/python -m pytest --timeout 300 $(PYTEST_ARGS) \
	  -m 'not ros and not slow' rs_ml_perception/test

lint:
	@$(SETUP) --level test
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy

# Modules are imported: their runtimes must be installed.
docs:
	@$(SETUP) --level docs
	@$(RUN) python -W ignore -m pdoc --docformat google --output-directory out/api rs_ml_perception rs_ml_training

bench:
	@$(SETUP) --level full
	@$(RUN) python -m benchmarks.speed $(BENCH_ARGS)
	@$(RUN) python -m benchmarks.training

soak:
	@$(SETUP)
	@$(RUN) python -m benchmarks.soak --ancestor $$PPID --seconds '$(SECS)' $(SOAK_ARGS)

clean:
	rm -rf .venv .ros out runs build install log .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

lock:
	tools/lock_requirements
