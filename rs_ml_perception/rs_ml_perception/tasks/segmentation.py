"""Semantic segmentation: colour image, and depth where there is any, to a class per pixel."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from rs_ml_perception.core.drawing.annotations import transparent_ids
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.objects.labels import UNLABELLED, LabelMap
from rs_ml_perception.core.objects.regions import (
    DEFAULT_MAX_REGIONS,
    DEFAULT_MIN_AREA_PX,
    Regions,
    find_regions,
)
from rs_ml_perception.core.preprocess import Preprocessor
from rs_ml_perception.core.stages import StageTimer
from rs_ml_perception.inference.model import Model
from rs_ml_perception.tasks.decoders.boxes import check_outputs, fill_options
from rs_ml_perception.tasks.decoders.masks import MASK_DECODERS
from rs_ml_perception.tasks.depth_input import DEPTH, DepthInput, depth_spec
from rs_ml_perception.tasks.model_choice import ModelChoice, describe

_OUTPUT = 'mask'


@dataclass(frozen=True)
class SegmenterOptions:
    """What is kept of what the network says.

    Attributes:
        confidence_threshold: pixels whose best class is less probable are unlabelled, in [0, 1];
            0 keeps all. A network that gives class ids alone takes nothing else.
    """

    confidence_threshold: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.confidence_threshold <= 1:
            raise ConfigError(
                f'confidence_threshold must be within 0..1, got {self.confidence_threshold}'
            )


class Segmenter:
    """Labels every pixel of RGB images, with measured depth for networks that take it.

    Attributes:
        model: the network.
        labels: names of the class ids.
        stages: wall time of preprocess, inference and postprocess.
    """

    def __init__(self, model: Model, options: SegmenterOptions | None = None) -> None:
        """Prepare a loaded model.

        Raises:
            ModelError: it is no segmentation model, its decoder is unknown, or it has inputs that
                are neither a picture nor depth.
            ConfigError: a confidence is asked for that the model does not give.
        """
        manifest = model.manifest
        manifest.require('segmentation', decoders=MASK_DECODERS)
        check_outputs(manifest.name, (_OUTPUT,), manifest.outputs)
        fill_options(manifest.name, {}, manifest.decoder_options)
        self.model = model
        self.labels: LabelMap = manifest.labels
        self.stages = StageTimer()
        self._decode = MASK_DECODERS[manifest.decoder]
        self._preprocess = Preprocessor(manifest.input)
        spec = depth_spec(manifest)
        self._depth_input = None if spec is None else DepthInput(spec)
        self.options = options or SegmenterOptions()

    @property
    def options(self) -> SegmenterOptions:
        """Replace to change thresholds while running; a wrong one raises and changes nothing."""
        return self._options

    @options.setter
    def options(self, options: SegmenterOptions) -> None:
        if options.confidence_threshold and self.model.manifest.decoder == 'class_map':
            raise ConfigError(
                f'{self.model.title} gives class ids without confidence: '
                f'confidence_threshold must be 0, got {options.confidence_threshold}'
            )
        self._options = options

    @property
    def uses_depth(self) -> bool:
        """Whether the network looks at depth where a frame has any."""
        return self._depth_input is not None

    def __call__(self, rgb: np.ndarray, frame: Frame | None = None) -> np.ndarray:
        """Label an image.

        Args:
            rgb: uint8 (H, W, 3), RGB.
            frame: what was measured with it; its depth, aligned or not, goes to a network that
                takes depth. None: nothing was.

        Returns:
            uint8 (H, W), class ids; 255 where there is no label.

        Raises:
            InputError: rgb is no such image, or aligned depth has another size.
        """
        with self.stages('preprocess'):
            tensor, transform = self._preprocess(rgb)
            inputs = {self.model.manifest.input.name: tensor}
            if self._depth_input is not None:
                inputs[DEPTH] = self._depth_input(frame, transform)
        with self.stages('inference'):
            outputs = self.model(inputs)
        with self.stages('postprocess'):
            layout = self.model.manifest.input.layout
            ids = self._decode(outputs[_OUTPUT], layout, self._options.confidence_threshold)
            return transform.to_source(ids, interpolation=cv2.INTER_NEAREST, fill=UNLABELLED)


@dataclass(frozen=True)
class SegmentationPipelineOptions:
    """What may change between frames.

    Attributes:
        segmenter: confidence threshold.
        classes: names of the classes regions are made of; empty: all but background.
        min_area_px: smallest region.
        max_regions: largest ones to keep.
    """

    segmenter: SegmenterOptions = field(default_factory=SegmenterOptions)
    classes: tuple[str, ...] = ()
    min_area_px: int = DEFAULT_MIN_AREA_PX
    max_regions: int = DEFAULT_MAX_REGIONS


class SegmentationPipeline:
    """Frame to class mask, uint8 (H, W), 255 unlabelled. See core.pipeline.Pipeline."""

    def __init__(self, segmenter: Segmenter, options: SegmentationPipelineOptions) -> None:
        self.title = segmenter.model.title
        self.backend = segmenter.model.backend_name
        self.labels = segmenter.labels
        self._segmenter = segmenter
        self._stages = StageTimer()
        self.options = options

    @classmethod
    def load(
        cls, choice: ModelChoice, options: SegmentationPipelineOptions
    ) -> SegmentationPipeline:
        """Load the model; see ModelChoice.load for what it raises."""
        return cls(Segmenter(choice.load(), options.segmenter), options)

    @property
    def options(self) -> SegmentationPipelineOptions:
        """May be replaced at any time; ConfigError for a class the model does not know."""
        return self._options

    @options.setter
    def options(self, options: SegmentationPipelineOptions) -> None:
        self._ignored = self._ids_without_region(options.classes)
        self._segmenter.options = options.segmenter
        self._options = options

    def __call__(self, frame: Frame) -> np.ndarray:
        """The mask of one frame, in pixels of its colour image."""
        return self._segmenter(frame.rgb, frame)

    def regions(self, mask: np.ndarray, frame: Frame) -> Regions:
        """Connected regions of the mask with poses where the frame has depth."""
        with self._stages('regions'):
            return find_regions(
                mask,
                frame,
                min_area_px=self._options.min_area_px,
                max_regions=self._options.max_regions,
                ignore=self._ignored,
            )

    def _ids_without_region(self, classes: tuple[str, ...]) -> tuple[int, ...]:
        if not classes:
            return transparent_ids(self.labels)
        wanted = self.labels.known_ids(classes, model=self.title)
        return tuple(class_id for class_id in range(256) if class_id not in wanted)

    def describe(self) -> dict[str, str]:
        return describe(self._segmenter.model)

    def warm_up(self) -> float:
        return self._segmenter.model.warm_up()

    def reset(self) -> None:
        """Nothing is tracked."""

    def take_stages(self) -> dict[str, float]:
        return {**self._segmenter.stages.take(), **self._stages.take()}

    def close(self) -> None:
        self._segmenter.model.close()
