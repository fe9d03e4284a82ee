"""Heights of detected persons."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from rs_ml_perception.core.frames.aligned_depth import without_overlap
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.floor import FloorPlane, fit_floor
from rs_ml_perception.core.geometry.gravity import Up, camera_vertical
from rs_ml_perception.core.geometry.projection import project
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.objects.boxes import box_areas, clip_boxes
from rs_ml_perception.core.objects.detections import Detections, Placements, place_detections
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.core.options import option
from rs_ml_perception.core.people.height_track import HeightTracks
from rs_ml_perception.core.people.heights import HeightStatus, PersonHeights
from rs_ml_perception.core.people.person_points import PersonPoints, separate_person
from rs_ml_perception.core.people.stature import MAX_STATURE_M, BoxLimits, Stature, measure_stature
from rs_ml_perception.core.pipeline import Pipeline, StageTimer
from rs_ml_perception.tasks.options import RangeOptions

_MOST_LOOKS = 3
"""Up to this many times max_people are placed, in search of persons within range."""

_NAN_POINT = np.full(3, np.nan)
_UNKNOWN = Stature(HeightStatus.NO_DEPTH, np.nan, np.nan, _NAN_POINT, _NAN_POINT)


@dataclass(frozen=True)
class HeightOptions(RangeOptions):
    """Options of the pipeline, and of the estimator, which takes persons only.

    Attributes:
        steady: smooth heights over the frames of a track.
        border_share: a box closer to the border than this fraction of the image height counts as
            truncated: boxes of detectors often end a little before the border.
    """

    classes: tuple[str, ...] = option(('person',), 'classes to measure', flag=None)
    max_people: int = option(
        20,
        'maximum number of persons to measure, best first; the others are listed as NOT_MEASURED',
        low=1,
        high=1000,
        flag=None,
    )
    steady: bool = True
    border_share: float = 0.015


class HeightEstimator:
    """Measures persons from the depth inside their boxes.

    Example:
        >>> estimator = HeightEstimator()
        >>> heights = estimator(frame, persons, up=up_from_accelerometer(samples))
        >>> heights.height_m[heights.status == HeightStatus.OK]

    Attributes:
        options: may be replaced between calls.
        stages: time per stage: floor, placements, heights.
    """

    def __init__(self, options: HeightOptions | None = None) -> None:
        self.options = HeightOptions() if options is None else options
        self.stages = StageTimer()
        self._tracks = HeightTracks()

    def reset(self) -> None:
        """Forget all tracks: time has jumped, or the camera has changed."""
        self._tracks.clear()

    def __call__(
        self,
        frame: Frame,
        detections: Detections,
        *,
        up: Up | None = None,
        placements: Placements | None = None,
    ) -> PersonHeights:
        """Measure the persons of one frame.

        Args:
            frame: colour size and intrinsics, with depth aligned or not.
            detections: persons only; track_ids identify them over time.
            up: against gravity in the colour optical frame; None: that of the frame, else the
                normal of the visible floor, else the vertical of the image.
            placements: of the detections, if they are known from the same depth.

        Returns:
            Heights of the detections within range, in their order. The status is NO_DEPTH without
            depth or intrinsics, and for boxes outside the image.
        """
        with self.stages('placements'):
            detections, placements, status = self._chosen(frame, detections, placements)
        up = frame.up if up is None else up
        floor = None
        if HeightStatus.OK in status:
            with self.stages('floor'):
                frame = without_overlap(frame)
                floor = _floor_in_color(frame, up)
        if up is None:
            up = camera_vertical() if floor is None else floor.as_up()
        with self.stages('heights'):
            rows = [
                self._measure(frame, xyxy, track_id, up, floor)
                if status[i] == HeightStatus.OK
                else (replace(_UNKNOWN, status=HeightStatus(status[i])), 0)
                for i, (xyxy, _, _, track_id) in enumerate(detections)
            ]
        return _collect(detections, placements, rows, up)

    def _chosen(
        self, frame: Frame, detections: Detections, placements: Placements | None
    ) -> tuple[Detections, Placements, np.ndarray]:
        """Detections within range, their positions, and status OK for those to be measured.

        Only the best are placed, since each takes a fraction of a millisecond.
        """
        options, n = self.options, len(detections)
        if frame.depth is None or frame.camera is None:
            candidates = np.zeros(0, int)
        else:
            candidates = _best_visible(detections, frame.camera)
        looked_at = candidates[: _MOST_LOOKS * options.max_people]
        if placements is None:
            found = place_detections(frame, detections[looked_at])[1]
        else:
            found = placements[looked_at]
        within = found.within(*options.band_m)
        status = np.full(n, HeightStatus.NO_DEPTH, np.uint8)
        status[candidates] = HeightStatus.NOT_MEASURED
        status[looked_at[within][: options.max_people]] = HeightStatus.OK
        placements = found.among(n, looked_at)
        kept = placements.within(*options.band_m)
        return detections[kept], placements[kept], status[kept]

    def _measure(
        self, frame: Frame, xyxy: np.ndarray, track_id: int, up: Up, floor: FloorPlane | None
    ) -> tuple[Stature, int]:
        points = separate_person(frame, xyxy, up.vector, floor)
        if points is None or frame.camera is None:
            return _UNKNOWN, 0
        limits = self._limits(frame.camera, xyxy, points)
        stature = measure_stature(points, limits, up.method)
        if not stature.height_m < MAX_STATURE_M:
            return _UNKNOWN, 0
        if self.options.steady and track_id >= 0:
            stature = self._steadied(stature, track_id, frame.stamp_ns, up)
        return stature, len(points)

    def _limits(self, camera: CameraModel, xyxy: np.ndarray, points: PersonPoints) -> BoxLimits:
        """The sides at which the image truncates the box, or the person within it."""
        margin = max(1.5, self.options.border_share * camera.height)
        x_min, y_min, x_max, y_max = (float(value) for value in xyxy)
        first_row, last_row = _rows_reached(camera, points)
        return BoxLimits(
            top=min(y_min, first_row) < margin,
            bottom=max(y_max, last_row) > camera.height - margin,
            sides=x_min < margin or x_max > camera.width - margin,
        )

    def _steadied(self, stature: Stature, track_id: int, stamp_ns: int, up: Up) -> Stature:
        steadied = {
            HeightStatus.OK: self._tracks.measured,
            HeightStatus.TRUNCATED: self._tracks.bounded,
            HeightStatus.OCCLUDED: self._tracks.bounded,
        }
        if stature.status not in steadied:
            return stature
        along_m = float(stature.head_m @ up.vector)
        range_m = math.sqrt(max(0.0, float(stature.head_m @ stature.head_m) - along_m**2))
        height_m, stddev_m = steadied[stature.status](
            track_id, stature.height_m, stature.stddev_m, stamp_ns, range_m=range_m
        )
        return replace(stature, height_m=height_m, stddev_m=stddev_m)


def _best_visible(detections: Detections, camera: CameraModel) -> np.ndarray:
    """Rows of the boxes that overlap the image, best score first."""
    visible = clip_boxes(detections.xyxy, camera.width, camera.height)
    # A corner of NaN compares false: the box holds nothing.
    rows = np.flatnonzero(box_areas(visible) > 0)
    return rows[np.argsort(-detections.scores[rows], kind='stable')]


def _rows_reached(camera: CameraModel, points: PersonPoints) -> tuple[float, float]:
    """First and last row of the colour image with points of the person, without outliers."""
    v = project(points.box.planes_m.take(points.index, axis=1).T, camera)[:, 1]
    few = min(4, len(v) - 1)
    last = len(v) - 1 - few
    v = np.partition(v, (few, last))
    return float(v[few]), float(v[last]) + 1.0


def _floor_in_color(frame: Frame, up: Up | None) -> FloorPlane | None:
    """The floor in the colour optical frame, from aligned or raw depth."""
    depth, color_from_depth = frame.depth, frame.color_from_depth
    camera = frame.camera if color_from_depth is None else frame.depth_camera
    if depth is None or camera is None:
        return None
    if color_from_depth is None:
        return fit_floor(depth, camera, up)
    if up is not None:
        up = Up(color_from_depth.rotation.T @ up.vector, up.method)
    floor = fit_floor(depth, camera, up)
    return None if floor is None else floor.moved(color_from_depth)


def _collect(
    detections: Detections, placements: Placements, rows: list[tuple[Stature, int]], up: Up
) -> PersonHeights:
    statures = [row[0] for row in rows]
    return PersonHeights(
        detections,
        placements,
        np.array([stature.status for stature in statures], np.uint8),
        np.array([stature.height_m for stature in statures], np.float32),
        np.array([stature.stddev_m for stature in statures], np.float32),
        np.array([stature.head_m for stature in statures], np.float64).reshape(-1, 3),
        np.array([stature.feet_m for stature in statures], np.float64).reshape(-1, 3),
        np.full(len(rows), up.method, np.uint8),
        np.array([row[1] for row in rows], np.int64),
    )


class LabelledDetections(Protocol):
    """Result of a detection node, from this process or from a message."""

    @property
    def detections(self) -> Detections: ...

    @property
    def labels(self) -> LabelMap: ...

    @property
    def placed_in(self) -> DepthImage | None:
        """The depth image in which they were placed; None: they were not."""

    @property
    def placements(self) -> Placements | None:
        """Parallel to the detections."""


class HeightPipeline(Pipeline[HeightOptions]):
    """Frame with depth and detections to PersonHeights. See core.pipeline.Pipeline."""

    def __init__(self, options: HeightOptions | None = None) -> None:
        self._estimator = HeightEstimator()
        super().__init__(options or HeightOptions())

    def apply(self, options: HeightOptions) -> None:
        self._estimator.options = options

    def __call__(self, frame: Frame, found: LabelledDetections) -> PersonHeights:
        """Measure the persons among the detections of one frame.

        Args:
            frame: with depth; without `up` the floor is fitted.
            found: detections in pixels of its colour image.
        """
        self.labels = found.labels
        names = (found.labels.name(i) for i in found.detections.class_ids)
        is_person = np.array([name in self.options.classes for name in names], bool)
        placements = found.placements
        if placements is not None and found.placed_in is frame.depth:
            placements = placements[is_person]
        else:
            placements = None
        return self._estimator(frame, found.detections[is_person], placements=placements)

    def describe(self) -> dict[str, str]:
        return {'classes': ' '.join(self.options.classes)}

    def reset(self) -> None:
        self._estimator.reset()

    def take_stages(self) -> dict[str, float]:
        return self._estimator.stages.take()
