# ROS_DISTRO=kilted make test | PYTHON=/usr/bin/python3.12 make setup | make demo RECORDING=dir NODES=detection,height
ROS_DISTRO ?= jazzy
OUT ?= out/demo
SECS ?= 1800
export ROS_DISTRO

RUN := tools/run
SETUP := python3 tools/setup_env.py --distro $(ROS_DISTRO)
# One wedged test must not hold up the others for ever.
PYTEST := $(RUN) python -m pytest --timeout 300 $(PYTEST_ARGS)
# Whatever a sourced ROS or another Python left behind would be imported first.
PLAIN := env -u PYTHONHOME -u PYTHONPATH

.PHONY: help setup build demo test test-fast test-ros test-apt test-all lint docs bench soak clean lock

help:
	@echo 'make setup|build     private environment in .venv and .ros (ROS_DISTRO=jazzy|kilted, LEVEL=run|training|full)'
	@echo 'make demo            a recording through the graph on real DDS; RECORDING= OUT= NODES= COMPOSED=0'
	@echo 'make test-fast       what needs neither ROS nor TensorFlow, in a small environment (.venv/fast)'
	@echo 'make test            all but the slow ones; test-ros: those on DDS; test-all: everything'
	@echo 'make test-apt        what needs no ROS, on /usr/bin/python3 with the OpenCV and NumPy of apt'
	@echo 'make soak            small images through all nodes for SECS (1800) seconds: books and memory'
	@echo 'make docs            reference of the Python interfaces in out/api, from docstrings'
	@echo 'make lint bench clean'

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

# The first ones for a change: everything that needs neither ROS nor TensorFlow.
test-fast:
	@$(SETUP) --level fast
	@$(PLAIN) .venv/fast/bin/python -m pytest --timeout 300 -n auto $(PYTEST_ARGS) -m 'not ros and not slow'

test-ros:
	@$(SETUP) --level test
	@$(PYTEST) -m 'ros and not slow' rs_ml_perception/test test

test-all:
	@$(SETUP) --level full
	@$(PYTEST)

# As on a robot: the system's Python with apt's NumPy and OpenCV, and no ROS.
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
