"""rs-ml depth: depth estimated from colour, as images, video, normals and point clouds."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rs_ml_perception.cli.task_options import INPUT, OUTPUT, TASK, DepthRunOptions, add_run_flags
from rs_ml_perception.core.drawing.colormap import (
    FollowingRange,
    colorize_depth,
    depth_range_m,
    normals_image,
)
from rs_ml_perception.core.drawing.tiles import with_scale
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.flags import add_flags, from_flags
from rs_ml_perception.core.geometry.clouds import is_edge, normals_of, ply_bytes, points_of
from rs_ml_perception.core.options import option
from rs_ml_perception.tasks.mono_depth import DepthEstimate, DepthEstimator, MonoDepthOptions
from rs_ml_perception.tasks.options import ModelOptions


@dataclass(frozen=True)
class DepthCommandOptions(DepthRunOptions):
    """Input and output of `depth`."""

    cloud: bool = option(
        False,
        'also write coloured point clouds, .ply, without depth edges',
        is_switch=True,
        group=OUTPUT,
    )
    normals: bool = option(
        False, 'also write surface normals as colours', is_switch=True, group=OUTPUT
    )
    panorama: bool = option(
        False, 'images are equirectangular, depth along the ray', is_switch=True, group=INPUT
    )


def add_depth(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        'depth',
        help='estimate depth from colour',
        description='Estimate metric depth from colour images, in millimetres, fitted to measured '
        'depth if there is any.',
        example="""
            rs-ml depth street.jpg --intrinsics 615,615,320,240 --range-max-m 10 --cloud
            rs-ml depth phone.mp4 --video depth.mp4
            rs-ml depth a.png --depth depth --align-to-depth scale_shift
        """,
    )
    add_run_flags(parser, DepthCommandOptions, task='mono_depth', out='out/depth')
    add_flags(parser, MonoDepthOptions, group=TASK)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rs_ml_perception.cli.task_run import run_task

    options = from_flags(DepthCommandOptions, args)
    return run_task(
        args,
        options,
        _prepare,
        noun='depth image',
        keep_results=False,
        needs_camera=(options.cloud or options.normals) and not options.panorama,
    )


def _prepare(args: argparse.Namespace) -> Any:
    from rs_ml_perception.cli.result_fields import depth_fields, millimetres
    from rs_ml_perception.cli.task_output import TaskResult

    run_options = from_flags(DepthCommandOptions, args)
    options = from_flags(MonoDepthOptions, args)
    estimator = DepthEstimator(from_flags(ModelOptions, args).load(checks_golden=False), options)
    painter = _Painter(is_video=run_options.video is not None)

    def estimate(image: Any) -> TaskResult:
        # Equirectangular images have no focal length to correct for.
        camera = None if run_options.panorama else image.frame.camera
        found = estimator(image.frame.rgb, camera, image.frame)
        return TaskResult(
            depth_fields(found.depth_m),
            1,
            files={'_depth.png': millimetres(found.depth_m)},
            pictures={'_annotated.png': painter(found.depth_m, image.stream)},
            wanted=_geometry(found, run_options),
        )

    return estimate


class _Painter:
    """Paints depth above a bar in metres; the colours of a stream change slowly."""

    def __init__(self, *, is_video: bool) -> None:
        self._is_video = is_video
        self._ranges: dict[str, FollowingRange] = {}

    def __call__(self, depth_m: np.ndarray, stream: str) -> Callable[[Any], np.ndarray]:
        """A function that draws one frame of a stream, or a single image if that is empty."""
        if stream or self._is_video:
            range_m = self._ranges.setdefault(stream, FollowingRange())(depth_m)
        else:
            range_m = depth_range_m(depth_m)
        return lambda _: with_scale(colorize_depth(depth_m, *range_m), *range_m)


def _geometry(found: DepthEstimate, options: DepthCommandOptions) -> dict[str, Any]:
    """Normals and cloud, as far as they are asked for.

    Raises:
        InputError: the camera is unknown.
    """
    if not (options.cloud or options.normals):
        return {}
    if found.camera is None and not options.panorama:
        raise InputError('intrinsics are unknown: pass --intrinsics fx,fy,cx,cy')
    points_m = points_of(found.depth_m, None if options.panorama else found.camera)
    files: dict[str, Any] = {}
    if options.normals:
        files['_normals.png'] = lambda _: normals_image(normals_of(points_m))
    if options.cloud:

        def cloud(rgb: np.ndarray) -> bytes:
            return ply_bytes(points_m, rgb, ~is_edge(found.depth_m))

        files['_cloud.ply'] = cloud
    return files
