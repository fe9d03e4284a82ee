"""Nodes as processes or in the process of the test, in its domain."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture
def context(domain: int) -> Iterator[Any]:
    """An rclpy context next to the processes."""
    import rclpy

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    yield context
    rclpy.try_shutdown(context=context)


def ros_arguments(namespace: str, parameters: dict[str, object]) -> list[str]:
    """The words after the name of the program."""
    words = ['--ros-args', '-r', f'__ns:={namespace}']
    for name, value in parameters.items():
        text = str(value).lower() if isinstance(value, bool) else value
        words += ['-p', f'{name}:={text}']
    return words


@pytest.fixture
def run_node(domain: int, monkeypatch, capfd) -> Iterator[Callable[..., tuple[int, str]]]:
    """Runs a tool that ends by itself in this process, which saves a start of Python.

    Call with its main function, namespace and parameters; returns (exit code, output).
    """
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(main: Callable[..., int], namespace: str, **parameters: object) -> tuple[int, str]:
        capfd.readouterr()
        status = main(ros_arguments(namespace, parameters))
        return status, ''.join(capfd.readouterr())

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def start_node(domain: int) -> Iterator[Callable[..., subprocess.Popen]]:
    """Call with the module of a node, its namespace and parameters."""
    started: list[subprocess.Popen] = []

    def start(module: str, namespace: str, **parameters: object) -> subprocess.Popen:
        program = [sys.executable, '-m', f'rs_ml_perception.nodes.{module}']
        process = subprocess.Popen(
            [*program, *ros_arguments(namespace, parameters)],
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
