"""Static transforms of a recording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rs_ml_perception.core.rigid import RigidTransform
from rs_ml_perception.core.transform_tree import TransformTree

StaticTransforms = Mapping[tuple[str, str], RigidTransform]
"""(parent, child) -> parent_from_child, the convention of TF."""


def transform_from_message(transform: Any) -> RigidTransform:
    """From a decoded geometry_msgs/Transform."""
    q, t = transform.rotation, transform.translation
    return RigidTransform.from_quaternion(
        np.array([q.x, q.y, q.z, q.w]), np.array([t.x, t.y, t.z])
    )


def lookup(transforms: StaticTransforms, target: str, source: str) -> RigidTransform | None:
    """target_from_source through the tree, or None where the frames are not connected."""
    tree = TransformTree()
    for (parent, child), parent_from_child in transforms.items():
        tree.set_static(parent, child, parent_from_child)
    return tree.lookup(target, source, 0)
