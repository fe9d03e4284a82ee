"""Heights of people in unseen synthetic rooms, from the boxes of a detector and measured depth."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.objects.boxes import box_iou
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.text_files import read_lines, read_text
from rs_ml_training.prediction.result_files import file_stem
from rs_ml_training.prediction.stored import RESULTS

from benchmarks.accuracy.definitions import NANODET, SHIPPED, Candidate, Target
from benchmarks.accuracy.evaluators import RobotCommands, intrinsics_argument
from benchmarks.accuracy.inputs import DEPTH, IMAGES, write_images

TRUTH = 'heights.json'
POSTURES = ('standing', 'walking')
MIN_VISIBLE, MIN_IOU, CLOSE_M = 0.8, 0.5, 0.05
_OK = 'OK'
_ACCELEROMETER, _BOXES = 'accelerometer.json', 'boxes.jsonl'
_NO_DETECTOR = ''
_METRICS = {
    'people': 'people',
    'found': 'found',
    'measured': 'measured',
    'median_error_m': 'median error [mm]',
    'bias_m': 'bias (median) [mm]',
    'close': 'within 5 cm (of all people)',
}

TruePerson = Mapping[str, Any]
"""A person of heights.json, see `synth.writing`."""
MeasuredPerson = Mapping[str, Any]
"""A person in the results of `rs-ml height`."""


@dataclass(frozen=True)
class HeightBenchmark:
    """People of known height.

    Attributes:
        name: for `--only`.
        model: name of the shipped model.
        data: description of the images.
        candidates: detectors, the shipped one first; one without a model gets the true boxes.
        metrics: in tables, name -> heading.
        targets: for the figures.
    """

    name: str
    model: str
    data: str
    candidates: tuple[Candidate, ...]
    metrics: Mapping[str, str] = field(default_factory=lambda: dict(_METRICS))
    targets: tuple[Target, ...] = ()


HEIGHT_BENCHMARKS = (
    HeightBenchmark(
        'heights',
        'detection',
        'synthetic rooms unseen in training (`--side test --people upright`), depth of 848x480 '
        'registered to colour of 640x480, gravity from the accelerometer; people who stand or '
        'walk, uncut and at least 80 % visible; found: a box with an IoU of 0.5; measured: '
        '`rs-ml height` reports OK; errors are those of the measured ones, against the top of the '
        'head above the floor',
        (
            Candidate(SHIPPED, 'detection'),
            Candidate(NANODET, 'nanodet_plus_m'),
            Candidate('CenterNet', 'centernet_mnv3_coco'),
            Candidate('true boxes', _NO_DETECTOR),
        ),
        targets=(
            Target('found 0.97', 'found', least=0.97),
            Target('measured 0.78', 'measured', least=0.78),
            Target('within 5 cm 0.66', 'close', least=0.66),
        ),
    ),
)


class HeightInput:
    """Frames as input of `rs-ml height`, and the people in them.

    Args:
        reader: colour with registered depth.
        rooms: folder of the set, which holds heights.json.
        folder: for the input files.

    Raises:
        InputError: a frame has no truth, or no frame shows a person to evaluate.
    """

    def __init__(self, reader: Reader, rooms: Path, folder: Path) -> None:
        names = [reader.name(index) for index in range(len(reader))]
        truth = _truth(rooms / TRUTH, names)
        self._people = {file_stem(name): truth[name]['people'] for name in names}
        if not any(
            is_evaluated(person) for persons in self._people.values() for person in persons
        ):
            raise InputError(
                f'nobody in {rooms} is upright, uncut and visible: make rooms with '
                'rs-ml-data synth --side test --people upright'
            )
        camera = reader.read(0).intrinsics
        if camera is None:
            raise InputError(f'{rooms} has no intrinsics: render it again with rs-ml-data synth')
        self._folder, self._camera = folder, camera
        write_images(reader, folder)
        readings = {file_stem(name): truth[name]['accelerometer'] for name in names}
        (folder / _ACCELEROMETER).write_text(json.dumps(readings))
        lines = (_boxes_line(stem, persons) for stem, persons in self._people.items())
        (folder / _BOXES).write_text('\n'.join(lines))

    def measure(self, robot: RobotCommands, candidate: Candidate) -> dict[str, float]:
        """See `height_errors`.

        Raises:
            InputError: the command failed.
        """
        out = self._folder / f'out-{candidate.model or "boxes"}'
        words: list[str | Path] = [self._folder / IMAGES, '--depth', self._folder / DEPTH]
        words += ['--intrinsics', intrinsics_argument(self._camera)]
        words += ['--accelerometer', self._folder / _ACCELEROMETER]
        if candidate.model == _NO_DETECTOR:
            words += ['--boxes', self._folder / _BOXES]
        else:
            words += ['--model', candidate.model]
        robot.run('height', *words, '--out', out, '--no-pictures')
        entries = [json.loads(line) for line in read_lines(out / RESULTS)]
        measured = {Path(entry['image']).stem: entry['detections'] for entry in entries}
        return height_errors(measured, self._people)


def _truth(path: Path, names: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Entries of heights.json by the name of the frame."""
    try:
        entries = {entry['image']: entry for entry in json.loads(read_text(path))}
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f'{path} is not what rs-ml-data synth writes: {error!r}') from error
    missing = [name for name in names if name not in entries]
    if missing:
        raise InputError(f'{path} has no entry for frame {missing[0]}')
    return entries


def _boxes_line(stem: str, people: Sequence[Mapping[str, Any]]) -> str:
    """All people, as the results of a perfect detector."""
    found = [{'label': 'person', 'score': 1.0, 'box': person['box']} for person in people]
    return json.dumps({'image': f'{stem}.png', 'detections': found})


def is_evaluated(person: TruePerson) -> bool:
    """Whether a person is upright, uncut and at least 80 % visible."""
    is_upright = person['posture'] in POSTURES
    return is_upright and not person['cut'] and person['visible_share'] >= MIN_VISIBLE


def height_errors(
    measured: Mapping[str, Sequence[MeasuredPerson]], true: Mapping[str, Sequence[TruePerson]]
) -> dict[str, float]:
    """Metrics of measured heights.

    The true height is that of the top of the head above the floor, which is less than the stature
    in mid-stride.

    Args:
        measured: name of an image -> persons.
        true: name of an image -> persons.

    Returns:
        `people`; of them the fractions `found` (a box with an IoU of 0.5), `measured` (a height
        with status OK) and `close` (measured within 5 cm); of the measured ones `median_error_m`
        (absolute) and `bias_m` (median of measured minus true).
    """
    pairs = [
        (person, _best_match(person, measured.get(name, ())))
        for name, persons in true.items()
        for person in persons
        if is_evaluated(person)
    ]
    found = [(person, match) for person, match in pairs if match is not None]
    errors_m = np.array(
        [match['height_m'] - person['top_m'] for person, match in found if match['status'] == _OK]
    )
    return {
        'people': float(len(pairs)),
        'found': _fraction(len(found), len(pairs)),
        'measured': _fraction(len(errors_m), len(pairs)),
        'median_error_m': _median(np.abs(errors_m)),
        'bias_m': _median(errors_m),
        'close': _fraction(int((np.abs(errors_m) <= CLOSE_M).sum()), len(pairs)),
    }


def _best_match(person: TruePerson, measured: Sequence[MeasuredPerson]) -> MeasuredPerson | None:
    """The one with the largest IoU, None below MIN_IOU."""
    if not measured:
        return None
    ious = box_iou(_boxes([person]), _boxes(measured))[0]
    best = int(np.argmax(ious))
    return measured[best] if ious[best] >= MIN_IOU else None


def _boxes(people: Sequence[Mapping[str, Any]]) -> np.ndarray:
    return np.array([person['box'] for person in people], np.float32)


def _fraction(count: int, people: int) -> float:
    return count / people if people else math.nan


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if values.size else math.nan
