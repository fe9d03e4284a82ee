"""The expected noise of depth cameras that triangulate, by type of camera.

A disparity error of e pixels is a depth error of e z^2 / (f b), with the focal length f in pixels
and the baseline b: Keselman et al., Intel RealSense Stereoscopic Depth Cameras (CVPR workshops
2017, arXiv 1705.05548) and Grunnet-Jepsen et al., Tuning depth cameras for best performance
(Intel), for stereo; Khoshelham and Elberink (Sensors 12, 2012) for the Kinect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rs_ml_perception.core.geometry.camera import CameraModel, d435_depth_camera

SUBPIXEL_PX = 0.08
"""Standard deviation of the disparity of a pixel. Measured: 0.07 with a Kinect of 7-Scenes."""

_NARROW = 1.2
"""Focal length over that of a D435 above which AUTO takes a D415."""


@dataclass(frozen=True)
class StereoCamera:
    """The two numbers that its noise depends on.

    Attributes:
        baseline_m: between the imagers, or the projector and the imager.
        focal_over_d435: focal length over that of a D435 at the same image size, for images
            without intrinsics.
    """

    baseline_m: float
    focal_over_d435: float = 1.0


STEREO_CAMERAS: Mapping[str, StereoCamera] = MappingProxyType(
    {
        'd405': StereoCamera(0.018),
        'd415': StereoCamera(0.055, 1.45),
        'd435': StereoCamera(0.050),
        'd455': StereoCamera(0.095),
        'kinect': StereoCamera(0.075, 1.53),
    }
)
"""Type -> camera: data sheet of the D400 series, where d435 stands for D430 and D435i too, d455
for D456 and D457; the first Kinect, and PrimeSense cameras such as the Xtion."""

AUTO = 'auto'
CAMERA_TYPES = (AUTO, *STEREO_CAMERAS)


def noise_growth_per_m(
    camera_type: str, size: tuple[int, int], camera: CameraModel | None = None
) -> float:
    """The standard deviation of depth z is this times z squared, [1/m].

    Args:
        camera_type: key of STEREO_CAMERAS; AUTO: by the focal length a D415 or a D435, which
            without intrinsics is assumed.
        size: width and height of the depth image in pixels.
        camera: intrinsics of the depth camera, or None.
    """
    d435_px = d435_depth_camera(*size).fx
    if camera_type == AUTO:
        is_narrow = camera is not None and camera.fx > _NARROW * d435_px
        camera_type = 'd415' if is_narrow else 'd435'
    kind = STEREO_CAMERAS[camera_type]
    focal_px = kind.focal_over_d435 * d435_px if camera is None else camera.fx
    return SUBPIXEL_PX / (focal_px * kind.baseline_m)
