"""The contents of a model directory as typed values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.inference.preprocess import InputSpec

TASKS = ('detection', 'segmentation', 'mono_depth', 'denoise')
FORMATS = ('frozen_graph', 'saved_model', 'tflite', 'onnx', 'openvino', 'opencv')
DEPTH_FORMS = ('metric', 'inverse')
MANIFEST_NAME = 'manifest.yaml'


@dataclass(frozen=True)
class FileRef:
    """A file or, for a SavedModel, a folder.

    Attributes:
        path: relative to the manifest, inside its directory (code may give an absolute path).
        sha256: lower-case hex digest (of a folder: see core.files.tree_sha256), or None: it is in
            `<path>.sha256` next to the file, written by `rs-ml models download`.
        url: source of the file, or None.
        url_sha256: digest of the download if that is an archive.
        member: path inside that .tar.gz, or None: the download is the file.
    """

    path: str
    sha256: str | None = None
    url: str | None = None
    url_sha256: str | None = None
    member: str | None = None


@dataclass(frozen=True)
class Artifact:
    """The network in one file format.

    Attributes:
        format: one of FORMATS.
        file: the network.
        companions: further files: the .bin of an OpenVINO .xml, the .pbtxt of an OpenCV .pb.
        names: input or output of the manifest -> tensor name, if different in this format.
    """

    format: str
    file: FileRef
    companions: tuple[FileRef, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Thresholds:
    """Defaults of the task's options."""

    score: float = 0.5
    iou: float = 0.5


@dataclass(frozen=True)
class DepthSpec:
    """Scale of a depth network: metres = output * metres_per_unit, or metres_per_unit / output.

    Attributes:
        metres_per_unit: e.g. 10 for a network that predicts tens of metres.
        range_m: (nearest, farthest) distance the network was trained for.
        form: one of DEPTH_FORMS; inverse: the output is a disparity, or 1 / distance.
    """

    metres_per_unit: float = 1.0
    range_m: tuple[float, float] = (0.0, float('inf'))
    form: str = 'metric'


@dataclass(frozen=True)
class TensorSpec:
    """A tensor of a file according to the manifest.

    Attributes:
        name: of the tensor in the file.
        shape: with the batch axis; None: not in the manifest.
        dtype: numpy name; None: not in the manifest.
    """

    name: str
    shape: tuple[int, ...] | None = None
    dtype: str | None = None


@dataclass(frozen=True)
class Tolerance:
    """Allowed error of an output against its golden one.

    Attributes:
        measure: one of output_errors.MEASURES.
        limits: precision ('float32', 'bfloat16', 'float16') -> largest error. A backend whose
            precision is not listed cannot be verified.
    """

    measure: str
    limits: Mapping[str, float]


@dataclass(frozen=True)
class Golden:
    """Recorded outputs that a backend must reproduce.

    Attributes:
        file: npz, see golden.py.
        picture: description of the source of the inputs.
        tolerance: output -> tolerance; empty: recorded in a format that is no longer read.
    """

    file: FileRef
    picture: str
    tolerance: Mapping[str, Tolerance]


@dataclass(frozen=True)
class ModelManifest:
    """A model directory, read and checked; file checksums are checked when a file is opened.

    Attributes:
        directory: that of the manifest.
        inputs: input tensors, the colour image first.
        outputs: name used by the decoder -> tensor.
        decoder_options: further settings of the decoder.
        training_camera: intrinsics of the training images, or None.
        constants: further inputs -> their values, the same for every image.
    """

    directory: Path
    name: str
    version: str
    task: str
    decoder: str
    artifacts: tuple[Artifact, ...]
    inputs: tuple[InputSpec, ...]
    outputs: Mapping[str, TensorSpec]
    labels: LabelMap
    decoder_options: Mapping[str, Any] = field(default_factory=dict)
    thresholds: Thresholds = field(default_factory=Thresholds)
    depth: DepthSpec = field(default_factory=DepthSpec)
    training_camera: CameraModel | None = None
    license: str = ''
    source: str = ''
    golden: Golden | None = None
    constants: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def input(self) -> InputSpec:
        """The first input: the image."""
        return self.inputs[0]

    @property
    def title(self) -> str:
        return f'{self.name} {self.version}'

    def require(self, task: str, decoders: Collection[str]) -> None:
        """Raise ModelError unless the model is made for the task, and has one of the decoders."""
        if self.task != task:
            raise ModelError(
                f'{self.name} is a {self.task} model, not {task}: '
                '`rs-ml models list` shows the models'
            )
        if self.decoder not in decoders:
            raise ModelError(
                f'{self.name}: no {task} decoder {self.decoder!r}, there are {sorted(decoders)}'
            )
