"""The command `rs-ml-data capture`: pictures from a video or a camera."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.capture import at_rate, frames, write_captured
from rs_ml_training.data.sample import Sample


def add_commands(commands: Any) -> None:
    """Add `capture`."""
    sub = commands.add_parser('capture', help='save frames of a video or a camera')
    sub.add_argument('source', help='video file, webcam number, realsense[:SERIAL or :FILE.bag]')
    sub.add_argument('--out', type=Path, required=True, help='folder; what is there is kept')
    sub.add_argument('--rate', type=float, default=3.0, help='frames a second, 0: all')
    sub.add_argument('--count', type=int, help='stop after so many')
    sub.add_argument('--roi', type=_roi, help='X,Y,WIDTH,HEIGHT of the part to keep')
    sub.add_argument('--by-key', action='store_true', help='show frames, save on key 1, stop on q')
    sub.set_defaults(run=_capture)


def _capture(arguments: argparse.Namespace) -> int:
    if arguments.rate < 0 or (arguments.count is not None and arguments.count < 1):
        raise ConfigError(f'--rate {arguments.rate} or --count {arguments.count} makes no sense')
    rate = 0.0 if arguments.by_key else arguments.rate
    options: dict[str, Any] = {'count': arguments.count, 'roi': arguments.roi}
    if arguments.by_key:
        options['chosen'] = _KeyChoice()
    captured = at_rate(frames(arguments.source), rate)
    written = write_captured(captured, arguments.out, **options)
    print(f'{arguments.out}: {written} new frames')
    return 0


class _KeyChoice:
    """Shows every frame and keeps those for which key 1 is pressed."""

    def __init__(self) -> None:
        from rs_ml_training.labelling.screen import Window

        self._window = Window('rs-ml-data capture')

    def __call__(self, sample: Sample) -> bool | None:
        self._window.show(sample.image, '1: save, q: stop')
        key = self._window.key()
        return None if key == 'q' else key == '1'


def _roi(text: str) -> tuple[int, ...]:
    numbers = tuple(int(part) for part in text.split(',') if part.strip('-').isdigit())
    if len(numbers) != 4 or text.count(',') != 3 or min(numbers[2:]) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not X,Y,WIDTH,HEIGHT, as 411,201,1024,1024')
    return numbers
