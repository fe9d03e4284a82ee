"""rs-ml segment: a class for every pixel."""

from __future__ import annotations

import argparse
from typing import Any

from rs_ml_perception.cli.task_arguments import add_depth_arguments, add_task_arguments
from rs_ml_perception.inference.shelf import DEFAULT_MODELS


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser('segment', help='label every pixel')
    add_task_arguments(parser, model=DEFAULT_MODELS['segmentation'], out='out/segment')
    parser.add_argument(
        '--confidence-threshold',
        type=float,
        default=0.0,
        help='pixels less probable are 255, unlabelled, in [0, 1] (default: %(default)s)',
    )
    add_depth_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rs_ml_perception.cli.task_run import run_task

    return run_task(args, _prepare, noun='masks', keep_results=False)


def _prepare(args: argparse.Namespace) -> Any:
    from rs_ml_perception.cli.result_fields import mask_fields
    from rs_ml_perception.cli.task_run import TaskResult
    from rs_ml_perception.core.drawing.annotations import overlay_mask, transparent_ids
    from rs_ml_perception.inference.model import load_model
    from rs_ml_perception.tasks.segmentation import Segmenter, SegmenterOptions

    options = SegmenterOptions(confidence_threshold=args.confidence_threshold)
    model = load_model(args.model, backend=args.backend, device=args.device, threads=args.threads)
    segmenter = Segmenter(model, options)
    clear = transparent_ids(segmenter.labels)

    def segment(image: Any) -> TaskResult:
        rgb = image.frame.rgb
        mask = segmenter(rgb, image.frame)
        return TaskResult(
            mask_fields(mask, segmenter.labels),
            1,
            files={'_mask.png': mask},
            pictures={'_annotated.png': lambda: overlay_mask(rgb, mask, transparent=clear)},
        )

    return segment
