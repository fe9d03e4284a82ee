"""Denoising of real pairs by distance: no band may be worse than raw depth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample, required
from rs_ml_training.metrics.range_bands import RangeBands
from rs_ml_training.prediction.stored import RawDepth, StoredDenoised
from rs_ml_training.tasks.denoise import RAW

from benchmarks.accuracy.definitions import SHIPPED, Figures, Target
from benchmarks.accuracy.denoising import MODEL
from benchmarks.accuracy.evaluators import RobotCommands
from benchmarks.accuracy.inputs import DEPTH, write_depth_images

UNBOUNDED = 'without bounds'
_WITHOUT_BOUNDS = ('--max-toward-sigmas', '0', '--max-away-sigmas', '0')


def _metrics(bands: Sequence[str]) -> dict[str, str]:
    names = {'rmse': 'RMSE', 'mae': 'MAE'}
    return {
        f'{name}_{band}_m': f'{heading} at {band.replace("_", " to ")} m [mm]'
        for band in bands
        for name, heading in names.items()
    } | {'removed': 'fraction of measured pixels removed'}


@dataclass(frozen=True)
class BandBenchmark:
    """Real frames with better depth.

    Attributes:
        name: for `--only`.
        data: description of the frames.
        source: FORMAT:PATH, relative to the folder of data sets.
        bands: those that the frames cover, as in `RangeBands`.
        camera_type: see `tasks/denoise.py`.
        options: of the reader.
        first, every: which frames.
    """

    name: str
    data: str
    source: str
    bands: tuple[str, ...]
    camera_type: str = 'auto'
    options: Mapping[str, Any] = field(default_factory=dict)
    first: int = 0
    every: int = 1
    model: str = MODEL

    @property
    def metrics(self) -> dict[str, str]:
        """Metric -> heading."""
        return _metrics(self.bands)

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every band, by RMSE and by MAE."""
        return tuple(
            Target('not above raw', metric, most=1.0, others=(RAW,))
            for metric in self.metrics
            if metric != 'removed'
        )


BAND_BENCHMARKS = (
    BandBenchmark(
        'denoise_kinect',
        '7-Scenes, a kitchen: a Kinect against depth fused from 20 frames around (poses of the '
        'data set, own frame left out); the bounds were chosen on other frames of the sequence',
        'seven-scenes-fused:seven_scenes',
        ('0.3_1', '1_2', '2_3', '3_4'),
        camera_type='kinect',
        options={'step_px': 4},
        first=2,
        every=5,
    ),
    BandBenchmark(
        'denoise_people_1',
        'real pairs of raw and fused depth, the group that trained the network and chose the '
        'bounds',
        'depth-pairs:depth_refinement_people/group1',
        ('1_2',),
    ),
    BandBenchmark(
        'denoise_people_2',
        'the same, the held-out group: a single frame',
        'depth-pairs:depth_refinement_people/group2',
        ('1_2',),
    ),
)


def measure_bands(
    robot: RobotCommands, benchmark: BandBenchmark, reader: Reader, folder: Path
) -> Figures:
    """Metrics of the network with and without bounds, and of raw depth.

    Raises:
        InputError: the command failed, or a result is missing.
    """
    write_depth_images(reader, folder)
    predictors: dict[str, Callable[[list[Sample]], Sequence[Any]]] = {}
    for title, words in ((SHIPPED, ()), (UNBOUNDED, _WITHOUT_BOUNDS)):
        out = folder / title.replace(' ', '_')
        options: list[str | Path] = ['--model', MODEL, '--out', out, '--no-pictures']
        options += ['--camera-type', benchmark.camera_type, *words]
        robot.run('denoise', folder / DEPTH, *options)
        predictors[title] = StoredDenoised(out).batch
    predictors[RAW] = RawDepth().batch
    bands = {title: RangeBands() for title in predictors}
    for index in range(len(reader)):
        sample = reader.read(index)
        truth_m, raw_m = (
            required(sample, name, 'to compare with') for name in ('depth_m', 'raw_depth_m')
        )
        for title, predict in predictors.items():
            (found,) = predict([sample])
            bands[title].update(truth_m, raw_m, found.depth_m)
    return {title: found.result() for title, found in bands.items()}
