"""The seeds' way against ours, frame by frame on the same frames."""

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

from benchmarks.speed.bare_models import default_model
from benchmarks.speed.material import MODEL_VARIABLE, load_depth_frames, load_frames
from benchmarks.speed.options import BenchOptions
from benchmarks.speed.rows import Row
from benchmarks.speed.seeds_way import SeedDenoise, SeedDepth, SeedHeight
from benchmarks.speed.timing import mean_ms, median_ratio, take_turns

HEIGHT_GRAPH = 'centernet_mnv3_coco'
KERAS_FILE = 'nyu_mobilenet_unet_5.keras'
GOALS = {'detection + height': 10.0, 'denoise': 100.0, 'mono_depth': 5.0}

SLOW_FRAMES = 4
"""Of a way that takes seconds a frame."""

SEGMENTATION_NOTE = (
    'none: the DeepLab network used here exists as TFLite only, so there is nothing that '
    'model.predict could run'
)


def measure(options: BenchOptions, logs: Path) -> dict[str, Any]:
    """The comparisons that can be made, and why the others cannot."""
    frames = [frame for frame in load_frames(options.recording) if frame.depth is not None]
    return {
        'detection + height': _or_why_not(
            lambda: _compare(SeedHeight(_frozen_graph()), _our_height(), frames, options)
        ),
        'mono_depth': _or_why_not(
            lambda: _compare(SeedDepth(_keras_model()), _our_depth(), frames, options)
        ),
        'denoise': _denoise(options),
        'segmentation': {'note': SEGMENTATION_NOTE},
    }


def _or_why_not(compare: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The seeds' models are not ours to ship: who lacks them still gets the other comparisons."""
    try:
        return compare()
    except (InputError, ModelError) as error:
        return {'note': f'none: {error}'}


def _denoise(options: BenchOptions) -> dict[str, Any]:
    frames = load_depth_frames(options.recording)
    if not frames:
        return {'note': 'none: the recording holds no depth'}
    try:
        theirs = SeedDenoise()
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
    options: BenchOptions,
) -> dict[str, Any]:
    """Mean milliseconds per frame of both, in turns."""
    for frame in frames[:3]:
        theirs(frame)
        ours(frame)

    def turn(work: Callable[[Frame], Any]) -> Callable[[], float]:
        endless = itertools.cycle(frames)
        return lambda: mean_ms(lambda: work(next(endless)), runs=options.frames)

    times = take_turns({'seed_ms': turn(theirs), 'ours_ms': turn(ours)}, rounds=options.rounds)
    return {
        **{name: statistics.median(values) for name, values in times.items()},
        'times_as_fast': median_ratio(times['seed_ms'], times['ours_ms']),
        'rounds': times,
    }


def _our_height() -> Callable[[Frame], Any]:
    """Detection, tracking, placement and heights as the nodes do them."""
    choice = ModelOptions(default_model('detection'))
    detection = DetectionPipeline.load(choice, DetectionOptions())
    height = HeightPipeline()

    def work(frame: Frame) -> Any:
        found = detection(frame)
        return height(frame, found.detections, detection.labels, None)

    return work


def _our_depth() -> Callable[[Frame], Any]:
    choice = ModelOptions(default_model('mono_depth'))
    return MonoDepthPipeline.load(choice, MonoDepthOptions())


def _frozen_graph() -> Path:
    manifest = read_manifest(find_model(HEIGHT_GRAPH))
    frozen = [a.file for a in manifest.artifacts if a.format == 'frozen_graph']
    return locate(manifest, frozen[0])


def _keras_model() -> Path:
    """The Keras file our network of the same name was converted from.

    Raises:
        InputError: it is not among the models.
    """
    folders = os.environ.get(MODEL_VARIABLE, '').split(os.pathsep)
    found = [path for folder in folders if folder for path in Path(folder).rglob(KERAS_FILE)]
    if not found:
        raise InputError(f'{KERAS_FILE} is not under {MODEL_VARIABLE} ({folders}): nothing to run')
    return found[0]


def rows(result: dict[str, Any]) -> list[Row]:
    """One line a task."""
    lines = []
    for name, goal in GOALS.items():
        part = result[name]
        if 'note' in part:
            lines.append(Row(name, part['note']))
            continue
        times = part['times_as_fast']
        text = f'{part["seed_ms"]:.1f} ms / {part["ours_ms"]:.1f} ms = {times:.1f} times as fast'
        lines.append(Row(name, text, f'{goal:.0f}', times >= goal))
    return [*lines, Row('segmentation', result['segmentation']['note'])]
