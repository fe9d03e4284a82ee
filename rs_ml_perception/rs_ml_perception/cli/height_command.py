"""rs-ml height: heights of persons in recordings, or in images with depth."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rs_ml_perception.cli.color_commands import load_detector
from rs_ml_perception.cli.task_options import INPUT, TASK, DepthRunOptions, add_run_flags
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.flags import add_flags, from_flags
from rs_ml_perception.core.options import option
from rs_ml_perception.tasks.detection import DetectorOptions
from rs_ml_perception.tasks.height import HeightEstimator, HeightOptions

PERSONS = {'classes': ('person',)}
"""Classes that are measured by default."""


Find = Callable[[Any], Any]
"""Detections of an InputImage."""


@dataclass(frozen=True)
class HeightRunOptions(DepthRunOptions):
    """Input and output of `height`."""

    accelerometer: Path | None = option(
        None,
        'JSON file with readings {image: [[x, y, z], ...]} in optical axes',
        unit='m/s2',
        none_doc='that of the recording, else the floor',
        metavar='FILE',
        group=INPUT,
    )
    boxes: Path | None = option(
        None,
        'results.jsonl with detections to use instead of --model',
        metavar='FILE',
        group=INPUT,
    )


def add_height(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        'height',
        help='measure persons',
        description='Measure persons from the floor to the top of the head, along gravity.',
        example="""
            rs-ml height recordings/room
            rs-ml height a.png --depth depth --intrinsics 615,615,320,240
        """,
    )
    add_run_flags(parser, HeightRunOptions, task='detection', out='out/height')
    add_flags(parser, DetectorOptions, group=TASK, defaults=PERSONS)
    add_flags(parser, HeightOptions, group=TASK)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rs_ml_perception.cli.task_run import run_task

    options = from_flags(HeightRunOptions, args)
    return run_task(
        args,
        options,
        _prepare,
        noun='person',
        keep_results=True,
        needs_depth=True,
        needs_up=True,
    )


def _prepare(args: argparse.Namespace) -> Any:
    from rs_ml_perception.cli.height_inputs import GravityFile
    from rs_ml_perception.cli.result_fields import height_fields
    from rs_ml_perception.cli.task_output import TaskResult
    from rs_ml_perception.core.drawing.annotations import draw_heights

    options = from_flags(HeightRunOptions, args)
    estimator = HeightEstimator(from_flags(HeightOptions, args))
    gravity = None if options.accelerometer is None else GravityFile(options.accelerometer)
    find, labels = _detector(args) if options.boxes is None else _known_boxes(args, options.boxes)

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
            pictures={'_annotated.png': lambda rgb: draw_heights(rgb, heights)},
        )

    return measure


def _detector(args: argparse.Namespace) -> tuple[Find, Any]:
    detector = load_detector(args)
    return lambda image: detector(image.frame.rgb), detector.labels


def _known_boxes(args: argparse.Namespace, path: Path) -> tuple[Find, Any]:
    from rs_ml_perception.cli.height_inputs import BoxFile

    wanted = from_flags(DetectorOptions, args)
    file = BoxFile(path, wanted.classes, wanted.score_threshold or 0.0)

    def find(image: Any) -> Any:
        height, width = image.frame.rgb.shape[:2]
        return file.detections(image.name, width, height)

    return find, file.labels
