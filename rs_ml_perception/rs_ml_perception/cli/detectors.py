"""The detector that the arguments of a command ask for."""

from __future__ import annotations

import argparse

from rs_ml_perception.inference.model import load_model
from rs_ml_perception.tasks.detection import Detector, DetectorOptions


def load_detector(args: argparse.Namespace) -> Detector:
    """Load it.

    Args:
        args: from `add_task_arguments` and `add_detection_arguments`.

    Raises:
        RsMlError: the model cannot be loaded, or is no detector of these classes.
    """
    options = DetectorOptions(
        score_threshold=args.score_threshold,
        iou_threshold=args.iou_threshold,
        classes=args.classes,
        max_detections=args.max_detections,
    )
    model = load_model(args.model, backend=args.backend, device=args.device, threads=args.threads)
    return Detector(model, options)
