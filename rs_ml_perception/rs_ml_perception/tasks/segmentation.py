"""Semantic segmentation: colour image, with depth if available, to a class per pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.core.pipeline import StageTimer
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.preprocess import Preprocessor
from rs_ml_perception.tasks.decoders.checks import check_outputs, fill_options
from rs_ml_perception.tasks.decoders.masks import MASK_DECODERS, mask_layout
from rs_ml_perception.tasks.depth_input import DEPTH, DepthInput, depth_spec
from rs_ml_perception.tasks.options import ModelOptions, ModelPipeline, check_fit

_OUTPUT = 'mask'


@dataclass(frozen=True)
class SegmenterOptions(Options):
    """Options of the mask. A network that predicts class ids only takes no threshold."""

    confidence_threshold: float = option(
        0.0, 'minimum confidence; pixels below it become 255, unlabelled', low=0.0, high=1.0
    )


@dataclass(frozen=True)
class SegmentationOptions(SegmenterOptions):
    """Options of the pipeline."""

    classes: tuple[str, ...] = option(
        (), 'classes that form regions; empty: all but background', flag=None
    )
    min_area_px: int = option(
        DEFAULT_MIN_AREA_PX,
        'minimum area of a region',
        unit='px',
        low=1,
        high=100_000_000,
        flag=None,
    )
    max_regions: int = option(
        DEFAULT_MAX_REGIONS,
        'maximum number of regions, largest first',
        low=1,
        high=1000,
        flag=None,
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
            ModelError: the model does not segment, its decoder is unknown, its output does not
                fit the labels, or it has inputs other than an image and depth.
            ConfigError: a confidence threshold for a model without confidence.
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
        check_fit(model, self._ids)

    @property
    def options(self) -> SegmenterOptions:
        """Replace to change them between calls; ConfigError refuses and changes nothing."""
        return self._options

    @options.setter
    def options(self, options: SegmenterOptions) -> None:
        if options.confidence_threshold and self.model.manifest.decoder == 'class_map':
            raise ConfigError(
                f'{self.model.title} predicts class ids without confidence: '
                f'confidence_threshold must be 0, got {options.confidence_threshold}'
            )
        self._options = options

    @property
    def uses_depth(self) -> bool:
        """Whether the network has a depth input."""
        return self._depth_input is not None

    def __call__(self, rgb: np.ndarray, frame: Frame | None = None) -> np.ndarray:
        """Label an image.

        Args:
            rgb: uint8 (H, W, 3), RGB.
            frame: its depth, aligned or not, goes to a network with a depth input.

        Returns:
            uint8 (H, W), class ids; 255 is unlabelled.

        Raises:
            InputError: rgb has another type or shape, or aligned depth has another size.
        """
        with self.stages('preprocess'):
            tensor, transform = self._preprocess(rgb)
            inputs = {self._preprocess.spec.name: tensor}
            if self._depth_input is not None:
                inputs[DEPTH] = self._depth_input(frame, transform)
        with self.stages('inference'):
            outputs = self.model(inputs)
        with self.stages('postprocess'):
            ids = self._ids(outputs)
            return transform.to_source(ids, interpolation=cv2.INTER_NEAREST, fill=UNLABELLED)

    def _ids(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Class ids in pixels of the network's output, uint8 (h, w)."""
        output, manifest = outputs[_OUTPUT], self.model.manifest
        classes = max(self.labels.names, default=-1) + 1
        layout = mask_layout(manifest.decoder, output.shape, manifest.input.layout, classes)
        return self._decode(output, layout, self._options.confidence_threshold)


class SegmentationPipeline(ModelPipeline[SegmentationOptions]):
    """Frame to class mask, uint8 (H, W), 255 unlabelled. See core.pipeline.Pipeline."""

    def __init__(self, segmenter: Segmenter, options: SegmentationOptions) -> None:
        self._segmenter = segmenter
        self._stages = StageTimer()
        super().__init__(segmenter.model, options)

    @classmethod
    def load(cls, choice: ModelOptions, options: SegmentationOptions) -> SegmentationPipeline:
        """Load the model; raises as ModelOptions.load does."""
        return cls(Segmenter(choice.load(), options), options)

    def apply(self, options: SegmentationOptions) -> None:
        ignored = self._ids_without_region(options.classes)
        self._segmenter.options = options
        self._ignored = ignored

    def __call__(self, frame: Frame) -> np.ndarray:
        """The mask of one frame, in pixels of its colour image."""
        return self._segmenter(frame.color_image, frame)

    def regions(self, mask: np.ndarray, frame: Frame) -> Regions:
        """Connected regions of the mask, with poses if the frame has depth."""
        with self._stages('regions'):
            return find_regions(
                mask,
                frame,
                min_area_px=self.options.min_area_px,
                max_regions=self.options.max_regions,
                ignore=self._ignored,
            )

    def _ids_without_region(self, classes: tuple[str, ...]) -> tuple[int, ...]:
        segmenter = self._segmenter
        if not classes:
            return transparent_ids(segmenter.labels)
        wanted = segmenter.labels.known_ids(classes, model=segmenter.model.title)
        return tuple(class_id for class_id in range(256) if class_id not in wanted)

    def take_stages(self) -> dict[str, float]:
        return {**self._segmenter.stages.take(), **self._stages.take()}
