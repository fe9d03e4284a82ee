"""The command rs-ml-plane-rms: RMSE of a depth image of a plane."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from rs_ml_perception.cli.command import CommandParser, report
from rs_ml_perception.cli.task_options import INPUT, OUTPUT, TASK, DepthUnitOptions, intrinsics
from rs_ml_perception.core.drawing.colormap import colorize_depth
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.files import read_regular
from rs_ml_perception.core.flags import add_flags, from_flags
from rs_ml_perception.core.geometry.camera import CameraModel, d435_depth_camera
from rs_ml_perception.core.geometry.plane import PlaneFit, fit_plane
from rs_ml_perception.core.geometry.projection import deproject
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.images.image_files import MAX_FILE_BYTES
from rs_ml_perception.core.options import option
from rs_ml_perception.recordings.depth_frames import depth_frames
from rs_ml_perception.recordings.open_recording import is_recording, open_recording
from rs_ml_perception.recordings.pictures import MILLIMETRE, read_depth, write_picture

RAW_SIZES = ((1280, 720), (848, 480), (640, 480))
"""Sizes of .raw files of uint16; the number of bytes decides."""

ERROR_RANGE_RMSE = 3
"""Distance from the plane, in RMSE, that the error map shows in white."""

GIVEN, RECORDED, GUESSED = 'argument', 'recording', 'guess: typical D435'
"""Sources of intrinsics."""

Roi = tuple[int, int, int, int]
Intrinsics = tuple[float, float, float, float]


@dataclass(frozen=True)
class _Camera:
    """A camera, and the source of its intrinsics."""

    model: CameraModel
    source: str

    @property
    def values(self) -> Intrinsics:
        return self.model.fx, self.model.fy, self.model.cx, self.model.cy


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
        """,
    )
    parser.group(INPUT).add_argument(
        'image', type=Path, metavar='IMAGE', help='depth image, .raw uint16, or recording'
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


def _run(image: Path, options: PlaneOptions) -> int:
    depth, own_camera = _read(image, options)
    camera = _camera(options.intrinsics, own_camera, depth)
    roi = options.roi or (0, 0, depth.width, depth.height)
    _check_roi(roi, depth)
    x, y, width, height = roi
    points_m = deproject(
        depth.window_m(x, y, x + width, y + height), camera.model, x_min=x, y_min=y
    )
    plane = fit_plane(points_m)
    if options.error_map:
        write_picture(
            options.error_map, error_map(depth, roi, np.abs(plane.distances_m(points_m)), plane)
        )
    _print(image.name, plane, camera, width * height, as_json=options.json)
    return 0


def error_map(depth: DepthImage, roi: Roi, distances_m: np.ndarray, plane: PlaneFit) -> np.ndarray:
    """The depth image in colours, the region in grey: white is far from the plane.

    Args:
        depth: the whole image.
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


def _print(name: str, plane: PlaneFit, camera: _Camera, num_pixels: int, *, as_json: bool) -> None:
    share = plane.num_points / num_pixels
    distance_m = float(-plane.normal @ plane.centroid_m)
    if as_json:
        fields = {
            'image': name,
            'rmse_mm': 1e3 * plane.rmse_m,
            'valid': share,
            'distance_m': distance_m,
            'normal': plane.normal.tolist(),
            'intrinsics': list(camera.values),
            'intrinsics_from': camera.source,
        }
        print(json.dumps(fields))
        return
    if camera.source == GUESSED:
        size = f'{camera.model.width}x{camera.model.height}'
        print(
            f'rs-ml-plane-rms: intrinsics are assumed, those of a typical D435 at {size} '
            f'({",".join(f"{v:g}" for v in camera.values)}): pass --intrinsics',
            file=sys.stderr,
        )
    print(
        f'{name}: RMSE {1e3 * plane.rmse_m:.2f} mm over {plane.num_points} pixels '
        f'({share:.1%} valid), plane at {distance_m:.3f} m'
    )


def _read(path: Path, options: PlaneOptions) -> tuple[DepthImage, CameraModel | None]:
    """Depth, and the intrinsics if the input has them."""
    if is_recording(path):
        return _recorded_depth(path, options.frame)
    if path.suffix != '.raw':
        return read_depth(path, metres_per_unit=options.depth_unit), None
    return _read_raw(path, options.depth_unit or MILLIMETRE), None


def _recorded_depth(path: Path, number: int) -> tuple[DepthImage, CameraModel | None]:
    with open_recording(path) as recording:
        frame = next(islice(depth_frames(recording), number, None), None)
    if frame is None or frame.depth is None:
        raise InputError(f'{path} has no depth image {number}: count from 0')
    return frame.depth, frame.camera


def _read_raw(path: Path, metres_per_unit: float) -> DepthImage:
    data = read_regular(path, max_bytes=MAX_FILE_BYTES)
    for width, height in RAW_SIZES:
        if len(data) == 2 * width * height:
            values = np.frombuffer(data, np.dtype('<u2')).astype(np.uint16)
            return DepthImage(values.reshape(height, width), metres_per_unit)
    sizes = ', '.join(f'{width}x{height}' for width, height in RAW_SIZES)
    raise InputError(f'{path} holds {len(data)} bytes, known are 2 for {sizes}: convert to PNG')


def _camera(given: object, own: CameraModel | None, depth: DepthImage) -> _Camera:
    width, height = depth.width, depth.height
    if isinstance(given, Path):
        _, own = _recorded_depth(given, 0)
        if own is None:
            raise InputError(f'{given} holds no camera_info of depth: pass fx,fy,cx,cy')
        if (own.width, own.height) != (width, height):
            raise InputError(
                f'depth of {given} is {own.width}x{own.height}, the image {width}x{height}: '
                'their intrinsics differ'
            )
    elif isinstance(given, tuple):
        return _Camera(CameraModel(width, height, *given), GIVEN)
    if own is not None:
        return _Camera(own, RECORDED)
    return _Camera(d435_depth_camera(width, height), GUESSED)


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
