"""Benchmarks of the shipped models: data, candidates, metrics and targets; options of a run."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import option

DATA_VARIABLE = 'RS_ML_TEST_DATA'
SHIPPED = 'shipped'

Figures = Mapping[str, Mapping[str, float]]
"""Title of a candidate -> metric -> value."""


@dataclass(frozen=True)
class AccuracyOptions:
    """Evaluates accuracy and speed of every shipped model and of others for comparison."""

    data: Path | None = option(None, f'folder of the data sets (default: {DATA_VARIABLE})')
    synth: Path | None = option(None, 'test side of the synthetic world (default: rendered)')
    rooms: int = option(60, 'number of rendered rooms', low=1)
    seed: int = option(700_000, 'of the rooms', low=0)
    exposures: int = option(4, 'frames per room, all of which the filters see', low=1)
    upright: Path | None = option(None, 'the same with upright people (default: rendered)')
    upright_rooms: int = option(40, 'number of its rendered rooms, one frame each', low=1)
    only: tuple[str, ...] = option((), 'names of benchmarks, or speed (default: all)')
    out: Path | None = option(None, 'Markdown file; the part between its markers is replaced')
    cards: Path | None = option(None, 'folder of model directories, whose cards get the figures')
    json_file: Path | None = option(None, 'file for the figures', flag='json')
    quick: bool = option(False, 'a few images each: for a look, not for the record')

    def data_folder(self) -> Path:
        """The folder of the data sets.

        Raises:
            ConfigError: none is named.
        """
        chosen = self.data or os.environ.get(DATA_VARIABLE)
        if not chosen:
            raise ConfigError(f'no data: give --data DIR, or set {DATA_VARIABLE}')
        return Path(chosen)


@dataclass(frozen=True)
class Candidate:
    """A model under evaluation.

    Attributes:
        title: in tables.
        model: name for `rs-ml`.
        takes_depth: whether measured depth is an input, too.
        person_id: class id of people in its masks, for benchmarks of people alone.
    """

    title: str
    model: str
    takes_depth: bool = False
    person_id: int = 0


@dataclass(frozen=True)
class Target:
    """A limit for a metric, absolute or relative to other candidates.

    Attributes:
        text: in tables.
        metric: of the candidate `of`.
        least, most: limits; with `others`, multiples of the best value among them.
        of: title of a candidate.
        others: titles.
        best_by: metric whose least value selects one of `others`; '': all count.
        is_strict: whether the limit itself fails.
    """

    text: str
    metric: str
    least: float | None = None
    most: float | None = None
    of: str = SHIPPED
    others: tuple[str, ...] = ()
    best_by: str = ''
    is_strict: bool = False

    def is_met(self, figures: Figures) -> bool | None:
        """None if something was not measured."""
        value = figures.get(self.of, {}).get(self.metric, math.nan)
        others = [figures[title][self.metric] for title in self._compared(figures)]
        if math.isnan(value) or (self.others and not others):
            return None
        if self.least is not None:
            limit = self.least * max(others, default=1.0)
            return value > limit if self.is_strict else value >= limit
        limit = (self.most or 0.0) * min(others, default=1.0)
        return value < limit if self.is_strict else value <= limit

    def _compared(self, figures: Figures) -> list[str]:
        found = [title for title in self.others if title in figures]
        if not self.best_by or not found:
            return found
        return [min(found, key=lambda title: figures[title][self.best_by])]


@dataclass(frozen=True)
class Benchmark:
    """Candidates evaluated on the same data.

    Attributes:
        name: for `--only`.
        task: key of `evaluators.EVALUATORS`.
        model: name of the shipped model.
        data: description of the images.
        source: FORMAT:PATH, relative to the folder of data sets; '': the unseen rooms with
            upright people.
        options: of the reader; values that begin with '@' are files in `args/lists`.
        holdout: (fraction, seed) of whole scenes that training held out; None: all samples.
        candidates: the shipped model first.
        metrics: in tables, name -> heading.
        targets: for the figures.
    """

    name: str
    task: str
    model: str
    data: str
    source: str
    candidates: tuple[Candidate, ...]
    metrics: Mapping[str, str]
    targets: tuple[Target, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    holdout: tuple[float, int] | None = None


_UNET = 'MobileNet U-Net (models/depth)'
NANODET, _CENTERNET = 'NanoDet-Plus-m (the original)', 'CenterNet'
_SSD = 'SSD of 2018'
_DEEPLAB, _DEEPLAB_HALF = 'DeepLabV3 MobileNetV2', 'DeepLabV3 MobileNetV2 0.5'
_RGBD = 'shipped, with depth'
_DEPTH_NETWORKS = (Candidate(SHIPPED, 'mono_depth'), Candidate(_UNET, 'nyu_mobilenet_unet'))
_DEPTH_METRICS = {
    'rms': 'RMSE [m]',
    'abs_rel': 'AbsRel',
    'd1': 'delta1',
    'aligned_rms': 'RMSE, aligned to the median of the truth [m]',
    'aligned_d1': 'delta1, aligned',
}

BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark(
        'mono_depth',
        'nyu_depth',
        'mono_depth',
        'NYU Depth v2, 104 images of the official test part, which trained no weight but chose '
        'among them; Eigen crop, full size',
        'nyu-labelled:nyu_v2_test_dev',
        _DEPTH_NETWORKS,
        _DEPTH_METRICS,
        (
            Target('RMSE below the U-Net', 'rms', most=1.0, others=(_UNET,), is_strict=True),
            Target('delta1 above the U-Net', 'd1', least=1.0, others=(_UNET,), is_strict=True),
            Target('RMSE 0.56 m', 'rms', most=0.56),
            Target('delta1 0.77', 'd1', least=0.77),
        ),
    ),
    Benchmark(
        'mono_depth_near',
        'depth',
        'mono_depth',
        '7-Scenes, a kitchen at near range: three blocks of images that trained no weight',
        'seven-scenes:seven_scenes',
        _DEPTH_NETWORKS,
        _DEPTH_METRICS,
        (Target('delta1 0.80', 'd1', least=0.80),),
        {'list_file': '@seven_scenes_dev.txt'},
    ),
    Benchmark(
        'mono_depth_rooms',
        'depth',
        'mono_depth',
        'unseen synthetic rooms with upright people',
        '',
        _DEPTH_NETWORKS,
        _DEPTH_METRICS,
        (Target('delta1 0.70', 'd1', least=0.70),),
    ),
    Benchmark(
        'segmentation',
        'segmentation',
        'segmentation',
        'NYU Depth v2, `val.txt`, 14 classes; depth of the data set',
        'nyu-rgbd:nyu_v2',
        (
            Candidate(SHIPPED, 'segmentation'),
            Candidate(_RGBD, 'segmentation', takes_depth=True),
        ),
        {'miou': 'mIoU', 'pixel_accuracy': 'pixel accuracy'},
        (Target('depth helps', 'miou', least=1.0, of=_RGBD, others=(SHIPPED,), is_strict=True),),
        {'list_file': 'val.txt', 'classes': 'indoor'},
    ),
    Benchmark(
        'segmentation_people',
        'person_mask',
        'segmentation',
        'COCO128, 32 held-out photographs: people against everything else',
        'yolo-masks:coco128',
        (
            Candidate(SHIPPED, 'segmentation', person_id=13),
            Candidate(_DEEPLAB, 'deeplabv3_mnv2_pascal_quant', person_id=15),
            Candidate(_DEEPLAB_HALF, 'deeplabv3_mnv2_dm05_pascal_quant', person_id=15),
        ),
        {'iou_person': 'IoU of people'},
        (),
        {'list_file': '@coco128_heldout.txt', 'classes': 'indoor-coco', 'coco_ids': True},
    ),
    Benchmark(
        'detection',
        'detection',
        'detection',
        'COCO val2017, 64 photographs that trained none of the shipped weights but chose among '
        'them; COCO protocol',
        'yolo:coco_val_dev',
        (
            Candidate(SHIPPED, 'detection'),
            Candidate(NANODET, 'nanodet_plus_m'),
            Candidate(_CENTERNET, 'centernet_mnv3_coco'),
            Candidate(_SSD, 'person_cat_dog_ssd'),
        ),
        {'ap50_person': 'AP50 of people', 'ap50': 'AP50 of all classes'},
        (
            Target('people: not below the original', 'ap50_person', least=1.0, others=(NANODET,)),
            Target('AP50 of people 0.54', 'ap50_person', least=0.54),
        ),
    ),
    Benchmark(
        'detection_rooms',
        'detection',
        'detection',
        'people in NYU Depth v2, `val.txt`: real rooms that did not train the detector',
        'nyu-labelled:nyu_v2',
        (
            Candidate(SHIPPED, 'detection'),
            Candidate(NANODET, 'nanodet_plus_m'),
            Candidate(_CENTERNET, 'centernet_mnv3_coco'),
            Candidate(_SSD, 'person_cat_dog_ssd'),
        ),
        {'ap50_person': 'AP50 of people'},
        (Target('people: not below the original', 'ap50_person', least=1.0, others=(NANODET,)),),
        {'list_file': 'val.txt'},
    ),
)
