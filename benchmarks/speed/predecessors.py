"""The predecessors: the systems this project grew out of, rebuilt to measure against.

They are written from descriptions; none of their code is used. Detection and person height (the
TensorFlow sample of librealsense): one session call per frame on the frozen graph with BGR images,
a point cloud of the whole image, slicing by box. Depth from one image: `model.predict` of
Keras. Denoising: the U-Net of 31 million parameters on two tiles, one `model.predict` call each.
TensorFlow keeps its defaults, oneDNN included.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel

from benchmarks.speed.recorded_input import depth_of

PERSON_CLASS_ID = 1
PERSON_SCORE = 0.8
GATE_M = 1.0
KERAS_SIZE = (224, 224)
KERAS_METRES_PER_UNIT = 10.0
DENOISE_TILE_PX = 480

_OUTPUTS = ('detection_boxes:0', 'detection_scores:0', 'detection_classes:0', 'num_detections:0')


class DetectionAndHeight:
    """Detection and heights of persons."""

    def __init__(self, frozen_graph: Path) -> None:
        tf = import_tensorflow()
        graph_def = tf.compat.v1.GraphDef()
        graph_def.ParseFromString(frozen_graph.read_bytes())
        graph = tf.Graph()
        with graph.as_default():
            tf.import_graph_def(graph_def, name='')
        self._session = tf.compat.v1.Session(graph=graph)

    def __call__(self, frame: Frame) -> list[float]:
        """Heights in metres of the persons of one frame."""
        bgr = frame.color_image[:, :, ::-1]
        boxes, scores, classes, _ = self._session.run(
            _OUTPUTS, feed_dict={'image_tensor:0': bgr[np.newaxis]}
        )
        depth = depth_of(frame)
        if frame.camera is None:
            raise InputError('there is no camera_info')
        points = point_cloud(depth.values, depth.metres_per_unit, frame.camera)
        is_person = (classes[0] == PERSON_CLASS_ID) & (scores[0] > PERSON_SCORE)
        return [box_height(points, box) for box in boxes[0][is_person]]

    def close(self) -> None:
        self._session.close()


class MonoDepth:
    """Depth from one image."""

    def __init__(self, keras_model: Path) -> None:
        import_tensorflow()
        import keras

        self._model = keras.models.load_model(keras_model, compile=False)

    def __call__(self, frame: Frame) -> np.ndarray:
        """float32 (H, W) metres."""
        pixels = cv2.resize(frame.color_image, KERAS_SIZE).astype(np.float32) / 127.5 - 1
        output = self._model.predict(pixels[np.newaxis], verbose=0)
        depth_m: np.ndarray = np.squeeze(output) * KERAS_METRES_PER_UNIT
        height, width = frame.color_image.shape[:2]
        return np.asarray(cv2.resize(depth_m, (width, height)))


class Denoising:
    """Depth denoising with random weights, on which the time does not depend.

    Raises:
        InputError: the training package, which holds the network, is not installed.
    """

    def __init__(self) -> None:
        import_tensorflow()
        try:
            from rs_ml_training.networks.unet.original import unet
        except ImportError as error:
            raise InputError(
                f'the U-Net cannot be built ({error}): install rs_ml_training with this package'
            ) from error
        self._model = unet((DENOISE_TILE_PX, DENOISE_TILE_PX))

    def __call__(self, frame: Frame) -> np.ndarray:
        """float32 (H, W) of depth up to 960x480; the rest is cut off, as in the original."""
        values = depth_of(frame).values
        height, width = values.shape
        stacked = np.zeros((DENOISE_TILE_PX, 2 * DENOISE_TILE_PX, 2), np.float32)
        rows, columns = min(height, DENOISE_TILE_PX), min(width, 2 * DENOISE_TILE_PX)
        stacked[:rows, :columns, 0] = values[:rows, :columns]
        if frame.infrared is not None:
            stacked[:rows, :columns, 1] = frame.infrared[:rows, :columns]
        tiles = np.split(stacked, 2, axis=1)
        denoised = np.concatenate([self._predict(tile) for tile in tiles], axis=1)
        return denoised[:rows, :columns]

    def _predict(self, tile: np.ndarray) -> np.ndarray:
        inputs = {'depth_m': tile[None, :, :, :1], 'infrared': tile[None, :, :, 1:]}
        return np.asarray(self._model.predict(inputs, verbose=0)['depth_m'])[0, :, :, 0]


def import_tensorflow() -> Any:
    """TensorFlow without its log."""
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    import tensorflow

    return tensorflow


def point_cloud(values: np.ndarray, metres_per_unit: float, camera: CameraModel) -> np.ndarray:
    """Points of all pixels, float32 (H, W, 3) in metres; those without depth are the origin."""
    z = values.astype(np.float32) * np.float32(metres_per_unit)
    columns = np.arange(values.shape[1], dtype=np.float32)
    rows = np.arange(values.shape[0], dtype=np.float32)[:, np.newaxis]
    x = (columns - np.float32(camera.cx)) / np.float32(camera.fx) * z
    y = (rows - np.float32(camera.cy)) / np.float32(camera.fy) * z
    return np.stack((x, y, z), axis=2)


def box_height(points: np.ndarray, box: np.ndarray) -> float:
    """Height of the object in a box as the librealsense sample computes it.

    It is the extent along the image's vertical of the points within 1 m of the median distance.
    Points without depth count; the minimum starts at 1, the maximum at -1. NaN for an empty box.

    Args:
        points: (H, W, 3) metres, camera axes.
        box: (y_min, x_min, y_max, x_max) in 0..1.
    """
    height, width = points.shape[:2]
    y_min, x_min, y_max, x_max = (box * (height, width, height, width)).astype(int)
    inside = points[y_min:y_max, x_min:x_max].reshape(-1, 3)
    if inside.size == 0:
        return float('nan')
    near = np.abs(inside[:, 2] - np.median(inside[:, 2])) < GATE_M
    ys = inside[near, 1]
    return float(np.max(ys, initial=-1.0) - np.min(ys, initial=1.0))
