"""The harness for tests of networks."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HARNESS = Path(__file__).with_name('harness.py')


@pytest.fixture(scope='session')
def harness() -> ModuleType:
    """The module harness.py."""
    pytest.importorskip('keras')
    spec = importlib.util.spec_from_file_location('network_harness', HARNESS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='session')
def check_network(harness) -> Callable[..., None]:
    """The function of that name in harness.py."""
    return harness.check_network


@pytest.fixture(scope='session')
def built() -> Callable[..., Any]:
    """`registry.build`, which gives the same network for the same arguments.

    For tests that are about the layers, or that set the weights they need.
    """
    pytest.importorskip('keras')
    from rs_ml_training.networks import registry

    return functools.cache(registry.build)


@pytest.fixture(scope='session')
def efficientnet() -> Any:
    """The encoder of keras.applications, without weights."""
    keras = pytest.importorskip('keras')
    return keras.applications.EfficientNetV2S(include_top=False, weights=None)


@pytest.fixture(scope='session')
def check_network_on_jax() -> Callable[..., None]:
    """The same in a process whose backend is JAX; for tests marked slow."""
    pytest.importorskip('jax')

    def check(name: str, **arguments: Any) -> None:
        command = [sys.executable, str(HARNESS), name, json.dumps(arguments)]
        environment = {**os.environ, 'KERAS_BACKEND': 'jax'}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]

    return check
