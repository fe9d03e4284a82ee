"""rs-ml detect: objects in pictures, videos and recordings."""

from __future__ import annotations

import argparse
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
    parser = subparsers.add_parser('detect', help='find objects')
    add_task_arguments(parser, model=DEFAULT_MODELS['detection'], out='out/detect')
    add_detection_arguments(parser, classes=())
    add_depth_arguments(parser)
    add_range_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rs_ml_perception.cli.task_run import run_task

    return run_task(args, _prepare, noun='objects', keep_results=True)


def _prepare(args: argparse.Namespace) -> Any:
    from rs_ml_perception.cli.detectors import load_detector
    from rs_ml_perception.cli.result_fields import detection_fields
    from rs_ml_perception.cli.task_run import TaskResult
    from rs_ml_perception.core.drawing.annotations import annotate_detections
    from rs_ml_perception.core.objects.placements import place_detections

    detector = load_detector(args)
    band = {'range_min_m': args.range_min_m, 'range_max_m': args.range_max_m}

    def detect(image: Any) -> TaskResult:
        frame = image.frame
        detections = detector(frame.rgb)
        placements = None
        if frame.depth is not None and frame.camera is not None:
            detections, placements = place_detections(frame, detections, **band)
        fields = {'detections': detection_fields(detections, detector.labels, placements)}
        return TaskResult(
            fields,
            len(detections),
            pictures={
                '_annotated.png': lambda: annotate_detections(
                    frame.rgb, detections, detector.labels, placements
                )
            },
        )

    return detect
