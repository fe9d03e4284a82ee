"""People cut out of photographs and put into rooms, in front of and behind other objects."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

PERSON = 'person'
_WHOLE_ASPECT = 1.8
_STATURE_M = 1.7
_CUT_STATURE_M = 1.0
_FOCAL_SHARE = 1.08  # focal length in heights of the picture: that of the Kinect's camera
_BODY_M = 0.12


@dataclass(frozen=True)
class Figure:
    """A person cut out.

    Attributes:
        rgba: uint8 (H, W, 4), opaque where the person is.
        is_whole: whether it reaches from head to feet, by its shape.
    """

    rgba: np.ndarray
    is_whole: bool


def figures_of(reader: Reader, min_height_px: int = 70) -> tuple[Figure, ...]:
    """Every large person of a data set with masks and boxes.

    Raises:
        ConfigError: there is none.
    """
    found = []
    for index in range(len(reader) if PERSON in reader.labels else 0):
        found += _figures(reader.read(index), reader.labels.index(PERSON), min_height_px)
    if not found:
        raise ConfigError(f'--cutouts: no {PERSON} of {min_height_px} px with a mask and a box')
    return tuple(found)


def _figures(sample: Sample, person: int, min_height_px: int) -> list[Figure]:
    if sample.image is None or sample.labels is None or sample.boxes is None:
        return []
    found = []
    for xyxy, class_id in zip(sample.boxes.xyxy, sample.boxes.class_ids, strict=True):
        x0, y0, x1, y1 = np.rint(xyxy).astype(int)
        mask = sample.labels[y0:y1, x0:x1] == person
        if class_id != person or y1 - y0 < min_height_px or mask.mean() < 0.2:
            continue
        alpha = np.where(mask, np.uint8(255), np.uint8(0))
        rgba = np.dstack([sample.image[y0:y1, x0:x1], alpha])
        found.append(Figure(rgba, (y1 - y0) / (x1 - x0) > _WHOLE_ASPECT))
    return found


@dataclass(frozen=True)
class PastePeople:
    """A person at a distance that fits the size, hidden by nearer surfaces.

    Attributes:
        figures: to choose from.
        person: class id of their pixels.
        low, high: limits of the height as a fraction of the picture's.
    """

    figures: tuple[Figure, ...]
    person: int
    low: float = 0.3
    high: float = 1.1

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        figure = self.figures[rng.integers(len(self.figures))]
        share = rng.uniform(self.low, self.high if figure.is_whole else 0.7 * self.high)
        mirror, across, down, gain = rng.random() < 0.5, *rng.random(3)
        if sample.image is None or sample.labels is None:
            return sample
        width, height = sample.size
        rgba = _resized(figure.rgba, round(share * height), mirror)
        left = round(across * (width - rgba.shape[1] / 3) - rgba.shape[1] / 3)
        bottom = height * (0.65 + 0.4 * down) if figure.is_whole else height
        layer = _on_canvas(rgba, left, round(bottom) - rgba.shape[0], sample.size)
        focal_px = sample.intrinsics.fy if sample.intrinsics else _FOCAL_SHARE * height
        tall_m = _STATURE_M if figure.is_whole else _CUT_STATURE_M
        body_m = _relief(layer[..., 3], focal_px * tall_m / rgba.shape[0])
        return _with_layer(sample, layer, body_m, self.person, 0.7 + 0.6 * gain)


def _resized(rgba: np.ndarray, height: int, mirror: bool) -> np.ndarray:
    width = max(round(rgba.shape[1] * height / rgba.shape[0]), 1)
    shrinks = height < rgba.shape[0]
    out = cv2.resize(
        rgba, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    return cv2.flip(out, 1) if mirror else out


def _on_canvas(rgba: np.ndarray, left: int, top: int, size: tuple[int, int]) -> np.ndarray:
    """The image at a place of an empty one of (width, height), cut at its border."""
    shift = np.array([[1, 0, left], [0, 1, top]], np.float32)
    return cv2.warpAffine(rgba, shift, size, flags=cv2.INTER_NEAREST)


def _relief(alpha: np.ndarray, distance_m: float) -> np.ndarray:
    """Depth of a rounded body, float32 (H, W) [m]: its middle nearer than its outline."""
    inside = cv2.distanceTransform((alpha > 127).astype(np.uint8), cv2.DIST_L2, 3)
    bulge = np.minimum(inside / max(float(inside.max()), 1.0), 1.0)
    return (distance_m - _BODY_M * np.sqrt(bulge)).astype(np.float32)


def _with_layer(
    sample: Sample, layer: np.ndarray, body_m: np.ndarray, class_id: int, gain: float
) -> Sample:
    shown = (layer[..., 3] > 127) & ~_hidden(sample, layer[..., 3] > 127, body_m)
    weight = cv2.GaussianBlur(np.where(shown, layer[..., 3], 0).astype(np.float32), (3, 3), 0)
    weight = (weight / 255)[..., None]
    person = np.clip(gain * layer[..., :3].astype(np.float32), 0, 255)
    image = np.rint(weight * person + (1 - weight) * sample.rgb).astype(np.uint8)

    def nearer(depth_m: np.ndarray | None) -> np.ndarray | None:
        return None if depth_m is None else np.where(shown, body_m, depth_m)

    return replace(
        sample,
        image=image,
        labels=None
        if sample.labels is None
        else np.where(shown, np.uint8(class_id), sample.labels),
        depth_m=nearer(sample.depth_m),
        raw_depth_m=nearer(sample.raw_depth_m),
        extra={n: np.where(shown, 0, m).astype(m.dtype) for n, m in sample.extra.items()},
    )


def _hidden(sample: Sample, mask: np.ndarray, body_m: np.ndarray) -> np.ndarray:
    """Where the scene is nearer than the person; nowhere if that hides most of them."""
    scene_m = sample.raw_depth_m if sample.depth_m is None else sample.depth_m
    if scene_m is None:
        return np.zeros_like(mask)
    hidden = mask & (scene_m > 0) & (scene_m < 0.95 * body_m)
    return hidden & (hidden.sum() < 0.5 * mask.sum())
