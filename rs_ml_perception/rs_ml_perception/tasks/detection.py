"""Object detection: colour image to boxes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rs_ml_perception.core.band import closed_band
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.objects.boxes import box_areas, clip_boxes
from rs_ml_perception.core.objects.detections import Detections
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.core.objects.nms import suppress_non_maxima
from rs_ml_perception.core.objects.placements import Placements, place_detections
from rs_ml_perception.core.objects.tracking import Tracker
from rs_ml_perception.core.preprocess import ImageTransform, Preprocessor
from rs_ml_perception.core.stages import StageTimer
from rs_ml_perception.inference.model import Model
from rs_ml_perception.tasks.decoders.boxes import BOX_DECODERS, check_outputs, fill_options
from rs_ml_perception.tasks.decoders.raw_boxes import RawBoxes
from rs_ml_perception.tasks.model_choice import ModelChoice, describe

_MOST_CANDIDATES = 1000


@dataclass(frozen=True)
class DetectorOptions:
    """What is kept of what the network finds.

    Attributes:
        score_threshold: least score, in [0, 1]; None: the manifest's.
        iou_threshold: boxes of one class that overlap a better one by more go, in [0, 1]; None:
            the manifest's for a network that leaves duplicates, no further removal for one that
            does not.
        classes: names to keep; empty: all.
        max_detections: best ones to keep.
    """

    score_threshold: float | None = None
    iou_threshold: float | None = None
    classes: tuple[str, ...] = ()
    max_detections: int = 100

    def __post_init__(self) -> None:
        for name in ('score_threshold', 'iou_threshold'):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ConfigError(f'{name} must be within 0..1, got {value}')
        if self.max_detections < 1:
            raise ConfigError(f'max_detections must be at least 1, got {self.max_detections}')


class Detector:
    """Finds objects in RGB images.

    Attributes:
        model: the network.
        labels: names of the class ids.
        stages: wall time of preprocess, inference and postprocess.
    """

    def __init__(self, model: Model, options: DetectorOptions | None = None) -> None:
        """Prepare a loaded model.

        Raises:
            ModelError: it is no detection model, or its decoder is unknown.
            ConfigError: a class that the model does not know.
        """
        manifest = model.manifest
        manifest.require('detection', decoders=BOX_DECODERS)
        self.model = model
        self.labels: LabelMap = manifest.labels
        self.stages = StageTimer()
        self._decoder = BOX_DECODERS[manifest.decoder]
        check_outputs(manifest.name, self._decoder.outputs, manifest.outputs)
        self._decoder_options = fill_options(
            manifest.name, self._decoder.options, manifest.decoder_options
        )
        leaves_duplicates = self._decoder_options.get('leaves_duplicates', False)
        self._network_suppresses = self._decoder.suppresses and not leaves_duplicates
        self._preprocess = Preprocessor(manifest.input)
        self.options = options or DetectorOptions()

    @property
    def options(self) -> DetectorOptions:
        """Replace to change thresholds while running; a wrong one raises and changes nothing."""
        return self._options

    @options.setter
    def options(self, options: DetectorOptions) -> None:
        wanted = self.labels.known_ids(options.classes, model=self.model.title)
        self._class_ids = np.array(sorted(wanted), np.int32)
        self._options = options

    @property
    def score_threshold(self) -> float:
        """Least score in force: that of the options, else the manifest's."""
        chosen = self._options.score_threshold
        return float(self.model.manifest.thresholds.score if chosen is None else chosen)

    def __call__(self, rgb: np.ndarray) -> Detections:
        """Find objects.

        Args:
            rgb: uint8 (H, W, 3), RGB.

        Returns:
            Boxes in half-open pixels of `rgb`, clipped to it, best score first.

        Raises:
            InputError: rgb is no such image.
        """
        with self.stages('preprocess'):
            tensor, transform = self._preprocess(rgb)
        with self.stages('inference'):
            outputs = self.model({self.model.manifest.input.name: tensor})
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

    def _wanted(self, raw: RawBoxes) -> RawBoxes:
        keep = np.isfinite(raw.xyxy).all(axis=1) & np.isfinite(raw.scores)
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


@dataclass(frozen=True)
class DetectionPipelineOptions:
    """What may change between frames.

    Attributes:
        detector: thresholds and classes.
        track: number objects over time.
        range_min_m, range_max_m: keep objects within this band of distance.
    """

    detector: DetectorOptions = field(default_factory=DetectorOptions)
    track: bool = True
    range_min_m: float = 0.0
    range_max_m: float = np.inf

    def __post_init__(self) -> None:
        closed_band(self.range_min_m, self.range_max_m)


@dataclass(frozen=True, eq=False)
class DetectionResult:
    """Objects and, row by row, where they are."""

    detections: Detections
    placements: Placements


class DetectionPipeline:
    """Frame to DetectionResult. See core.pipeline.Pipeline."""

    def __init__(self, detector: Detector, options: DetectionPipelineOptions) -> None:
        self.title = detector.model.title
        self.backend = detector.model.backend_name
        self.labels = detector.labels
        self._detector = detector
        self._tracker = Tracker()
        self._stages = StageTimer()
        self.options = options

    @classmethod
    def load(cls, choice: ModelChoice, options: DetectionPipelineOptions) -> DetectionPipeline:
        """Load the model; see ModelChoice.load for what it raises."""
        return cls(Detector(choice.load(), options.detector), options)

    @property
    def options(self) -> DetectionPipelineOptions:
        """May be replaced at any time; ConfigError for a class the model does not know."""
        return self._options

    @options.setter
    def options(self, options: DetectionPipelineOptions) -> None:
        self._detector.options = options.detector
        self._options = options

    def __call__(self, frame: Frame) -> DetectionResult:
        """Find, number and place the objects of one frame."""
        options = self._options
        detections = self._detector(frame.rgb)
        with self._stages('track'):
            if options.track:
                detections = self._tracker(detections, frame.stamp_ns)
        with self._stages('place'):
            detections, placements = place_detections(
                frame,
                detections,
                range_min_m=options.range_min_m,
                range_max_m=options.range_max_m,
            )
        return DetectionResult(detections, placements)

    @property
    def score_threshold(self) -> float:
        """Least score in force."""
        return self._detector.score_threshold

    def describe(self) -> dict[str, str]:
        return describe(self._detector.model)

    def warm_up(self) -> float:
        return self._detector.model.warm_up()

    def reset(self) -> None:
        self._tracker.reset()

    def take_stages(self) -> dict[str, float]:
        return {**self._detector.stages.take(), **self._stages.take()}

    def close(self) -> None:
        self._detector.model.close()
