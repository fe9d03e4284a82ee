"""Heights of people in unseen synthetic rooms, from the boxes of a detector and measured depth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.text_files import read_lines, read_text
from rs_ml_training.prediction.files import file_stem
from rs_ml_training.prediction.stored import RESULTS

from benchmarks.accuracy.contests import NANODET, SHIPPED, Aim, Subject
from benchmarks.accuracy.handed import DEPTH, PICTURES, hand_over_pictures
from benchmarks.accuracy.robot import Robot
from benchmarks.accuracy.statures import counts, height_errors

TRUTH = 'heights.json'
_ACCELEROMETER, _BOXES = 'accelerometer.json', 'boxes.jsonl'
_NO_DETECTOR = ''
_METRICS = {
    'people': 'people',
    'found': 'found',
    'measured': 'measured',
    'median_error_m': 'median error [mm]',
    'bias_m': 'bias (median) [mm]',
    'close': 'within 5 cm, of all people',
}


@dataclass(frozen=True)
class HeightContest:
    """People of known height.

    Attributes:
        name: to choose it by.
        model: name of the shipped model that it is about.
        data: what the pictures are, for the table.
        subjects: detectors, the shipped one first; one without a model is given the true boxes.
        metrics: shown, name -> heading.
        aims: none: what is wanted is to see what heights are worth.
    """

    name: str
    model: str
    data: str
    subjects: tuple[Subject, ...]
    metrics: Mapping[str, str] = field(default_factory=lambda: dict(_METRICS))
    aims: tuple[Aim, ...] = ()


HEIGHT_CONTESTS = (
    HeightContest(
        'heights',
        'detection',
        'rooms of the synthetic world that training never drew (`--side test --people upright`), '
        'depth of 848x480 registered to colour of 640x480, gravity by the accelerometer; people '
        'who stand or walk, uncut and at least 80 % visible; found: a box with an IoU of 0.5; '
        'measured: `rs-ml height` calls the height OK; errors are those of the measured ones, '
        'against the top of the head above the floor',
        (
            Subject(SHIPPED, 'detection'),
            Subject(NANODET, 'nanodet_plus_m'),
            Subject('CenterNet', 'centernet_mnv3_coco'),
            Subject('true boxes', _NO_DETECTOR),
        ),
        aims=(
            Aim('found 0.97', 'found', least=0.97),
            Aim('measured 0.78', 'measured', least=0.78),
            Aim('within 5 cm 0.66', 'close', least=0.66),
        ),
    ),
)


class HeightCourse:
    """Frames handed over to `rs-ml height`, and who is in them.

    Args:
        reader: colour with registered depth.
        rooms: folder of the set, which holds heights.json.
        folder: to hand over in.

    Raises:
        InputError: nothing is known of a frame, or nobody in any of them is to be measured.
    """

    def __init__(self, reader: Reader, rooms: Path, folder: Path) -> None:
        names = [reader.name(index) for index in range(len(reader))]
        truth = _truth(rooms / TRUTH, names)
        self._people = {file_stem(name): truth[name]['people'] for name in names}
        if not any(counts(person) for persons in self._people.values() for person in persons):
            raise InputError(
                f'nobody in {rooms} is upright, uncut and visible: make rooms with '
                'rs-ml-data synth --side test --people upright'
            )
        self._folder, self._camera = folder, reader.read(0).intrinsics
        hand_over_pictures(reader, folder)
        readings = {file_stem(name): truth[name]['accelerometer'] for name in names}
        (folder / _ACCELEROMETER).write_text(json.dumps(readings))
        lines = (_boxes_line(stem, persons) for stem, persons in self._people.items())
        (folder / _BOXES).write_text('\n'.join(lines))

    def measure(self, robot: Robot, subject: Subject) -> dict[str, float]:
        """See `statures.height_errors`.

        Raises:
            InputError: the command failed.
        """
        out = self._folder / f'out-{subject.model or "boxes"}'
        words = [self._folder / PICTURES, '--depth', self._folder / DEPTH]
        words += ['--intrinsics', _numbers(self._camera)]
        words += ['--accelerometer', self._folder / _ACCELEROMETER]
        if subject.model == _NO_DETECTOR:
            words += ['--boxes', self._folder / _BOXES]
        else:
            words += ['--model', subject.model]
        robot.run('height', *words, '--out', out, '--no-pictures')
        entries = [json.loads(line) for line in read_lines(out / RESULTS)]
        seen = {Path(entry['image']).stem: entry['detections'] for entry in entries}
        return height_errors(seen, self._people)


def _truth(path: Path, names: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Entries of heights.json by the name of the frame."""
    try:
        entries = {entry['image']: entry for entry in json.loads(read_text(path))}
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f'{path} is not what rs-ml-data synth writes: {error!r}') from error
    missing = [name for name in names if name not in entries]
    if missing:
        raise InputError(f'{path} says nothing about frame {missing[0]}')
    return entries


def _boxes_line(stem: str, people: Sequence[Mapping[str, Any]]) -> str:
    """Everybody, as a detector that sees all of them would say it."""
    found = [{'label': 'person', 'score': 1.0, 'box': person['box']} for person in people]
    return json.dumps({'image': f'{stem}.png', 'detections': found})


def _numbers(camera: CameraModel) -> str:
    return ','.join(f'{number:.4f}' for number in (camera.fx, camera.fy, camera.cx, camera.cy))
