"""Outputs that are pictures: raw, and compressed for links that carry no raw video.

Both are drawn only while somebody subscribes to one of them, and once for both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from rs_ml_perception.core.images.compressed import (
    CompressedBytes,
    encode_compressed_color,
    encode_compressed_gray,
)
from rs_ml_perception.ros.image_messages import compressed_image, image
from rs_ml_perception.ros.outputs import Output, OutputContext

Draw = Callable[[Any, OutputContext], np.ndarray | None]
"""(result, context) -> picture, None where this frame has none."""

COMPRESSED = '/compressed'
"""Ending of the topic, as image_transport names it."""
JPEG_QUALITY = 80


def color_outputs(topic: str, draw: Draw) -> tuple[Output, Output]:
    """uint8 (H, W, 3) RGB as rgb8, and as JPEG."""
    raw = Output(topic, Image, _raw(topic, draw, 'rgb8'), is_optional=True)
    return raw, compressed_output(topic, draw, _jpeg)


def gray_output(topic: str, draw: Draw) -> Output:
    """The lossless PNG of a topic of uint8 (H, W)."""
    return compressed_output(topic, draw, encode_compressed_gray)


def compressed_output(
    topic: str, draw: Draw, encode: Callable[[np.ndarray], CompressedBytes]
) -> Output:
    """The compressed picture of a topic."""

    def make(result: Any, context: OutputContext) -> CompressedImage | None:
        picture = _drawn(topic, draw, result, context)
        return None if picture is None else compressed_image(encode(picture), context.header)

    return Output(f'{topic}{COMPRESSED}', CompressedImage, make, is_optional=True)


def _raw(topic: str, draw: Draw, encoding: str) -> Callable[[Any, OutputContext], Image | None]:
    def make(result: Any, context: OutputContext) -> Image | None:
        picture = _drawn(topic, draw, result, context)
        return None if picture is None else image(picture, encoding, context.header)

    return make


def _drawn(topic: str, draw: Draw, result: Any, context: OutputContext) -> np.ndarray | None:
    if topic not in context.drawn:
        context.drawn[topic] = draw(result, context)
    return context.drawn[topic]


def _jpeg(rgb: np.ndarray) -> CompressedBytes:
    return encode_compressed_color(rgb, JPEG_QUALITY)
