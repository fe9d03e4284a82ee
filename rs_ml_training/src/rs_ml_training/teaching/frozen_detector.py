"""A detector frozen by TensorFlow's Object Detection API."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.text_files import read_text

_OUTPUTS = ('detection_boxes:0', 'detection_scores:0', 'detection_classes:0', 'num_detections:0')


@dataclass(frozen=True)
class TeacherDetections:
    """Detections in an image.

    Attributes:
        xyxy: float32 (N, 4) pixels [x_min, y_min, x_max, y_max].
        scores: float32 (N,) 0..1.
        class_ids: int64 (N,) index into the detector's `labels`.
    """

    xyxy: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray


class FrozenDetector:
    """A detector: an image -> detections.

    Attributes:
        labels: class names, in the order of the ids of the label map.
    """

    def __init__(self, graph: Path, label_map: Path) -> None:
        """Load both files.

        Args:
            graph: `frozen_inference_graph.pb`: image_tensor uint8 (1, H, W, 3) RGB to
                detection_boxes [y_min, x_min, y_max, x_max] in fractions of the image, scores,
                classes, number.
            label_map: `.pbtxt` with an id and a name for every class.

        Raises:
            ConfigError: TensorFlow is missing.
            InputError: a file is missing or of another kind.
        """
        ids = read_label_map(label_map)
        self.labels = tuple(ids[i] for i in sorted(ids))
        self._order = {stored: index for index, stored in enumerate(sorted(ids))}
        self._run = read_frozen_graph(graph, _OUTPUTS)

    def __call__(self, image: np.ndarray) -> TeacherDetections:
        """Find objects in an image, uint8 (H, W, 3) RGB."""
        boxes, scores, classes, count = (output.numpy()[0] for output in self._run(image[None]))
        height, width = image.shape[:2]
        known = np.array([int(c) in self._order for c in classes[: int(count)]], bool)
        kept = np.flatnonzero(known)
        xyxy = boxes[kept][:, [1, 0, 3, 2]] * np.array([width, height] * 2)
        ids = [self._order[int(c)] for c in classes[kept]]
        return TeacherDetections(xyxy.astype(np.float32), scores[kept], np.array(ids, np.int64))


def read_label_map(path: Path) -> dict[int, str]:
    """Names by id of a `.pbtxt` label map; `display_name` where it has one, else `name`.

    Raises:
        InputError: it is missing or empty.
    """
    found: dict[int, str] = {}
    for item in re.findall(r'item\s*\{(.*?)\}', read_text(path), re.DOTALL):
        values = dict(re.findall(r'(\w+):\s*[\'"]?([^\'"\n]+)', item))
        name = values.get('display_name') or values.get('name')
        if 'id' in values and name:
            found[int(values['id'])] = str(name).strip()
    if not found:
        raise InputError(f'{path} is no label map: give a .pbtxt of items with id and name')
    return found


def read_frozen_graph(graph: Path, outputs: Sequence[str]) -> Callable[[np.ndarray], list[Any]]:
    """The graph as a function of a uint8 batch (1, H, W, 3) that gives tensors of these names.

    Raises:
        ConfigError: TensorFlow is not there.
        InputError: the file is missing or of another kind.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ConfigError(f'{error}: a frozen graph needs tensorflow') from error
    definition = tf.compat.v1.GraphDef()
    try:
        definition.ParseFromString(graph.read_bytes())
        whole = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=''), [])
        pruned = whole.prune(['image_tensor:0'], list(outputs))
    except OSError as error:
        raise InputError(f'{graph} cannot be read: {error.strerror}') from error
    except Exception as error:  # protobuf's DecodeError, KeyError and ValueError of the import
        raise InputError(f'{graph} is no frozen detection graph: {error}') from error
    return lambda batch: pruned(tf.constant(batch))
