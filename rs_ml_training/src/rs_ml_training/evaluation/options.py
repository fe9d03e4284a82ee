"""What can be chosen of an evaluation, and what holds for a data set when nothing is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rs_ml_training.cli.flags import flag
from rs_ml_training.data.encodings import ENCODINGS
from rs_ml_training.metrics.crops import CROPS
from rs_ml_training.prediction.heads import UPSAMPLINGS


@dataclass(frozen=True)
class EvaluateOptions:
    """Flags of every task; the flag of a field is its name with dashes."""

    model: Path | None = flag(None, 'run folder of a training')
    predictions: Path | None = flag(None, 'folder with predictions, in place of a model')
    data: str = flag('', 'FORMAT:PATH of the truth')
    list_file: Path | None = flag(None, 'file that names the samples (default: all)', name='list')
    data_option: tuple[str, ...] = flag((), 'NAME=VALUE for the reader of the data')
    limit: int = flag(0, 'samples spread over the data, 0: all', low=0)
    weights: str | None = flag(None, 'file in the run folder (default: the best, else the last)')
    input_size: tuple[int, int] | None = flag(None, 'WIDTHxHEIGHT to run at (default: as trained)')
    batch_size: int = flag(1, 'pictures a step', low=1)
    flip: bool = flag(False, 'average with the mirrored picture')
    json_file: Path | None = flag(None, 'file for the figures', name='json')
    worst: int = flag(0, 'how many of the worst pictures to name', low=0)


@dataclass(frozen=True)
class DepthEvaluation(EvaluateOptions):
    """Monocular depth: silog, abs_rel, log10, rms, sq_rel, log_rms, d1, d2, d3, mae."""

    crop: str | None = flag(
        None, 'pixels that count (default: by data set)', choices=(*CROPS, 'none')
    )
    min_depth: float = flag(1e-3, 'truth that counts, from [m]', low=0)
    max_depth: float | None = flag(None, 'to [m] (default: 80 for KITTI, else 10)', low=1e-3)
    pooled: bool = flag(False, 'all pixels of all pictures alike')
    kb_crop: bool | None = flag(None, 'predict the 1216x352 crop of KITTI (default: by data set)')
    focal_px: float | None = flag(None, 'focal length of pictures that do not know it', low=1e-3)
    focal_correction: bool = flag(True, 'scale depth to the focal length of a known camera')
    encoding: str = flag('mm', 'of predictions in files', choices=ENCODINGS)


@dataclass(frozen=True)
class SegmentationEvaluation(EvaluateOptions):
    """Semantic segmentation: miou, dice, pixel_accuracy, iou of every class."""

    upsampling: str = flag('nearest', 'of masks', choices=UPSAMPLINGS)
    min_confidence: float = flag(0.0, 'pixels below it are left out and lower the coverage', low=0)


@dataclass(frozen=True)
class DenoiseEvaluation(EvaluateOptions):
    """Depth denoising: rmse_m, mae_m, coverage, removed, edges, planes."""

    baseline: bool = flag(False, 'measure the raw depth itself')
    sdk_filters: bool = flag(
        False, "measure the raw depth and the camera SDK's own filters beside the model"
    )
    last_of_scene: bool = flag(
        False, 'judge the last frame of a scene only: temporal filters have seen those before'
    )
    min_confidence: float = flag(0.0, 'depth below it is left out', low=0)
    encoding: str = flag('mm', 'of predictions in files', choices=ENCODINGS)


@dataclass(frozen=True)
class DetectionEvaluation(EvaluateOptions):
    """Objects: ap50, ap50_95, ap50 of every class."""


OPTIONS: dict[str, type[EvaluateOptions]] = {
    'depth': DepthEvaluation,
    'segmentation': SegmentationEvaluation,
    'denoise': DenoiseEvaluation,
    'detection': DetectionEvaluation,
}


@dataclass(frozen=True)
class DepthProtocol:
    """The rules by which depth of a data set is judged.

    Attributes:
        crop: see metrics.crops; None: the whole picture.
        max_depth_m: truth beyond does not count.
        kb_crop: whether networks see the benchmark crop of the whole picture.
    """

    crop: str | None = None
    max_depth_m: float = 10.0
    kb_crop: bool = False


# By format of the data, as publications on them do (Eigen 2014, Garg 2016).
PROTOCOLS: dict[str, DepthProtocol] = {
    'nyu-labelled': DepthProtocol('nyu-eigen'),
    'nyu-rgbd': DepthProtocol('nyu-eigen'),
    'nyu-h5': DepthProtocol('nyu-eigen'),
    'bts-list': DepthProtocol('nyu-eigen'),
    'kitti-list': DepthProtocol('garg', 80.0, kb_crop=True),
}


def protocol_of(options: DepthEvaluation) -> DepthProtocol:
    """The rules of the data set, where the options do not say otherwise."""
    usual = PROTOCOLS.get(options.data.partition(':')[0], DepthProtocol())
    crop = usual.crop if options.crop is None else options.crop
    return DepthProtocol(
        crop=None if crop == 'none' else crop,
        max_depth_m=usual.max_depth_m if options.max_depth is None else options.max_depth,
        kb_crop=usual.kb_crop if options.kb_crop is None else options.kb_crop,
    )
