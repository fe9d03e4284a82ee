"""What a recording holds of one camera, named as realsense2_camera names it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from rs_ml_perception.core.camera import CameraModel

from rs_ml_training.data import bag_messages as messages
from rs_ml_training.data.bag_folder import BagFolder
from rs_ml_training.data.bag_streams import Stream, camera_namespace


class DriverTopics:
    """Writes the messages of a camera into a bag.

    Attributes:
        namespace: of its topics, '/camera/camera'.
    """

    def __init__(self, bag: BagFolder, camera: str) -> None:
        """Name the camera.

        Args:
            bag: what is written into.
            camera: namespace and name of the driver, 'camera/camera'.
        """
        self._bag = bag
        self.namespace = camera_namespace(camera)
        self._name = self.namespace.rpartition('/')[2]

    def frame_id(self, stream: str) -> str:
        """Optical frame of color, depth, infra1 or accel."""
        return f'{self._name}_{stream}_optical_frame'

    def add_info(self, stream: Stream, stamp_ns: int, camera: CameraModel) -> None:
        """Append the camera_info of a picture."""
        info = messages.camera_info(stamp_ns, self.frame_id(stream.frame), camera)
        self._bag.add(stream.info_topic, messages.CAMERA_INFO, stamp_ns, info)

    def add_image(self, stream: Stream, stamp_ns: int) -> None:
        """Append a picture as it is."""
        frame_id = self.frame_id(stream.frame)
        image = messages.image(stamp_ns, frame_id, stream.encoding, stream.pixels)
        self._bag.add(stream.topic, messages.IMAGE, stamp_ns, image)

    def add_transforms(
        self,
        streams: Iterable[str],
        stamp_ns: int,
        link_from_stream: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Append the latched tree of frames; see `bag_messages.static_transforms`."""
        tree = messages.static_transforms(stamp_ns, self._name, streams, link_from_stream)
        self._bag.add('/tf_static', messages.TF_MESSAGE, stamp_ns, tree, latched=True)
