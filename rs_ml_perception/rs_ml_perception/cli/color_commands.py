"""rs-ml detect and segment: one network on colour images, videos and recordings."""

from __future__ import annotations

import argparse
from typing import Any

from rs_ml_perception.cli.task_options import (
    TASK,
    DepthRunOptions,
    add_run_flags,
)
from rs_ml_perception.core.flags import add_flags, from_flags
from rs_ml_perception.tasks.detection import DetectionOptions, Detector, DetectorOptions
from rs_ml_perception.tasks.options import ModelOptions
from rs_ml_perception.tasks.segmentation import Segmenter, SegmenterOptions


def add_detect(subparsers: Any) -> None:
    """Add the command `detect`."""
    parser = subparsers.add_parser(
        'detect',
        help='detect objects',
        description='Detect objects, with their 3-D position if there is depth.',
        example='rs-ml detect street.jpg --classes person,car --score-threshold 0.5',
    )
    add_run_flags(parser, DepthRunOptions, task='detection', out='out/detect')
    add_flags(parser, DetectionOptions, group=TASK)
    parser.set_defaults(run=run_detect)


def add_segment(subparsers: Any) -> None:
    """Add the command `segment`."""
    parser = subparsers.add_parser(
        'segment',
        help='predict a class for every pixel',
        description='Predict a class for every pixel; 255 is unlabelled.',
        example='rs-ml segment recordings/room --max-frames 10',
    )
    add_run_flags(parser, DepthRunOptions, task='segmentation', out='out/segment')
    add_flags(parser, SegmenterOptions, group=TASK)
    parser.set_defaults(run=run_segment)


def load_detector(args: argparse.Namespace) -> Detector:
    """Load the detector that the flags choose.

    Raises:
        RsMlError: the model cannot be loaded, or does not detect these classes.
    """
    options = from_flags(DetectorOptions, args)
    return Detector(from_flags(ModelOptions, args).load(checks_golden=False), options)


def run_detect(args: argparse.Namespace) -> int:
    """Run `detect`."""
    from rs_ml_perception.cli.task_run import run_task

    options = from_flags(DepthRunOptions, args)
    return run_task(args, options, _prepare_detect, noun='object', keep_results=True)


def run_segment(args: argparse.Namespace) -> int:
    """Run `segment`."""
    from rs_ml_perception.cli.task_run import run_task

    options = from_flags(DepthRunOptions, args)
    return run_task(args, options, _prepare_segment, noun='mask', keep_results=False)


def _prepare_detect(args: argparse.Namespace) -> Any:
    from rs_ml_perception.cli.result_fields import detection_fields
    from rs_ml_perception.cli.task_output import TaskResult
    from rs_ml_perception.core.drawing.annotations import annotate_detections
    from rs_ml_perception.core.objects.detections import place_detections

    low_m, high_m = from_flags(DetectionOptions, args).band_m
    detector = load_detector(args)

    def detect(image: Any) -> TaskResult:
        frame = image.frame
        detections = detector(frame.rgb)
        placements = None
        if frame.depth is not None and frame.camera is not None:
            detections, placements = place_detections(
                frame, detections, range_min_m=low_m, range_max_m=high_m
            )
        fields = {'detections': detection_fields(detections, detector.labels, placements)}
        return TaskResult(
            fields,
            len(detections),
            pictures={
                '_annotated.png': lambda rgb: annotate_detections(
                    rgb, detections, detector.labels, placements
                )
            },
        )

    return detect


def _prepare_segment(args: argparse.Namespace) -> Any:
    from rs_ml_perception.cli.result_fields import mask_fields
    from rs_ml_perception.cli.task_output import TaskResult
    from rs_ml_perception.core.drawing.panel import draw_mask

    options = from_flags(SegmenterOptions, args)
    segmenter = Segmenter(from_flags(ModelOptions, args).load(checks_golden=False), options)

    def segment(image: Any) -> TaskResult:
        mask = segmenter(image.frame.rgb, image.frame)
        return TaskResult(
            mask_fields(mask, segmenter.labels),
            1,
            files={'_mask.png': mask},
            pictures={'_annotated.png': lambda rgb: draw_mask(rgb, mask, segmenter.labels)},
        )

    return segment
