"""Where the depth camera sits: TF first, else the driver's extrinsics topic."""

from __future__ import annotations

from rs_ml_perception.core.frames.messages import extrinsics_from_message
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.ros.samples import Sample
from rs_ml_perception.ros.streams import TopicStream
from rs_ml_perception.ros.transforms import Transforms


class Extrinsics:
    """Looks up color_from_depth.

    Attributes:
        problem: why the last look-up failed, '' when it did not.
    """

    def __init__(self, transforms: Transforms, stream: TopicStream | None) -> None:
        self.problem = ''
        self._transforms = transforms
        self._stream = stream

    def start(self) -> None:
        if self._stream is not None:
            self._stream.attach(self._on_extrinsics)

    def stop(self) -> None:
        if self._stream is not None:
            self._stream.detach(self._on_extrinsics)

    def color_from_depth(
        self, color_frame: str, depth_frame: str, stamp_ns: int
    ) -> RigidTransform | None:
        """The transform at a time, None where neither source knows it."""
        found = self._transforms.lookup(color_frame, depth_frame, stamp_ns)
        if found is None and self._stream is not None and self._stream.latest is not None:
            found = extrinsics_from_message(self._stream.latest.msg)
        self.problem = (
            ''
            if found is not None
            else (
                f'no transform from {depth_frame} to {color_frame}: depth is not used; publish TF '
                'or extrinsics/depth_to_color, or start the camera with align_depth.enable:=true'
            )
        )
        return found

    def _on_extrinsics(self, _: Sample) -> None:
        """The stream keeps the latest; there is nothing to do with it before a frame comes."""
