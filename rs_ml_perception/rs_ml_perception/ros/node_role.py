"""The part of a perception node that differs from node to node."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.pipeline import Pipeline
from rs_ml_perception.ros.assembler import Assembler
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.hub import CameraHub
from rs_ml_perception.ros.outputs import Output, OutputContext

P = TypeVar('P')


class NodeRole(ABC, Generic[P]):
    """The part of PerceptionNode that subclasses fill in.

    Attributes:
        default_name: of the node.
        parameters_type: options dataclass.
        outputs: what it publishes.
        hub: where its inputs come from.
        pipeline: the work it hosts, None while unconfigured.
    """

    default_name: ClassVar[str]
    parameters_type: ClassVar[type]
    outputs: ClassVar[tuple[Output, ...]]
    hub: CameraHub
    pipeline: Pipeline | None

    @classmethod
    @abstractmethod
    def load_pipeline(cls, parameters: P) -> Pipeline:
        """Build the pipeline: slow, free of ROS, possibly in another thread."""

    def retune(self, parameters: P) -> None:
        """Apply what may change at run time; ConfigError refuses it."""

    def source(self, parameters: P) -> Assembler:
        """Where frame sets come from."""
        return self.hub.color(parameters.depth_source, parameters.streams)

    def run(self, frames: FrameSet, frame: Frame) -> Any:
        """One frame to one result."""
        return self.pipeline(frame)

    def on_published(self, result: Any, frames: FrameSet, context: OutputContext) -> None:
        """Hand the result on inside the process."""

    def announce(self) -> None:
        """Publish latched messages; the node has just been configured."""

    def attach_inputs(self) -> None:
        """Listen to inputs other than the source; the node becomes active."""

    def detach_inputs(self) -> None:
        """The opposite of attach_inputs."""

    def notes(self) -> tuple[str, ...]:
        """Shortcomings of the input that do not stop the node."""
        return ()
