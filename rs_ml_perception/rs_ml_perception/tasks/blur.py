"""Images without recognizable people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.drawing.blur import HEADS, PEOPLE, blur_boxes, head_boxes
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.inference.shelf import DEFAULT_MODELS
from rs_ml_perception.tasks.detection import Detector, DetectorOptions
from rs_ml_perception.tasks.options import ModelOptions

OFF = 'off'
_PERSON = 'person'


@dataclass(frozen=True)
class BlurOptions(Options):
    """People in annotated and recorded images."""

    blur: str = option(
        OFF,
        'blur detected people or their heads in images; frames that cannot be are dropped',
        choices=(OFF, PEOPLE, HEADS),
        group='output',
    )
    blur_model: str = option(
        DEFAULT_MODELS['detection'],
        'detector of people for blurring, a model directory or name',
        metavar='NAME|DIR',
        group='output',
    )
    blur_threshold: float = option(
        0.2,
        'minimum score of people to blur',
        low=0.0,
        high=1.0,
        group='output',
    )


class Blurrer:
    """Blurs people.

    Args:
        detector: of people.
        part: 'people' or 'heads'.
    """

    def __init__(self, detector: Detector, part: str) -> None:
        self._detector, self._part = detector, part

    @classmethod
    def load(cls, options: BlurOptions) -> Blurrer | None:
        """Load the detector; None if nothing is to be blurred.

        Raises:
            RsMlError: the model cannot be loaded, or does not detect people.
        """
        if options.blur == OFF:
            return None
        model = ModelOptions(model=options.blur_model).load(checks_golden=False)
        found = DetectorOptions(score_threshold=options.blur_threshold, classes=(_PERSON,))
        return cls(Detector(model, found), options.blur)

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """Detect and blur people.

        Args:
            rgb: uint8 (H, W, 3), RGB.

        Returns:
            A new image.

        Raises:
            InputError: people could not be detected; the image must not be shown.
        """
        try:
            xyxy = self._detector(rgb).xyxy
        except Exception as error:  # of any kind: unknown people must not be shown
            raise InputError(f'people are not blurred, so it is dropped: {error}') from error
        return blur_boxes(rgb, head_boxes(xyxy) if self._part == HEADS else xyxy)

    def close(self) -> None:
        """Release the model."""
        self._detector.model.close()
