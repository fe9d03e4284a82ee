"""The part that differs from node to node: read this before writing a node."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.ros.input.frame_synchronizer import FrameSynchronizer
from rs_ml_perception.ros.input.hub import CameraHub
from rs_ml_perception.ros.input.samples import FrameSet
from rs_ml_perception.ros.output.outputs import L, Output, OutputContext, P, R


class NodeRole(ABC, Generic[P, L, R]):
    """The part of PerceptionNode that subclasses fill in.

    Attributes:
        default_name: of the node.
        parameters_type: options dataclass P.
        outputs: one Output[R, P, L] for each published topic.
        hub: source of its inputs.
        parameters: in force.
        frame_notes: why parts of the latest frame other than its primary message were unusable.
    """

    default_name: ClassVar[str]
    parameters_type: ClassVar[type[Any]]
    outputs: ClassVar[tuple[Output[Any, Any, Any], ...]]
    hub: CameraHub
    parameters: P
    frame_notes: tuple[str, ...]

    @property
    @abstractmethod
    def pipeline(self) -> L:
        """The work the node hosts, from configure to clean up."""

    @classmethod
    @abstractmethod
    def load_pipeline(cls, parameters: P) -> L:
        """Build the pipeline: slow, free of ROS, possibly in another thread."""

    @abstractmethod
    def run(self, frames: FrameSet, frame: Frame) -> R:
        """One frame to one result, in the worker's thread.

        Args:
            frames: the messages.
            frame: their decoded and checked content.

        Raises:
            InputError: the frame cannot be used.
            UnsynchronisedError: a message that the node cannot do without is missing.
        """

    def retune(self, parameters: P) -> None:
        """Apply parameters that may change at run time; ConfigError refuses them."""
        self.pipeline.options = parameters

    def source(self, parameters: P) -> FrameSynchronizer[Any]:
        """The source of frame sets."""
        return self.hub.color(parameters.depth_source, parameters.streams)

    def on_published(self, result: R, frames: FrameSet, context: OutputContext[P, L]) -> None:
        """Pass the result to other nodes of the process."""

    def announce(self) -> None:
        """Publish latched messages at the end of configure."""

    def attach_inputs(self) -> None:
        """Listen to inputs other than the source, at activation."""

    def detach_inputs(self) -> None:
        """The opposite of attach_inputs."""

    def notes(self) -> tuple[str, ...]:
        """Faults of the input that do not stop the node, for diagnostics."""
        return ()
