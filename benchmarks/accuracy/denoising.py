"""Denoising against raw depth and the filters of the camera's SDK."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rs_ml_training.data.reader import Reader, Subset, last_frames
from rs_ml_training.evaluation.comparison import compare
from rs_ml_training.prediction.sdk_filters import CHAINS
from rs_ml_training.prediction.stored import StoredDenoised
from rs_ml_training.tasks.denoise import RAW, DenoiseEvaluation, DenoiseTask

from benchmarks.accuracy.definitions import SHIPPED, Figures, Target
from benchmarks.accuracy.evaluators import RobotCommands
from benchmarks.accuracy.inputs import DEPTH, INFRARED, write_depth_images

MODEL = 'denoise'
_FILTERS = tuple(CHAINS)
_OTHERS = (RAW, *_FILTERS)
_METRICS = {
    'rmse_m': 'RMSE [mm]',
    'coverage': 'coverage',
    'rmse_strict_m': 'RMSE of measured pixels, removed = wrong [mm]',
    'good_raw': 'fraction of measured pixels within 2 cm / 2 %, removed = wrong',
    'edge_mae_m': 'MAE at edges [mm]',
    'edge_raw_mae_m': 'MAE at edges, measured pixels [mm]',
    'plane_rms_m': 'planes, RMS [mm]',
}


@dataclass(frozen=True)
class DenoiseBenchmark:
    """Frames with ground truth.

    Attributes:
        name: for `--only`.
        data: description of the frames.
        source: FORMAT:PATH, relative to the folder of data sets; '' for the synthetic world.
        options: of the reader.
        last_of_scene: evaluate the last frame of each scene; the temporal filter sees all.
        targets: for the figures.
    """

    name: str
    data: str
    source: str
    targets: tuple[Target, ...]
    options: dict[str, Any] = field(default_factory=dict)
    last_of_scene: bool = False
    model: str = MODEL
    metrics: dict[str, str] = field(default_factory=lambda: dict(_METRICS))


DENOISE_BENCHMARKS = (
    DenoiseBenchmark(
        'denoise',
        'synthetic rooms unseen in training (`--side test`), 848x480',
        '',
        (
            Target('RMSE 40 % below the best filter', 'rmse_m', most=0.6, others=_FILTERS),
            Target(
                'coverage not below that filter',
                'coverage',
                least=1.0,
                others=_FILTERS,
                best_by='rmse_m',
            ),
            Target('edges below raw and filters', 'edge_raw_mae_m', most=1.0, others=_OTHERS),
            Target('planes smoother than raw', 'plane_rms_m', most=1.0, others=(RAW,)),
        ),
        last_of_scene=True,
    ),
    DenoiseBenchmark(
        'denoise_real',
        'real pairs of raw and fused depth, the held-out group: a single frame',
        'depth-pairs:depth_refinement_people/group2',
        (
            Target(
                'below raw and filters', 'rmse_strict_m', most=1.0, others=_OTHERS, is_strict=True
            ),
            Target('planes smoother than raw', 'plane_rms_m', most=1.0, others=(RAW,)),
        ),
    ),
)


def measure_denoising(
    robot: RobotCommands, benchmark: DenoiseBenchmark, reader: Reader, folder: Path
) -> tuple[int, Figures]:
    """Number of evaluated frames, and the metrics of the network, raw depth and every filter.

    Raises:
        ConfigError: pyrealsense2 is not installed.
        InputError: the command failed, or a result is missing.
    """
    evaluated = last_frames(reader) if benchmark.last_of_scene else range(len(reader))
    write_depth_images(Subset(reader, list(evaluated)), folder)
    out = folder / 'out'
    words: list[str | Path] = [folder / DEPTH, '--model', MODEL, '--out', out, '--no-pictures']
    if any((folder / INFRARED).iterdir()):
        words += ['--infrared', folder / INFRARED]
    robot.run('denoise', *words)
    ours = {SHIPPED: StoredDenoised(out).batch}
    options = DenoiseEvaluation(sdk_filters=True, last_of_scene=benchmark.last_of_scene)
    found = compare(DenoiseTask(), options, reader, ours)
    order = (SHIPPED, *(name for name in found if name != SHIPPED))
    return len(evaluated), {name: found[name].metrics for name in order}
