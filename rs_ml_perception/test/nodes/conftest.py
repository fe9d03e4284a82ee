"""Nodes as processes of their own, in the test's domain."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture
def context(domain: int) -> Iterator[Any]:
    """An rclpy context beside the processes."""
    import rclpy

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    yield context
    rclpy.try_shutdown(context=context)


@pytest.fixture
def start_node(domain: int) -> Iterator[Callable[..., subprocess.Popen]]:
    """Call with the module of a node, its namespace and parameters."""
    started: list[subprocess.Popen] = []

    def start(module: str, namespace: str, **parameters: object) -> subprocess.Popen:
        arguments = ['--ros-args', '-r', f'__ns:={namespace}']
        for name, value in parameters.items():
            text = str(value).lower() if isinstance(value, bool) else value
            arguments += ['-p', f'{name}:={text}']
        process = subprocess.Popen(
            [sys.executable, '-m', f'rs_ml_perception.nodes.{module}', *arguments],
            env={**os.environ, 'ROS_DOMAIN_ID': str(domain)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
