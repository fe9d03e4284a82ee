"""Cost of a frame apart from inference: conversion, pairing, publishing."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from rclpy.node import Node
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.frames.messages import depth_from_message
from rs_ml_perception.core.streams.synchronizer import Synchronizer, SyncOptions
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.ros.dds_domain import ros_session
from rs_ml_perception.ros.input.samples import ImageSample, decode_color
from rs_ml_perception.ros.output.images import depth_image, image
from rs_ml_perception.ros.qos import results
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from benchmarks.speed.recorded_input import Size, depth_of, load_frames, load_message_sets, resized
from benchmarks.speed.running_graph import running_graph
from benchmarks.speed.sections import SpeedOptions
from benchmarks.tables import Row
from benchmarks.timing import median_ms

SIZES = (Size(640, 480), Size(1280, 720))
RUNS = 200

Work = Callable[[], object]


def measure(options: SpeedOptions, logs: Path) -> dict[str, Any]:
    """Our own functions at two sizes, and the stages of the running nodes."""
    frame = load_frames(options.recording)[0]
    runs = max(20, min(RUNS, 5 * options.frames))
    with ros_session():
        node = rclpy.create_node('bench_costs')
        functions = {str(size): _functions(node, resized(frame, size), runs) for size in SIZES}
        node.destroy_node()
        stages = _stages(options, logs)
    return {'functions_ms': functions, 'stages_ms': stages, 'shares': _fractions(stages)}


def _functions(node: Node, frame: Frame, runs: int) -> dict[str, float]:
    """Median milliseconds of each step for one image."""
    color = image(frame.color_image, 'rgb8', _header(1))
    swapped = image(frame.color_image, 'rgb8', _header(1))
    swapped.encoding = 'bgr8'
    depth = depth_image(depth_of(frame).depth_m, '16UC1', _header(1))
    works: dict[str, Work] = {
        'convert rgb8': lambda: decode_color(color),
        'convert bgr8': lambda: decode_color(swapped),
        'convert 16UC1': lambda: depth_from_message(depth),
        'convert 16UC1 to metres': lambda: depth_from_message(depth).depth_m,
        'pair colour with depth': _pairing(color, depth),
        **_publishing(node, frame),
    }
    return {name: median_ms(work, runs=runs) for name, work in works.items()}


def _pairing(color: Image, depth: Image) -> Work:
    """Add both samples of one stamp and take the pair."""
    synchronizer: Synchronizer[ImageSample, ImageSample] = Synchronizer(SyncOptions())
    seconds = itertools.count(1)

    def work() -> None:
        color.header = depth.header = _header(next(seconds))
        synchronizer.add_partner(ImageSample(depth))
        synchronizer.add_primary(ImageSample(color))
        (match,) = synchronizer.take(time.monotonic())
        if match.partner is None:
            raise RuntimeError('images of one stamp were not paired')

    return work


def _publishing(node: Node, frame: Frame) -> dict[str, Work]:
    """Make and publish each kind of image, with a subscriber."""
    mask = np.ascontiguousarray(frame.color_image[:, :, 0])
    depth_m = cv2.resize(depth_of(frame).depth_m, mask.shape[::-1])
    header = _header(1)
    makers: dict[str, Callable[[], Image]] = {
        'publish mask (mono8)': lambda: image(mask, 'mono8', header),
        'publish depth (32FC1)': lambda: depth_image(depth_m, '32FC1', header),
        'publish depth (16UC1)': lambda: depth_image(depth_m, '16UC1', header),
        'publish annotated (rgb8)': lambda: image(frame.color_image, 'rgb8', header),
    }
    publisher = node.create_publisher(Image, '~/image', results())
    node.create_subscription(Image, '~/image', lambda _: None, results())

    def publish(make: Callable[[], Image]) -> Work:
        return lambda: publisher.publish(make())

    return {name: publish(make) for name, make in makers.items()}


def _header(seconds: int) -> Header:
    return Header(stamp=Time(sec=seconds), frame_id='camera_color_optical_frame')


def _stages(options: SpeedOptions, logs: Path) -> dict[str, dict[str, float]]:
    """Stage times that the nodes report in ~/stats, all in one process, at a camera's rate."""
    runs = []
    for _ in range(min(options.rounds, 3)):
        with running_graph(tuple(NODES), load_message_sets(options.recording), logs) as graph:
            graph.camera.pace(options.frames, rate_hz=options.rate_hz)
            runs.append(graph.stage_ms())
    return {
        name: {
            stage: statistics.median(run[name][stage] for run in runs) for stage in runs[0][name]
        }
        for name in runs[0]
    }


def _fractions(stages: dict[str, dict[str, float]]) -> dict[str, float]:
    """Fraction of each stage in the time of all nodes together."""
    totals: dict[str, float] = {}
    for parts in stages.values():
        for stage, ms in parts.items():
            totals[stage] = totals.get(stage, 0.0) + ms
    whole = sum(totals.values())
    return {stage: ms / whole for stage, ms in totals.items()}


def rows(result: dict[str, Any]) -> list[Row]:
    """Functions at both sizes side by side, then the stages of every node."""
    by_size = result['functions_ms']
    lines = [
        Row(name, ', '.join(f'{size} {by_size[size][name]:.3f} ms' for size in by_size))
        for name in next(iter(by_size.values()))
    ]
    for node, stages in result['stages_ms'].items():
        parts = ', '.join(f'{stage} {ms:.2f}' for stage, ms in stages.items())
        lines.append(Row(f'{node} [ms]', parts))
    fractions = ', '.join(
        f'{name} {100 * fraction:.1f} %' for name, fraction in result['shares'].items()
    )
    return [*lines, Row('fractions, all nodes', fractions)]
