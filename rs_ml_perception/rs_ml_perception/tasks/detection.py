"""Object detection: colour image to boxes; the pipeline adds tracks and positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rs_ml_perception.core.flags import comma_separated
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.objects.boxes import box_areas, clip_boxes, suppress_non_maxima
from rs_ml_perception.core.objects.detections import Detections, Placements, place_detections
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.core.objects.tracking import Tracker
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.core.pipeline import StageTimer
from rs_ml_perception.inference.manifest import ModelManifest
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.preprocess import ImageTransform, Preprocessor
from rs_ml_perception.tasks.decoders.boxes import BOX_DECODERS, RawBoxes
from rs_ml_perception.tasks.decoders.checks import check_outputs, fill_options
from rs_ml_perception.tasks.options import ModelOptions, ModelPipeline, RangeOptions, check_fit

_MOST_CANDIDATES = 1000


@dataclass(frozen=True)
class DetectorOptions(Options):
    """Options of the network's output.

    A network that suppresses duplicates itself is post-processed only if iou_threshold is set.
    """

    score_threshold: float | None = option(
        None, 'minimum score', low=0.0, high=1.0, none=-1.0, none_doc='set by the model'
    )
    iou_threshold: float | None = option(
        None,
        'IoU above which boxes of one class are duplicates',
        low=0.0,
        high=1.0,
        none=-1.0,
        none_doc='set by the model',
    )
    classes: tuple[str, ...] = option(
        (),
        'classes to keep; empty: all',
        metavar='NAME,...',
        parse=comma_separated,
    )
    max_detections: int = option(100, 'maximum number of detections, best first', low=1, high=1000)


@dataclass(frozen=True)
class DetectionOptions(RangeOptions, DetectorOptions):
    """Options of the pipeline."""

    track: bool = option(True, 'assign ids to objects over time', flag=None)


class Detector:
    """Finds objects in RGB images.

    Attributes:
        model: the network.
        labels: names of the class ids.
        stages: wall time of preprocess, inference and postprocess.
        non_finite_boxes: confident boxes of the latest image with an infinite or NaN number, which
            are dropped.
    """

    non_finite_boxes = 0

    def __init__(self, model: Model, options: DetectorOptions | None = None) -> None:
        """Prepare a loaded model.

        Raises:
            ModelError: the model does not detect, its decoder is unknown, or its outputs do not
                fit labels and decoder_options.
            ConfigError: a class that the model does not have.
        """
        manifest = model.manifest
        manifest.require('detection', decoders=BOX_DECODERS)
        self.model = model
        self.labels: LabelMap = manifest.labels
        self.stages = StageTimer()
        self._decoder = BOX_DECODERS[manifest.decoder]
        self._decoder_options = decoder_options(manifest)
        leaves_duplicates = self._decoder_options.get('leaves_duplicates', False)
        self._network_suppresses = self._decoder.suppresses and not leaves_duplicates
        self._preprocess = Preprocessor(manifest.input)
        self.options = options or DetectorOptions()
        check_fit(model, self._decoded)

    @property
    def options(self) -> DetectorOptions:
        """Replace to change them between calls; ConfigError refuses and changes nothing."""
        return self._options

    @options.setter
    def options(self, options: DetectorOptions) -> None:
        wanted = self.labels.known_ids(options.classes, model=self.model.title)
        self._class_ids = np.array(sorted(wanted), np.int32)
        self._options = options

    @property
    def score_threshold(self) -> float:
        """The minimum score in force: of the options, else of the manifest."""
        chosen = self._options.score_threshold
        return float(self.model.manifest.thresholds.score if chosen is None else chosen)

    def __call__(self, rgb: np.ndarray) -> Detections:
        """Find objects.

        Args:
            rgb: uint8 (H, W, 3), RGB.

        Returns:
            Boxes in half-open pixels of `rgb`, clipped to it, best score first.

        Raises:
            InputError: rgb has another type or shape.
        """
        with self.stages('preprocess'):
            tensor, transform = self._preprocess(rgb)
        with self.stages('inference'):
            outputs = self.model({self._preprocess.spec.name: tensor})
        with self.stages('postprocess'):
            return self.postprocess(outputs, transform)

    def postprocess(self, outputs: dict[str, np.ndarray], transform: ImageTransform) -> Detections:
        """Decode, filter, map to the image, clip, suppress and order."""
        options, thresholds = self._options, self.model.manifest.thresholds
        raw = self._decoder.decode(
            outputs, transform.model_size, self.score_threshold, self._decoder_options
        )
        found = self._in_image(self._wanted(raw), transform)
        if options.iou_threshold is None and self._network_suppresses:
            order = np.argsort(-found.scores, kind='stable')
        else:
            iou = thresholds.iou if options.iou_threshold is None else options.iou_threshold
            order = suppress_non_maxima(
                found.xyxy, found.scores, found.class_ids, iou_threshold=iou
            )
        return found[order[: options.max_detections]]

    def _decoded(self, outputs: Mapping[str, np.ndarray]) -> None:
        """Decode for the errors alone."""
        size = self.model.manifest.input.size or (0, 0)
        self._decoder.decode(outputs, size, 1.0, self._decoder_options)

    def _wanted(self, raw: RawBoxes) -> RawBoxes:
        keep = np.isfinite(raw.xyxy).all(axis=1) & np.isfinite(raw.scores)
        self.non_finite_boxes = len(keep) - int(np.count_nonzero(keep))
        if self._options.classes:
            keep &= np.isin(raw.class_ids, self._class_ids)
        kept = np.flatnonzero(keep)
        if len(kept) > _MOST_CANDIDATES:
            best = np.argsort(-raw.scores[kept], kind='stable')[:_MOST_CANDIDATES]
            kept = kept[best]
        return RawBoxes(raw.xyxy[kept], raw.scores[kept], raw.class_ids[kept])

    @staticmethod
    def _in_image(raw: RawBoxes, transform: ImageTransform) -> Detections:
        xyxy = clip_boxes(transform.boxes_to_source(raw.xyxy), *transform.source_size)
        visible = box_areas(xyxy) > 0
        scores = np.clip(raw.scores[visible], 0, 1)
        return Detections(xyxy[visible], scores, raw.class_ids[visible])


def decoder_options(manifest: ModelManifest) -> dict[str, Any]:
    """The options of the decoder, with defaults and the number of classes.

    Raises:
        ModelError: an option is wrong, or the manifest lacks an output that the decoder reads.
    """
    decoder = BOX_DECODERS[manifest.decoder]
    options = fill_options(manifest.name, decoder.options, manifest.decoder_options, decoder.words)
    strides = options.get('strides', ())
    check_outputs(manifest.name, decoder.outputs, manifest.outputs, strides)
    if options.get('classes') == 0 and manifest.labels.names:
        options['classes'] = max(manifest.labels.names) + 1
    return options


@dataclass(frozen=True, eq=False)
class DetectionResult:
    """Objects with, row by row, their positions; labels name their classes.

    `placed_in` is the depth image that shows the positions, None without depth.
    """

    detections: Detections
    placements: Placements
    labels: LabelMap = field(default_factory=lambda: LabelMap({}))
    placed_in: DepthImage | None = None


class DetectionPipeline(ModelPipeline[DetectionOptions]):
    """Frame to DetectionResult. See core.pipeline.Pipeline."""

    def __init__(self, detector: Detector, options: DetectionOptions) -> None:
        self._detector = detector
        self._tracker = Tracker()
        self._stages = StageTimer()
        super().__init__(detector.model, options)

    @classmethod
    def load(cls, choice: ModelOptions, options: DetectionOptions) -> DetectionPipeline:
        """Load the model; raises as ModelOptions.load does."""
        return cls(Detector(choice.load(), options), options)

    def apply(self, options: DetectionOptions) -> None:
        self._detector.options = options
        self._band_m = options.band_m

    def __call__(self, frame: Frame) -> DetectionResult:
        """Detect, track and place the objects of one frame."""
        options = self.options
        detections = self._detector(frame.color_image)
        with self._stages('track'):
            if options.track:
                detections = self._tracker(detections, frame.stamp_ns)
        with self._stages('place'):
            low_m, high_m = self._band_m
            detections, placements = place_detections(
                frame, detections, range_min_m=low_m, range_max_m=high_m
            )
        return DetectionResult(detections, placements, self.labels, frame.depth)

    def readings(self) -> dict[str, float]:
        """Dropped boxes, if there are any: the network, or its precision, is at fault."""
        count = self._detector.non_finite_boxes
        return {'non_finite_boxes': float(count)} if count else {}

    @property
    def score_threshold(self) -> float:
        """The minimum score in force."""
        return self._detector.score_threshold

    def reset(self) -> None:
        self._tracker.reset()

    def take_stages(self) -> dict[str, float]:
        return {**self._detector.stages.take(), **self._stages.take()}
