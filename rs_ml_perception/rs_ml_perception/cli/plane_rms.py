"""The command rs-ml-plane-rms: RMSE of a depth image of a plane."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rs_ml_perception.cli.command import CommandParser, report
from rs_ml_perception.cli.plane_inputs import (
    GUESSED,
    Intrinsics,
    UsedCamera,
    choose_camera,
    read_depth_source,
)
from rs_ml_perception.cli.task_options import INPUT, OUTPUT, TASK, DepthUnitOptions, intrinsics
from rs_ml_perception.core.drawing.colormap import colorize, colorize_depth
from rs_ml_perception.core.drawing.tiles import with_scale
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.flags import add_flags, from_flags
from rs_ml_perception.core.geometry.plane import (
    INLIER_SIGMAS,
    PlaneFit,
    PlaneQuality,
    fit_plane,
    fit_plane_robustly,
    plane_quality,
)
from rs_ml_perception.core.geometry.projection import deproject
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.options import option
from rs_ml_perception.recordings.open_recording import is_recording
from rs_ml_perception.recordings.pictures import write_picture

RANSAC, LEAST_SQUARES = METHODS = 'ransac', 'least-squares'

ERROR_RANGE_RMSE, ERROR_COLORS = 3, 'turbo'
"""Distance from the plane, in RMSE, of the last colour of the error map, and its palette."""

_LEAST_RANGE_MM = 0.01
_DIMMED = 0.5

Roi = tuple[int, int, int, int]


def _roi(text: str) -> Roi:
    try:
        x, y, width, height = (int(number) for number in text.split(','))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text!r} must be four whole numbers x,y,w,h in pixels'
        ) from None
    return x, y, width, height


def intrinsics_or_recording(text: str) -> Intrinsics | Path:
    """Parse 'fx,fy,cx,cy', or the path of a recording."""
    return Path(text) if is_recording(Path(text)) else intrinsics(text)


@dataclass(frozen=True)
class PlaneOptions(DepthUnitOptions):
    """Flags of the command; `intrinsics` are Intrinsics, or the path of a recording."""

    frame: int = option(0, 'number of the frame in a recording', low=0, group=INPUT)
    topic: str = option(
        '',
        'topic of depth in the recording; without IMAGE, that of a running camera',
        none_doc='that of the sensor',
        metavar='TOPIC',
        group=INPUT,
    )
    wait_secs: float = option(
        10.0, 'longest wait for a running camera', unit='s', low=0.1, group=INPUT
    )
    intrinsics: object = option(
        None,
        "intrinsics, or those of a recording's depth",
        unit='px',
        none_doc='those of IMAGE where it is a recording, else those of a typical D435, with a '
        'warning',
        metavar='fx,fy,cx,cy|RECORDING',
        group=INPUT,
        parse=intrinsics_or_recording,
    )
    roi: Roi | None = option(
        None,
        'region of the surface',
        unit='px',
        none_doc='all',
        metavar='x,y,w,h',
        group=TASK,
        parse=_roi,
    )
    method: str = option(
        RANSAC, 'plane without outliers, or through all points', choices=METHODS, group=TASK
    )
    error_map: Path | None = option(None, 'image to write', metavar='FILE', group=OUTPUT)
    json: bool = option(False, 'print one JSON object', is_switch=True, group=OUTPUT)


def build_parser() -> argparse.ArgumentParser:
    """The parser."""
    parser = CommandParser(
        prog='rs-ml-plane-rms',
        description=__doc__,
        example="""
            rs-ml-plane-rms wall.png --roi 200,100,240,240 --error-map error.png
            rs-ml-plane-rms recordings/room --frame 10
            rs-ml-plane-rms --topic /camera/camera/depth/image_rect_raw
        """,
    )
    parser.group(INPUT).add_argument(
        'image',
        type=Path,
        nargs='?',
        metavar='IMAGE',
        help='depth image, .npy, .raw uint16, or recording',
    )
    add_flags(parser, PlaneOptions)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 2 for unusable arguments or images."""
    args = build_parser().parse_args(argv)
    try:
        return _run(args.image, from_flags(PlaneOptions, args))
    except Exception as error:
        return report('rs-ml-plane-rms', error)


def _run(image: Path | None, options: PlaneOptions) -> int:
    source = read_depth_source(
        image,
        topic=options.topic,
        frame=options.frame,
        wait_secs=options.wait_secs,
        depth_unit=options.depth_unit,
    )
    depth = source.depth
    camera = choose_camera(options.intrinsics, source)
    roi = options.roi or (0, 0, depth.width, depth.height)
    _check_roi(roi, depth)
    x, y, width, height = roi
    points_m = deproject(
        depth.window_m(x, y, x + width, y + height), camera.model, x_min=x, y_min=y
    )
    if options.method == RANSAC:
        plane = fit_plane_robustly(points_m, resolution_m=depth.resolution_m)
        limit_m = INLIER_SIGMAS * max(plane.rmse_m, depth.resolution_m)
    else:
        plane, limit_m = fit_plane(points_m), None
    quality = plane_quality(points_m, plane, limit_m)
    if camera.source == GUESSED:
        _warn(camera)
    show = _json if options.json else _text
    print(show(source.name, quality, plane, camera, options.method))
    if options.error_map:
        picture = error_map(depth, roi, plane.distances_m(points_m), plane.rmse_m)
        write_picture(options.error_map, picture)
    return 0


def error_map(depth: DepthImage, roi: Roi, distances_m: np.ndarray, rmse_m: float) -> np.ndarray:
    """Signed distances from the plane in colours, above their bar; around them depth in grey.

    Args:
        depth: the whole image.
        roi: x, y, width, height of the region.
        distances_m: (height, width), positive toward the camera, NaN where depth is invalid.
        rmse_m: a third of the last colour's distance.

    Returns:
        uint8 (H, W, 3), RGB; invalid pixels black.
    """
    grey = colorize_depth(depth.depth_m).mean(axis=2, keepdims=True)
    picture = np.repeat((_DIMMED * grey).astype(np.uint8), 3, axis=2)
    limit_mm = ERROR_RANGE_RMSE * max(1e3 * rmse_m, _LEAST_RANGE_MM)
    x, y, width, height = roi
    errors_mm = 1e3 * distances_m.astype(np.float32)
    valid = np.isfinite(errors_mm)
    picture[y : y + height, x : x + width] = colorize(
        np.where(valid, errors_mm, 0), -limit_mm, limit_mm, valid, ERROR_COLORS
    )
    return with_scale(picture, -limit_mm, limit_mm, unit='mm', colormap=ERROR_COLORS)


def _json(
    name: str, quality: PlaneQuality, plane: PlaneFit, camera: UsedCamera, method: str
) -> str:
    fields = {
        'image': name,
        'method': method,
        'rmse_mm': 1e3 * quality.rmse_m,
        'rmse_of_z': quality.rmse_of_z,
        'flatness_mm': 1e3 * quality.flatness_m,
        'valid': quality.fill,
        'outliers': quality.outliers,
        'z_m': quality.z_m,
        'distance_m': quality.distance_m,
        'normal': plane.normal.tolist(),
        'intrinsics': list(camera.values),
        'intrinsics_from': camera.source,
    }
    return json.dumps(fields)


def _text(
    name: str, quality: PlaneQuality, plane: PlaneFit, camera: UsedCamera, method: str
) -> str:
    outliers = f', {quality.outliers:.1%} outliers' if method == RANSAC else ''
    return (
        f'{name}: RMSE {1e3 * quality.rmse_m:.2f} mm ({quality.rmse_of_z:.2%} of z), flatness '
        f'{1e3 * quality.flatness_m:.2f} mm, fill rate {quality.fill:.1%}{outliers}, plane at '
        f'{quality.distance_m:.3f} m'
    )


def _warn(camera: UsedCamera) -> None:
    size = f'{camera.model.width}x{camera.model.height}'
    values = ','.join(f'{value:g}' for value in camera.values)
    print(
        f'rs-ml-plane-rms: intrinsics are assumed, those of a typical D435 at {size} ({values}): '
        'pass --intrinsics',
        file=sys.stderr,
    )


def _check_roi(roi: Roi, depth: DepthImage) -> None:
    x, y, width, height = roi
    fits = x >= 0 and y >= 0 and x + width <= depth.width and y + height <= depth.height
    if not fits or width < 1 or height < 1:
        raise ConfigError(
            f'region {x},{y},{width},{height} does not lie within the image of '
            f'{depth.width}x{depth.height}'
        )


if __name__ == '__main__':
    sys.exit(main())
