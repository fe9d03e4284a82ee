"""A node: the sharpness of every colour image, to notice a dirty or defocused lens.

    python examples/sharpness_node.py --ros-args -r color/image_raw:=/camera/camera/color/image_raw
    python examples/run.py sharpness_node rs-ml process BAG --nodes sharpness --out BAG

The base class does the rest: lifecycle, QoS, freshness, accounting, diagnostics, parameters.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import cv2
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.core.pipeline import Pipeline
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.nodes.table import NODES, NodeSpec
from rs_ml_perception.ros.common_parameters import StreamParameters
from rs_ml_perception.ros.input.frame_synchronizer import ColorSynchronizer
from rs_ml_perception.ros.input.samples import FrameSet
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.ros.output.outputs import Output
from std_msgs.msg import Float32


@dataclass(frozen=True)
class SharpnessOptions(Options):
    """What the algorithm needs; `option` gives parameter, range and help text at once."""

    blur_px: int = option(3, 'size of the filter against noise', unit='px', low=1, high=31)


class SharpnessPipeline(Pipeline[SharpnessOptions]):
    """Frame to variance of the Laplacian (Pech-Pacheco et al., ICPR 2000); knows no ROS."""

    def __call__(self, frame: Frame) -> float:
        grey = cv2.cvtColor(frame.color_image, cv2.COLOR_RGB2GRAY)
        smooth = cv2.blur(grey, (self.options.blur_px, self.options.blur_px))
        return float(cv2.Laplacian(smooth, cv2.CV_32F).var())


@dataclass(frozen=True)
class SharpnessParameters(SharpnessOptions, StreamParameters):
    """Parameters of the node: those of the algorithm and those of every node."""


class SharpnessNode(PerceptionNode[SharpnessParameters, SharpnessPipeline, float]):
    """Publishes ~/sharpness, one number per colour image."""

    default_name = 'sharpness'
    parameters_type = SharpnessParameters
    outputs = (Output('sharpness', Float32, lambda sharpness, _: Float32(data=sharpness)),)

    @classmethod
    def load_pipeline(cls, parameters: SharpnessParameters) -> SharpnessPipeline:
        return SharpnessPipeline(parameters)

    def source(self, parameters: SharpnessParameters) -> ColorSynchronizer:
        return self.hub.color('none', parameters.streams)

    def run(self, frames: FrameSet, frame: Frame) -> float:
        return self.pipeline(frame)


NODES['sharpness'] = NodeSpec(
    'sharpness',
    executable='sharpness_node',
    class_path='sharpness_node:SharpnessNode',
    inputs=('color/image_raw',),
    has_network=False,
)

if __name__ == '__main__':
    sys.exit(run(SharpnessNode))
