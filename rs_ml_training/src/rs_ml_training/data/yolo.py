"""Pictures with a text file of boxes each, as YOLO is trained on."""

from __future__ import annotations

from rs_ml_training.data.outlines import OBJECTS, assigned, painted
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.yolo_folder import YoloFolder
from rs_ml_training.data.yolo_labels import read_polygons


class Yolo(YoloFolder):
    """The layout of `YoloFolder`, read as boxes.

    Polygons in `instances/` are the outlines of the boxes that they fit, whatever their class:
    `extra['objects']`, see data.outlines.
    """

    def read(self, index: int) -> Sample:
        name = self._names[index]
        image, boxes = self._boxed(name)
        size = image.shape[1], image.shape[0]
        extra = {}
        if self._outline_files and name in self._outline_files:
            polygons = [polygon for _, polygon in read_polygons(self._outline_files[name], size)]
            extra[OBJECTS] = painted(assigned(polygons, boxes.xyxy), size)
        return Sample(
            name=name,
            scene=self.scene(index),
            image=image,
            boxes=boxes,
            marked=self._mapping.marked,
            extra=extra,
        )
