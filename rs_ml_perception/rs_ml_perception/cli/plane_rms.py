"""The command rs-ml-plane-rms: how flat a flat surface comes out in a depth picture."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rs_ml_perception.cli.exit_status import report
from rs_ml_perception.cli.task_arguments import add_depth_unit_argument, intrinsics
from rs_ml_perception.core.camera import CameraModel
from rs_ml_perception.core.colormap import colorize_depth
from rs_ml_perception.core.depth import DepthImage
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry import deproject
from rs_ml_perception.core.plane import PlaneFit, fit_plane
from rs_ml_perception.recordings.pictures import read_depth, write_picture

RAW_SIZES = ((1280, 720), (848, 480), (640, 480))
"""Sizes a .raw file of uint16 may have; the number of bytes tells which."""

ERROR_RANGE_RMSE = 3
"""Distance from the plane, in RMSE, that the error map shows in white."""

Roi = tuple[int, int, int, int]


def build_parser() -> argparse.ArgumentParser:
    """The parser."""
    parser = argparse.ArgumentParser(prog='rs-ml-plane-rms', description=__doc__)
    parser.add_argument('image', type=Path, metavar='IMAGE', help='depth picture, or .raw uint16')
    parser.add_argument(
        '--roi', type=_roi, metavar='x,y,w,h', help='region of the surface [px] (default: all)'
    )
    parser.add_argument(
        '--intrinsics',
        type=intrinsics,
        metavar='fx,fy,cx,cy',
        help='[px] (default: focal lengths of the size of the picture, a field of view of 53 deg)',
    )
    add_depth_unit_argument(parser)
    parser.add_argument('--error-map', type=Path, metavar='FILE', help='picture to write')
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 2 for arguments or pictures that cannot be used."""
    args = build_parser().parse_args(argv)
    try:
        return _run(args)
    except Exception as error:
        return report('rs-ml-plane-rms', error)


def _run(args: argparse.Namespace) -> int:
    depth = _read(args.image, args.depth_unit)
    roi = args.roi or (0, 0, depth.width, depth.height)
    _check_roi(roi, depth)
    x, y, width, height = roi
    points_m = deproject(
        depth.window_m(x, y, x + width, y + height), _camera(args, depth), x_min=x, y_min=y
    )
    plane = fit_plane(points_m)
    if args.error_map:
        write_picture(
            args.error_map, error_map(depth, roi, np.abs(plane.distances_m(points_m)), plane)
        )
    _print(args, plane, width * height)
    return 0


def error_map(depth: DepthImage, roi: Roi, distances_m: np.ndarray, plane: PlaneFit) -> np.ndarray:
    """The depth picture in colours, the region in grey: white is far from the plane.

    Args:
        depth: the whole picture.
        roi: x, y, width, height of the region.
        distances_m: (height, width), from the plane, NaN where depth is invalid.
        plane: the fit.

    Returns:
        uint8 (H, W, 3), RGB; invalid pixels black.
    """
    picture = colorize_depth(depth.depth_m).copy()
    scale = 255 / (ERROR_RANGE_RMSE * max(plane.rmse_m, 1e-9))
    grey = np.clip(np.nan_to_num(distances_m * scale), 0, 255).astype(np.uint8)
    x, y, width, height = roi
    picture[y : y + height, x : x + width] = grey[..., None]
    return picture


def _print(args: argparse.Namespace, plane: PlaneFit, num_pixels: int) -> None:
    share = plane.num_points / num_pixels
    distance_m = float(-plane.normal @ plane.centroid_m)
    if args.json:
        fields = {
            'image': args.image.name,
            'rmse_mm': 1e3 * plane.rmse_m,
            'valid': share,
            'distance_m': distance_m,
            'normal': plane.normal.tolist(),
        }
        print(json.dumps(fields))
        return
    print(
        f'{args.image.name}: RMSE {1e3 * plane.rmse_m:.2f} mm over {plane.num_points} pixels '
        f'({share:.1%} valid), plane at {distance_m:.3f} m'
    )


def _read(path: Path, metres_per_unit: float) -> DepthImage:
    if path.suffix != '.raw':
        return read_depth(path, metres_per_unit=metres_per_unit)
    try:
        values = np.fromfile(path, np.dtype('<u2')).astype(np.uint16)
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}') from error
    for width, height in RAW_SIZES:
        if values.size == width * height:
            return DepthImage(values.reshape(height, width), metres_per_unit)
    sizes = ', '.join(f'{width}x{height}' for width, height in RAW_SIZES)
    raise InputError(f'{path} holds {values.size} values, known sizes are {sizes}: convert to PNG')


def _camera(args: argparse.Namespace, depth: DepthImage) -> CameraModel:
    width, height = depth.width, depth.height
    # Without intrinsics: those of the librealsense tool this command follows.
    default = (width, height, width / 2, height / 2)
    fx, fy, cx, cy = args.intrinsics or default
    return CameraModel(width=width, height=height, fx=fx, fy=fy, cx=cx, cy=cy)


def _roi(text: str) -> Roi:
    try:
        x, y, width, height = (int(number) for number in text.split(','))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text!r} must be four whole numbers x,y,w,h in pixels'
        ) from None
    return x, y, width, height


def _check_roi(roi: Roi, depth: DepthImage) -> None:
    x, y, width, height = roi
    fits = x >= 0 and y >= 0 and x + width <= depth.width and y + height <= depth.height
    if not fits or width < 1 or height < 1:
        raise ConfigError(
            f'region {x},{y},{width},{height} does not lie within the picture of '
            f'{depth.width}x{depth.height}'
        )


if __name__ == '__main__':
    sys.exit(main())
