"""rs-ml height: heights of persons in recordings, or in pictures with depth."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rs_ml_perception.cli.task_arguments import (
    add_depth_arguments,
    add_detection_arguments,
    add_range_arguments,
    add_task_arguments,
)
from rs_ml_perception.inference.shelf import DEFAULT_MODELS


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser('height', help='measure persons')
    add_task_arguments(parser, model=DEFAULT_MODELS['detection'], out='out/height')
    add_detection_arguments(parser, classes=('person',))
    add_depth_arguments(parser)
    add_range_arguments(parser)
    parser.add_argument(
        '--accelerometer',
        type=Path,
        metavar='FILE',
        help='JSON, {picture: [[x, y, z], ...]} [m/s2], optical axes; default: readings of the '
        'recording, else the floor is level',
    )
    parser.add_argument(
        '--boxes',
        type=Path,
        metavar='FILE',
        help='results.jsonl of detections, in place of those of --model',
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rs_ml_perception.cli.task_run import run_task

    return run_task(
        args, _prepare, noun='persons', keep_results=True, needs_depth=True, needs_up=True
    )


def _prepare(args: argparse.Namespace) -> Any:
    from rs_ml_perception.cli.gravity_file import GravityFile
    from rs_ml_perception.cli.result_fields import height_fields
    from rs_ml_perception.cli.task_run import TaskResult
    from rs_ml_perception.core.drawing.annotations import draw_heights
    from rs_ml_perception.core.errors import InputError
    from rs_ml_perception.tasks.height import HeightEstimator, HeightOptions

    height_options = HeightOptions(range_min_m=args.range_min_m, range_max_m=args.range_max_m)
    gravity = None if args.accelerometer is None else GravityFile(args.accelerometer)
    find, labels = _detector(args) if args.boxes is None else _known_boxes(args)
    estimator = HeightEstimator(height_options)

    def measure(image: Any) -> TaskResult:
        frame = image.frame
        if frame.depth is None:
            raise InputError('there is no depth: pass a recording with depth, or --depth DIR')
        if frame.camera is None:
            raise InputError('intrinsics are unknown: pass --intrinsics fx,fy,cx,cy')
        up = None if gravity is None else gravity.up(image.stem)
        heights = estimator(frame, find(image), up=up)
        return TaskResult(
            {'detections': height_fields(heights, labels)},
            len(heights),
            pictures={'_annotated.png': lambda: draw_heights(frame.rgb, heights)},
        )

    return measure


Find = Callable[[Any], Any]
"""Detections of an InputImage."""


def _detector(args: argparse.Namespace) -> tuple[Find, Any]:
    from rs_ml_perception.cli.detectors import load_detector

    detector = load_detector(args)
    return lambda image: detector(image.frame.rgb), detector.labels


def _known_boxes(args: argparse.Namespace) -> tuple[Find, Any]:
    from rs_ml_perception.cli.box_file import BoxFile

    file = BoxFile(args.boxes, args.classes, args.score_threshold or 0.0)

    def find(image: Any) -> Any:
        height, width = image.frame.rgb.shape[:2]
        return file.detections(image.name, width, height)

    return find, file.labels
