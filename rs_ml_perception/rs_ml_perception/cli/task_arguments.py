"""Arguments that the task commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

COLOR_INPUTS = (
    'picture, folder of pictures, video, recording (rosbag2, .mcap, .db3, RealSense .bag), '
    'number of a webcam, or realsense[:SERIAL]'
)


def add_task_arguments(parser: argparse.ArgumentParser, *, model: str, out: str) -> None:
    """Inputs in colour, model, output and intrinsics.

    Args:
        parser: of the command.
        model: default model name.
        out: default folder.
    """
    add_run_arguments(parser, model=model, out=out, inputs=COLOR_INPUTS)
    parser.add_argument(
        '--intrinsics',
        type=intrinsics,
        metavar='fx,fy,cx,cy',
        help='of pictures, videos and webcams [px]; recordings bring their own',
    )


def add_run_arguments(
    parser: argparse.ArgumentParser, *, model: str, out: str, inputs: str
) -> None:
    """Inputs, model and output.

    Args:
        parser: of the command.
        model: default model name.
        out: default folder.
        inputs: what may be one.
    """
    parser.add_argument('inputs', nargs='+', metavar='INPUT', help=inputs)
    add_camera_argument(parser)
    parser.add_argument(
        '--model', default=model, metavar='NAME|DIR', help='model (default: %(default)s)'
    )
    parser.add_argument(
        '--out', type=Path, default=Path(out), metavar='DIR', help='folder (default: %(default)s)'
    )
    parser.add_argument('--backend', default='auto', help='inference runtime (default: auto)')
    parser.add_argument('--device', default='auto', help='auto, cpu, gpu or npu')
    parser.add_argument(
        '--threads', type=at_least_zero, default=0, help="CPU threads, 0: the runtime's choice"
    )
    parser.add_argument('--json', action='store_true', help='print the results as JSON lines')
    parser.add_argument(
        '--no-pictures', action='store_true', help='leave the annotated pictures out'
    )
    parser.add_argument(
        '--max-frames', type=at_least_zero, default=0, help='stop after so many, 0: never'
    )


def add_camera_argument(parser: argparse.ArgumentParser) -> None:
    """Which camera of a recording."""
    parser.add_argument(
        '--camera',
        default='',
        metavar='NAMESPACE',
        help='of a recording with several, such as /front (default: the one with most streams)',
    )


def add_depth_arguments(parser: argparse.ArgumentParser) -> None:
    """Depth pictures of colour pictures."""
    parser.add_argument(
        '--depth',
        type=Path,
        metavar='DIR',
        help='folder with depth pictures <stem>.png or <stem>_depth.png, aligned to colour',
    )
    add_depth_unit_argument(parser)


def add_depth_unit_argument(parser: argparse.ArgumentParser) -> None:
    """What the values of depth pictures mean."""
    parser.add_argument(
        '--depth-unit',
        type=positive,
        metavar='METRES',
        help='distance of a value of 1 in pictures (default: 0.001, of float32 pictures 1)',
    )


def add_range_arguments(parser: argparse.ArgumentParser) -> None:
    """A band of distances."""
    parser.add_argument('--range-min-m', type=float, default=0.0, help='nearest distance [m]')
    parser.add_argument(
        '--range-max-m', type=float, default=float('inf'), help='farthest distance [m]'
    )


def add_detection_arguments(parser: argparse.ArgumentParser, *, classes: tuple[str, ...]) -> None:
    """What is kept of what a detector finds."""
    parser.add_argument(
        '--score-threshold', type=float, help="least score, in [0, 1] (default: the model's)"
    )
    parser.add_argument('--iou-threshold', type=float, help='overlap of duplicates, in [0, 1]')
    parser.add_argument(
        '--classes',
        type=names,
        default=classes,
        metavar='NAME,...',
        help=f'classes to keep (default: {", ".join(classes) or "all"})',
    )
    parser.add_argument('--max-detections', type=int, default=100, help='(default: %(default)s)')


def intrinsics(text: str) -> tuple[float, float, float, float]:
    """Parse 'fx,fy,cx,cy'."""
    try:
        fx, fy, cx, cy = (float(number) for number in text.split(','))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text!r} must be four numbers fx,fy,cx,cy in pixels'
        ) from None
    if fx <= 0 or fy <= 0:
        raise argparse.ArgumentTypeError(f'focal lengths must be positive, got {fx:g} and {fy:g}')
    return fx, fy, cx, cy


def names(text: str) -> tuple[str, ...]:
    """Parse 'a,b'."""
    return tuple(name.strip() for name in text.split(',') if name.strip())


def at_least_zero(text: str) -> int:
    """Parse a count."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f'must not be negative, got {number}')
    return number


def positive(text: str) -> float:
    """Parse a positive number."""
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f'must be positive, got {text}')
    return number
