"""A data format: images with boxes as Pascal VOC annotates them, one XML file per image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from rs_ml_perception.core.errors import InputError
from rs_ml_training.data.formats import FORMATS
from rs_ml_training.data.image_files import read_rgb
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import Boxes, Sample

_CORNERS = 'bndbox/xmin', 'bndbox/ymin', 'bndbox/xmax', 'bndbox/ymax'


class PascalVoc(NamedReader):
    """`JPEGImages/N.jpg` and `Annotations/N.xml`; every image is a scene, `difficult` a crowd."""

    def __init__(self, path: Path, classes: Sequence[str] | None = None) -> None:
        """List the files; `--data-option 'classes=[person, chair]'` chooses classes."""
        self._path = path
        self._names = sorted(file.stem for file in (path / 'Annotations').glob('*.xml'))
        found = {name for i in range(len(self)) for name, *_ in self._objects(i)}
        self.labels = tuple(classes or sorted(found))

    def read(self, index: int) -> Sample:
        """Decode an image with its boxes."""
        name = self._names[index]
        objects = [o for o in self._objects(index) if o[0] in self.labels]
        boxes = Boxes.of(
            [box for _, box, _ in objects],
            [self.labels.index(label) for label, _, _ in objects],
            [is_difficult for _, _, is_difficult in objects],
        )
        image = read_rgb(self._path / 'JPEGImages' / f'{name}.jpg')
        return Sample(name=name, scene=name, image=image, boxes=boxes)

    def _objects(self, index: int) -> list[tuple[str, list[float], bool]]:
        """Class, box and difficulty; VOC counts pixels from 1 and includes the last one."""
        file = self._path / 'Annotations' / f'{self._names[index]}.xml'
        try:
            found = []
            for element in ElementTree.parse(file).iter('object'):
                x, y, right, bottom = (float(element.findtext(c, '')) for c in _CORNERS)
                label, is_difficult = element.findtext('name', ''), element.findtext('difficult')
                found.append((label, [x - 1, y - 1, right, bottom], is_difficult == '1'))
        except (ElementTree.ParseError, ValueError) as error:
            raise InputError(f'{file} is no annotation of Pascal VOC: {error}') from error
        return found


FORMATS['voc'] = 'voc_format:PascalVoc'
