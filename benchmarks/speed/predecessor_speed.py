"""Time per frame of the predecessor systems over that of this project, on the same frames."""

from __future__ import annotations

import itertools
import os
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import InputError, ModelError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.shelf import find_model, locate
from rs_ml_perception.tasks.denoise import DenoiseOptions, DenoisePipeline
from rs_ml_perception.tasks.detection import DetectionOptions, DetectionPipeline
from rs_ml_perception.tasks.height import HeightPipeline
from rs_ml_perception.tasks.mono_depth import MonoDepthOptions, MonoDepthPipeline
from rs_ml_perception.tasks.options import ModelOptions

from benchmarks.speed.predecessors import Denoising, DetectionAndHeight, MonoDepth
from benchmarks.speed.recorded_input import MODEL_VARIABLE, load_depth_frames, load_frames
from benchmarks.speed.running_graph import default_model
from benchmarks.speed.sections import SpeedOptions
from benchmarks.tables import Row
from benchmarks.timing import alternate, mean_ms, median_ratio

HEIGHT_GRAPH = 'centernet_mnv3_coco'
KERAS_FILE = 'nyu_mobilenet_unet_5.keras'
GOALS = {'detection + height': 10.0, 'denoise': 100.0, 'mono_depth': 5.0}

SLOW_FRAMES = 4  # the predecessor takes seconds per frame

SEGMENTATION_NOTE = (
    'none: the predecessor ran DeepLab by model.predict, and the network is available as TFLite '
    'only'
)


def measure(options: SpeedOptions, logs: Path) -> dict[str, Any]:
    """Every comparison, or the reason why there is none."""
    frames = [frame for frame in load_frames(options.recording) if frame.depth is not None]
    return {
        'detection + height': _or_note(
            lambda: _compare(DetectionAndHeight(_frozen_graph()), _our_height(), frames, options)
        ),
        'mono_depth': _or_note(
            lambda: _compare(MonoDepth(_keras_model()), _our_depth(), frames, options)
        ),
        'denoise': _denoise(options),
        'segmentation': {'note': SEGMENTATION_NOTE},
    }


def _or_note(compare: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A note if a model of the predecessor, which is not ours to ship, is missing."""
    try:
        return compare()
    except (InputError, ModelError) as error:
        return {'note': f'none: {error}'}


def _denoise(options: SpeedOptions) -> dict[str, Any]:
    frames = load_depth_frames(options.recording)
    if not frames:
        return {'note': 'none: the recording holds no depth'}
    try:
        theirs = Denoising()
    except InputError as error:
        return {'note': f'none: {error}'}
    choice = ModelOptions(default_model('denoise'))
    ours = DenoisePipeline.load(choice, DenoiseOptions())
    few = replace(options, frames=SLOW_FRAMES, rounds=min(options.rounds, 3))
    return _compare(theirs, ours, frames[:SLOW_FRAMES], few)


def _compare(
    theirs: Callable[[Frame], Any],
    ours: Callable[[Frame], Any],
    frames: list[Frame],
    options: SpeedOptions,
) -> dict[str, Any]:
    """Mean milliseconds per frame; both alternate."""
    for frame in frames[:3]:
        theirs(frame)
        ours(frame)

    def mean_of(work: Callable[[Frame], Any]) -> Callable[[], float]:
        endless = itertools.cycle(frames)
        return lambda: mean_ms(lambda: work(next(endless)), runs=options.frames)

    works = {'predecessor_ms': mean_of(theirs), 'ours_ms': mean_of(ours)}
    times = alternate(works, rounds=options.rounds)
    return {
        **{name: statistics.median(values) for name, values in times.items()},
        'times_as_fast': median_ratio(times['predecessor_ms'], times['ours_ms']),
        'rounds': times,
    }


def _our_height() -> Callable[[Frame], Any]:
    """Detection, tracking, placement and heights as the nodes do them."""
    choice = ModelOptions(default_model('detection'))
    detection = DetectionPipeline.load(choice, DetectionOptions())
    height = HeightPipeline()

    return lambda frame: height(frame, detection(frame))


def _our_depth() -> Callable[[Frame], Any]:
    choice = ModelOptions(default_model('mono_depth'))
    return MonoDepthPipeline.load(choice, MonoDepthOptions())


def _frozen_graph() -> Path:
    manifest = read_manifest(find_model(HEIGHT_GRAPH))
    frozen = [a.file for a in manifest.artifacts if a.format == 'frozen_graph']
    return locate(manifest, frozen[0])


def _keras_model() -> Path:
    """The Keras file that our network of the same name was converted from.

    Raises:
        InputError: it is not among the models.
    """
    folders = os.environ.get(MODEL_VARIABLE, '').split(os.pathsep)
    found = [path for folder in folders if folder for path in Path(folder).rglob(KERAS_FILE)]
    if not found:
        raise InputError(f'{KERAS_FILE} is not under {MODEL_VARIABLE} ({folders}): nothing to run')
    return found[0]


def rows(result: dict[str, Any]) -> list[Row]:
    """One row per task."""
    lines = []
    for name, goal in GOALS.items():
        part = result[name]
        if 'note' in part:
            lines.append(Row(name, part['note']))
            continue
        times = part['times_as_fast']
        text = (
            f'{part["predecessor_ms"]:.1f} ms / {part["ours_ms"]:.1f} ms = '
            f'{times:.1f} times as fast'
        )
        lines.append(Row(name, text, f'{goal:.0f}', times >= goal))
    return [*lines, Row('segmentation', result['segmentation']['note'])]
