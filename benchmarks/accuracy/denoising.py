"""Denoising beside raw depth and the camera SDK's filters, on unseen rooms and on real pairs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rs_ml_training.data.reader import Reader, Subset, last_frames
from rs_ml_training.evaluation.comparison import compare
from rs_ml_training.prediction.sdk_filters import CHAINS
from rs_ml_training.prediction.stored import StoredDenoised
from rs_ml_training.tasks.denoise import RAW, DenoiseEvaluation, DenoiseTask

from benchmarks.accuracy.contests import SHIPPED, Aim, Figures
from benchmarks.accuracy.handed import DEPTH, INFRARED, hand_over_depth
from benchmarks.accuracy.robot import Robot

MODEL = 'denoise'
_FILTERS = tuple(CHAINS)
_OTHERS = (RAW, *_FILTERS)
_METRICS = {
    'rmse_m': 'RMSE [mm]',
    'coverage': 'coverage',
    'rmse_strict_m': 'RMSE of measured pixels, removed ones wrong [mm]',
    'good_raw': 'measured pixels within 2 cm or 2 %, removed ones not',
    'edge_mae_m': 'MAE at edges [mm]',
    'edge_raw_mae_m': 'MAE at edges, measured pixels [mm]',
    'plane_rms_m': 'planes, RMS [mm]',
}


@dataclass(frozen=True)
class DenoiseContest:
    """Frames with truth on which denoising is judged.

    Attributes:
        name: to choose it by.
        data: what the frames are, for the table.
        source: FORMAT:PATH, relative to the folder of data sets; '' for the synthetic world.
        options: of the reader.
        last_of_scene: judge the last frame of each scene; the temporal filter sees all.
        aims: what should come out.
    """

    name: str
    data: str
    source: str
    aims: tuple[Aim, ...]
    options: dict[str, Any] = field(default_factory=dict)
    last_of_scene: bool = False
    model: str = MODEL
    metrics: dict[str, str] = field(default_factory=lambda: dict(_METRICS))


DENOISE_CONTESTS = (
    DenoiseContest(
        'denoise',
        'rooms of the synthetic world that training never drew (`--side test`), 848x480',
        '',
        (
            Aim('RMSE 40 % below the best filter', 'rmse_m', most=0.6, beside=_FILTERS),
            Aim(
                'coverage not below that filter',
                'coverage',
                least=1.0,
                beside=_FILTERS,
                least_by='rmse_m',
            ),
            Aim('edges below raw and filters', 'edge_raw_mae_m', most=1.0, beside=_OTHERS),
            Aim('planes smoother than raw', 'plane_rms_m', most=1.0, beside=(RAW,)),
        ),
        last_of_scene=True,
    ),
    DenoiseContest(
        'denoise_real',
        'real pairs of raw and fused depth, the group held out: a single frame',
        'depth-pairs:depth_refinement_people/group2',
        (
            Aim(
                'below raw and filters', 'rmse_strict_m', most=1.0, beside=_OTHERS, is_strict=True
            ),
            Aim('planes smoother than raw', 'plane_rms_m', most=1.0, beside=(RAW,)),
        ),
    ),
)


def measure_denoising(
    robot: Robot, contest: DenoiseContest, reader: Reader, folder: Path
) -> tuple[int, Figures]:
    """Frames judged, and the metrics of every way to clean them.

    Raises:
        ConfigError: pyrealsense2 is not installed.
        InputError: the command failed, or left a frame out.
    """
    judged = last_frames(reader) if contest.last_of_scene else range(len(reader))
    hand_over_depth(Subset(reader, list(judged)), folder)
    out = folder / 'out'
    words = [folder / DEPTH, '--model', MODEL, '--out', out, '--no-pictures']
    if any((folder / INFRARED).iterdir()):
        words += ['--infrared', folder / INFRARED]
    robot.run('denoise', *words)
    ours = {SHIPPED: StoredDenoised(out).batch}
    options = DenoiseEvaluation(sdk_filters=True, last_of_scene=contest.last_of_scene)
    found = compare(DenoiseTask(), options, reader, ours)
    order = (SHIPPED, *(name for name in found if name != SHIPPED))
    return len(judged), {name: found[name].metrics for name in order}
