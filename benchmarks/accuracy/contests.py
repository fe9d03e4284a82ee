"""Which shipped model is judged on what, beside what, and what is aimed at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SHIPPED = 'shipped'

Figures = Mapping[str, Mapping[str, float]]
"""Title of a subject -> metric -> value."""


@dataclass(frozen=True)
class Subject:
    """A model that is judged.

    Attributes:
        title: in tables.
        model: its name on the shelf of `rs-ml`.
        takes_depth: whether it is given measured depth beside the picture.
        person_id: class id of people in its masks, where these alone are judged.
    """

    title: str
    model: str
    takes_depth: bool = False
    person_id: int = 0


@dataclass(frozen=True)
class Aim:
    """What the figures should reach.

    Attributes:
        text: in tables.
        metric: of the subject `of`.
        least, most: limits of it; where `beside` names other subjects, multiples of the best of
            them instead.
        of: title of a subject.
        beside: titles.
        least_by: metric whose least value makes one of `beside` the only rival; '': all are.
        is_strict: whether the limit itself falls short.
    """

    text: str
    metric: str
    least: float | None = None
    most: float | None = None
    of: str = SHIPPED
    beside: tuple[str, ...] = ()
    least_by: str = ''
    is_strict: bool = False

    def is_reached(self, figures: Figures) -> bool | None:
        """None where something was not measured."""
        value = figures.get(self.of, {}).get(self.metric, math.nan)
        others = [figures[title][self.metric] for title in self._rivals(figures)]
        if math.isnan(value) or (self.beside and not others):
            return None
        if self.least is not None:
            limit = self.least * max(others, default=1.0)
            return value > limit if self.is_strict else value >= limit
        limit = (self.most or 0.0) * min(others, default=1.0)
        return value < limit if self.is_strict else value <= limit

    def _rivals(self, figures: Figures) -> list[str]:
        there = [title for title in self.beside if title in figures]
        if not self.least_by or not there:
            return there
        return [min(there, key=lambda title: figures[title][self.least_by])]


@dataclass(frozen=True)
class Contest:
    """Subjects that are judged alike.

    Attributes:
        name: to choose it by.
        task: how it is judged, see `judging.JUDGES`.
        model: name of the shipped model that it is about.
        data: what the pictures are, for the table.
        source: FORMAT:PATH, relative to the folder of data sets.
        options: of the reader; values that begin with '@' are files among the lists.
        holdout: (share, seed) of whole scenes that training held out; None: all samples.
        subjects: the shipped model first.
        metrics: shown, name -> heading.
        aims: what should come out.
    """

    name: str
    task: str
    model: str
    data: str
    source: str
    subjects: tuple[Subject, ...]
    metrics: Mapping[str, str]
    aims: tuple[Aim, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    holdout: tuple[float, int] | None = None


_UNET = 'MobileNet U-Net (models/depth)'
NANODET, _CENTERNET = 'NanoDet-Plus-m (the original)', 'CenterNet'
_SSD = 'SSD of 2018'
_DEEPLAB, _DEEPLAB_HALF = 'DeepLabV3 MobileNetV2', 'DeepLabV3 MobileNetV2 0.5'
_RGBD = 'shipped, with depth'

CONTESTS: tuple[Contest, ...] = (
    Contest(
        'mono_depth',
        'depth',
        'mono_depth',
        'NYU Depth v2, `val.txt`: rooms apart from those of `train.txt`; Eigen crop, full size',
        'nyu-labelled:nyu_v2',
        (Subject(SHIPPED, 'mono_depth'), Subject(_UNET, 'nyu_mobilenet_unet')),
        {'rms': 'RMSE [m]', 'abs_rel': 'AbsRel', 'd1': 'delta1'},
        (
            Aim('RMSE below the U-Net', 'rms', most=1.0, beside=(_UNET,), is_strict=True),
            Aim('AbsRel below the U-Net', 'abs_rel', most=1.0, beside=(_UNET,), is_strict=True),
            Aim('delta1 above the U-Net', 'd1', least=1.0, beside=(_UNET,), is_strict=True),
            Aim('RMSE 0.65 m', 'rms', most=0.65),
            Aim('delta1 0.70', 'd1', least=0.70),
        ),
        {'list_file': 'val.txt'},
    ),
    Contest(
        'segmentation',
        'segmentation',
        'segmentation',
        'NYU Depth v2, `val.txt`, 14 classes; depth as the data set has it',
        'nyu-rgbd:nyu_v2',
        (
            Subject(SHIPPED, 'segmentation'),
            Subject(_RGBD, 'segmentation', takes_depth=True),
        ),
        {'miou': 'mIoU', 'pixel_accuracy': 'pixel accuracy'},
        (Aim('depth helps', 'miou', least=1.0, of=_RGBD, beside=(SHIPPED,), is_strict=True),),
        {'list_file': 'val.txt', 'classes': 'indoor'},
    ),
    Contest(
        'segmentation_people',
        'person_mask',
        'segmentation',
        'COCO128, 32 photographs held out by name: people against all else',
        'yolo-masks:coco128',
        (
            Subject(SHIPPED, 'segmentation', person_id=13),
            Subject(_DEEPLAB, 'deeplabv3_mnv2_pascal_quant', person_id=15),
            Subject(_DEEPLAB_HALF, 'deeplabv3_mnv2_dm05_pascal_quant', person_id=15),
        ),
        {'iou_person': 'IoU of people'},
        (),
        {'list_file': '@coco128_heldout.txt', 'classes': 'indoor-coco', 'coco_ids': True},
    ),
    Contest(
        'detection',
        'detection',
        'detection',
        'COCO val2017, 64 photographs, none of which trained what ships; which weights ship was '
        'chosen on them; COCO rules',
        'yolo:coco_val_dev',
        (
            Subject(SHIPPED, 'detection'),
            Subject(NANODET, 'nanodet_plus_m'),
            Subject(_CENTERNET, 'centernet_mnv3_coco'),
            Subject(_SSD, 'person_cat_dog_ssd'),
        ),
        {'ap50_person': 'AP50 of people', 'ap50': 'AP50 of all classes'},
        (
            Aim('people as the original finds them', 'ap50_person', least=1.0, beside=(NANODET,)),
            Aim('AP50 of people 0.54', 'ap50_person', least=0.54),
        ),
    ),
    Contest(
        'detection_rooms',
        'detection',
        'detection',
        'people in NYU Depth v2, `val.txt`: real rooms, none of which trained the detector',
        'nyu-labelled:nyu_v2',
        (
            Subject(SHIPPED, 'detection'),
            Subject(NANODET, 'nanodet_plus_m'),
            Subject(_CENTERNET, 'centernet_mnv3_coco'),
            Subject(_SSD, 'person_cat_dog_ssd'),
        ),
        {'ap50_person': 'AP50 of people'},
        (Aim('people as the original finds them', 'ap50_person', least=1.0, beside=(NANODET,)),),
        {'list_file': 'val.txt'},
    ),
)
