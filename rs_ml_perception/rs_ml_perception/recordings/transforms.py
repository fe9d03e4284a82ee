"""Static transforms of a recording."""

from __future__ import annotations

from collections.abc import Mapping

from rs_ml_perception.core.geometry.transforms import RigidTransform, TransformTree

StaticTransforms = Mapping[tuple[str, str], RigidTransform]
"""(parent, child) -> parent_from_child, the convention of TF."""


def lookup(transforms: StaticTransforms, target: str, source: str) -> RigidTransform | None:
    """target_from_source through the tree, or None where the frames are not connected."""
    tree = TransformTree()
    for (parent, child), parent_from_child in transforms.items():
        tree.set_static(parent, child, parent_from_child)
    return tree.lookup(target, source, 0)
