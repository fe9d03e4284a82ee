"""A stereo camera with a dot projector, simulated up to its matching.

Both infrared pictures are rendered and matched; what goes wrong with a real camera at edges, in
shadows of one eye, on plain, dark or far surfaces goes wrong here for the same reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from rs_ml_training.data.sample import Sample
from rs_ml_training.intrinsics import Intrinsics
from rs_ml_training.synth.camera import D435_DEPTH_848, CameraPose
from rs_ml_training.synth.render import Rendering, render
from rs_ml_training.synth.rooms import random_room
from rs_ml_training.synth.scene import Primitive

_PATTERN_PX_PER_UNIT = 1000
_PATTERN_SIZE = 2200, 1400
_WAVES = 24
_LEAST_CONTRAST = 1.0
"""Mean difference of neighbours [gray levels] below which a camera trusts no match."""


@dataclass(frozen=True)
class StereoCamera:
    """A camera like the D435; the frame is that of the left imager.

    Attributes:
        intrinsics: of both imagers.
        baseline_m: from the left to the right imager.
        projector_m: from the left imager to the projector.
        dots: of the projector.
        min_m: nearest depth that is matched.
        max_m: farthest depth that is reported.
    """

    intrinsics: Intrinsics = D435_DEPTH_848
    baseline_m: float = 0.05
    projector_m: float = 0.029
    dots: int = 12000
    min_m: float = 0.25
    max_m: float = 10.0


@dataclass(frozen=True)
class Light:
    """What an infrared picture is lit by.

    Attributes:
        ambient: brightness of white in the light of the room, 0..1.
        projector: that of a dot on white at 1 m, 0 if it is off.
        texture: amplitude of the grain of surfaces.
        waves: float64 (N, 4), wave vector [rad/m] and phase of each wave of that grain.
        noise: standard deviation of a pixel [gray levels].
        exposure: mean of the picture that the camera aims at [gray levels].
    """

    ambient: float
    projector: float
    texture: float
    waves: np.ndarray
    noise: float
    exposure: float


def stereo_sample(seed: int, camera: StereoCamera | None = None) -> Sample:
    """A random room as a stereo camera sees it; the same seed gives the same sample.

    Returns:
        `depth_m` (exact), `raw_depth_m` (matched), `infrared` (left), `image`, `labels`
        (SynthClass), `intrinsics`, and `extra['right']`.
    """
    camera = camera or StereoCamera()
    rng = np.random.default_rng(seed)
    primitives, pose = random_room(rng)
    light, pattern = _random_light(rng), dot_pattern(rng, camera.dots)
    left = render(primitives, camera.intrinsics, pose)
    right = render(_seen_from(primitives, pose, camera.baseline_m), camera.intrinsics, pose)
    pictures = [
        infrared(view, camera, pose, offset_m, light, pattern, rng)
        for view, offset_m in ((left, 0.0), (right, camera.baseline_m))
    ]
    known = np.where(np.isfinite(left.depth_m) & (left.depth_m < camera.max_m), left.depth_m, 0)
    return Sample(
        name=str(seed),
        scene=str(seed),
        image=left.rgb,
        depth_m=known.astype(np.float32),
        raw_depth_m=matched(*pictures, camera),
        infrared=pictures[0],
        labels=left.class_ids,
        intrinsics=camera.intrinsics,
        extra={'right': pictures[1]},
    )


def infrared(
    view: Rendering,
    camera: StereoCamera,
    pose: CameraPose,
    offset_m: float,
    light: Light,
    pattern: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """The infrared picture of a rendering.

    Args:
        view: what the imager sees.
        camera: of the imager.
        pose: of the left imager.
        offset_m: from the left imager to this one.
        light: what lights the room.
        pattern: see `dot_pattern`.
        rng: source of noise.

    Returns:
        uint8 (H, W).
    """
    depth_m = np.where(np.isfinite(view.depth_m), view.depth_m, 100.0)
    points = camera.intrinsics.rays() * depth_m[..., None]
    points[..., 0] += offset_m
    white = view.rgb.mean(axis=-1) / 255
    grain = _grain(points @ pose.world_from_camera.T, light)
    dots = _dots(points - [camera.projector_m, 0, 0], pattern)
    lit = light.ambient + light.projector * dots / np.maximum(depth_m, 0.3) ** 2
    bright = white * (1 + grain) * lit
    # Automatic exposure, within what a camera can do.
    gain = np.clip(light.exposure / max(float(bright.mean()), 1e-3), 20, 1000)
    gray = gain * bright + rng.normal(0, light.noise, depth_m.shape)
    return np.clip(np.rint(gray), 0, 255).astype(np.uint8)


def matched(left: np.ndarray, right: np.ndarray, camera: StereoCamera) -> np.ndarray:
    """Depth by semi-global matching of two rectified pictures.

    Args:
        left: uint8 (H, W).
        right: uint8 (H, W).
        camera: which took them.

    Returns:
        float32 (H, W) in whole millimetres [m], 0 where they do not match.
    """
    focal_baseline = camera.intrinsics.fx * camera.baseline_m
    disparities = int(np.ceil(focal_baseline / camera.min_m / 16)) * 16
    matcher = cv2.StereoSGBM.create(
        minDisparity=0,
        numDisparities=disparities,
        blockSize=5,
        P1=8 * 25,
        P2=32 * 25,
        disp12MaxDiff=1,
        preFilterCap=31,
        uniquenessRatio=12,
        speckleWindowSize=100,
        speckleRange=2,
        mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    )
    # Without the border the leftmost columns could never be matched.
    padded = [
        cv2.copyMakeBorder(p, 0, 0, disparities, 0, cv2.BORDER_REPLICATE) for p in (left, right)
    ]
    disparity = matcher.compute(*padded)[:, disparities:].astype(np.float32) / 16
    known = disparity > focal_baseline / camera.max_m
    depth_m = focal_baseline / np.where(known, disparity, 1)
    known &= (depth_m > camera.min_m) & (_contrast(left) > _LEAST_CONTRAST)
    columns = np.arange(left.shape[1])
    known &= columns - disparity >= 0
    return np.where(known, np.rint(depth_m * 1000) * np.float32(0.001), 0).astype(np.float32)


def _contrast(gray: np.ndarray) -> np.ndarray:
    """Mean difference of neighbours around each pixel [gray levels]."""
    slope = cv2.Sobel(gray, cv2.CV_32F, 1, 0, ksize=1)
    return cv2.blur(np.abs(slope) / 2, (21, 21))


def dot_pattern(rng: np.random.Generator, dots: int) -> np.ndarray:
    """Random dots as the projector throws them, float32 of _PATTERN_SIZE, 0..1."""
    width, height = _PATTERN_SIZE
    pattern = np.zeros((height, width), np.float32)
    # The pattern reaches farther than the picture; dots counts those within it.
    count = round(dots * width * height / (2000 * 1140))
    pattern[rng.integers(height, size=count), rng.integers(width, size=count)] = 1
    blurred = cv2.GaussianBlur(pattern, (0, 0), 1.7)
    return np.minimum(blurred / blurred.max() * 1.5, 1)


def _random_light(rng: np.random.Generator) -> Light:
    vectors = rng.normal(0, 1, (_WAVES, 3))
    vectors *= np.exp(rng.uniform(*np.log([10, 250]), (_WAVES, 1))) / np.linalg.norm(
        vectors, axis=1, keepdims=True
    )
    return Light(
        ambient=rng.uniform(0.1, 0.6),
        projector=rng.uniform(1.0, 5.0) if rng.random() < 0.85 else 0.0,
        texture=rng.uniform(0.0, 0.35),
        waves=np.hstack([vectors, rng.uniform(0, 2 * np.pi, (_WAVES, 1))]),
        noise=rng.uniform(0.5, 2.0),
        exposure=rng.uniform(50, 110),
    )


def _seen_from(
    primitives: Sequence[Primitive], pose: CameraPose, right_m: float
) -> list[Primitive]:
    """The things as they lie to an imager farther to the right."""
    shift = -right_m * pose.world_from_camera[:, 0]
    return [primitive.moved(np.eye(3), shift) for primitive in primitives]


def _grain(points: np.ndarray, light: Light) -> np.ndarray:
    if not light.texture:
        return np.zeros(points.shape[:2])
    total = sum(np.sin(points @ wave[:3] + wave[3]) for wave in light.waves)
    return light.texture * total / np.sqrt(len(light.waves))


def _dots(points: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Brightness of the dots at points in the frame of the projector."""
    place = points[..., :2] / points[..., 2:] * _PATTERN_PX_PER_UNIT
    u, v = (place[..., i] + _PATTERN_SIZE[i] / 2 for i in range(2))
    return cv2.remap(pattern, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR)
