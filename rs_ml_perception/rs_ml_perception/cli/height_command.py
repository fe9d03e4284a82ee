"""rs-ml height: heights of persons in recordings, or in pictures with depth."""

from __future__ import annotations

import argparse
from typing import Any

from rs_ml_perception.cli.task_arguments import (
    add_depth_arguments,
    add_detection_arguments,
    add_range_arguments,
    add_task_arguments,
    detector_options,
)
from rs_ml_perception.inference.shelf import DEFAULT_MODELS


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser('height', help='measure persons')
    add_task_arguments(parser, model=DEFAULT_MODELS['detection'], out='out/height')
    add_detection_arguments(parser, classes=('person',))
    add_depth_arguments(parser)
    add_range_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rs_ml_perception.cli.task_run import run_task

    return run_task(args, _prepare, noun='persons', keep_results=True, needs_depth=True)


def _prepare(args: argparse.Namespace) -> Any:
    from rs_ml_perception.cli.result_fields import height_fields
    from rs_ml_perception.cli.task_run import TaskResult
    from rs_ml_perception.core.draw import draw_heights
    from rs_ml_perception.core.errors import InputError
    from rs_ml_perception.inference.model import load_model
    from rs_ml_perception.tasks.detector import Detector, DetectorOptions
    from rs_ml_perception.tasks.height_estimator import HeightEstimator, HeightOptions

    height_options = HeightOptions(range_min_m=args.range_min_m, range_max_m=args.range_max_m)
    options = DetectorOptions(**detector_options(args))
    model = load_model(args.model, backend=args.backend, device=args.device, threads=args.threads)
    detector = Detector(model, options)
    estimator = HeightEstimator(height_options)

    def measure(image: Any) -> TaskResult:
        frame = image.frame
        if frame.depth is None:
            raise InputError('there is no depth: pass a recording with depth, or --depth DIR')
        if frame.camera is None:
            raise InputError('intrinsics are unknown: pass --intrinsics fx,fy,cx,cy')
        heights = estimator(frame, detector(frame.rgb))
        return TaskResult(
            {'detections': height_fields(heights, detector.labels)},
            len(heights),
            pictures={'_annotated.png': lambda: draw_heights(frame.rgb, heights)},
        )

    return measure
