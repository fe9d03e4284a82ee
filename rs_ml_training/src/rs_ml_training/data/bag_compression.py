"""Pictures as the compressed transports of image_transport carry them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np

# compressed_depth_image_transport: the kind of compression and two parameters of 32FC1.
_DEPTH_HEADER = struct.pack('<iff', 0, 0.0, 0.0)
_PNG_FLAGS = [cv2.IMWRITE_PNG_COMPRESSION, 9]
if hasattr(cv2, 'IMWRITE_PNG_FILTER'):
    # A matcher knows a few hundred depths: they repeat, and differences of their bytes do not.
    _PNG_FLAGS += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]


@dataclass(frozen=True)
class Compressed:
    """A picture in bytes.

    Attributes:
        layout: field `format` of sensor_msgs/CompressedImage.
        suffix: of the topic, behind that of the raw pictures.
        data: of the message.
    """

    layout: str
    suffix: str
    data: bytes


def compressed(pixels: np.ndarray, encoding: str, quality: int) -> Compressed:
    """Colour and gray as JPEG, depth as PNG without loss.

    Args:
        pixels: rgb8 (H, W, 3), mono8 (H, W) or 16UC1 (H, W).
        encoding: which of these.
        quality: of JPEG, 1 to 100.
    """
    if encoding == '16UC1':
        data = _DEPTH_HEADER + _encoded('.png', pixels, _PNG_FLAGS)
        return Compressed('16UC1; compressedDepth png', 'compressedDepth', data)
    is_color = encoding == 'rgb8'
    stored = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if is_color else pixels
    data = _encoded('.jpg', stored, [cv2.IMWRITE_JPEG_QUALITY, quality])
    layout = f'{encoding}; jpeg compressed {"bgr8" if is_color else ""}'
    return Compressed(layout, 'compressed', data)


def _encoded(suffix: str, pixels: np.ndarray, flags: list[int]) -> bytes:
    return cv2.imencode(suffix, np.ascontiguousarray(pixels), flags)[1].tobytes()
