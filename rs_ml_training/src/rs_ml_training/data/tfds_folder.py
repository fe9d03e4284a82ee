"""A TFDS data set of images and class ids, read without TensorFlow; or the zip it is made of."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.classes import INDEX, coding_mapping
from rs_ml_training.data.image_files import read_labels, read_rgb, require_size
from rs_ml_training.data.pairing import natural_key, require_pairs
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import IGNORE, Sample
from rs_ml_training.data.tfrecord_format import features_of

_INFO = 'dataset_info.json'


@dataclass(frozen=True)
class StoredPicture:
    """An image inside another file, to be read like a path by `image_files`.

    Attributes:
        where: named in errors.
        suffix: file name ending.
        load: gives the bytes.
    """

    where: str
    suffix: str
    load: Callable[[], bytes]

    def __str__(self) -> str:
        return self.where

    def read_bytes(self) -> bytes:
        """The bytes of the image."""
        try:
            return self.load()
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, OSError) as error:
            raise InputError(f'{self.where} is damaged: {error}') from error


class TfdsFolder(NamedReader):
    """The `train` split of a prepared `full_semantic`, or the zip with rgb/ and gt/."""

    def __init__(
        self,
        path: Path,
        kind: str = INDEX,
        labels: Sequence[str] | str | None = None,
        values: Sequence[int] | None = None,
        image_key: str = 'rgb',
        gt_key: str = 'gt',
    ) -> None:
        """List the samples.

        Args:
            path: the zip, the prepared folder (with dataset_info.json) or one above it.
            kind: index, binary (foreground from 200 on) or foreground (from 1 on).
            labels: class names, or a text with commas between; None: numbered up to the greatest
                id found.
            values: stored value of each class, where those are no ids.
            image_key: name of the images.
            gt_key: name of the class ids.

        Raises:
            ConfigError: an option is invalid.
            InputError: it is no such data set, or an image has no partner.
        """
        path = Path(path)
        read = _of_zip if path.is_file() else _of_prepared
        self._pairs = read(path, image_key, gt_key)
        self._names = sorted(self._pairs, key=natural_key)
        names = labels.split(',') if isinstance(labels, str) else labels
        if kind == INDEX and names is None and values is None:
            names = [f'class {i}' for i in range(1 + self._greatest())]
        self._mapping = coding_mapping(kind, names, values, ())
        self.labels = self._mapping.labels

    def read(self, index: int) -> Sample:
        name = self._names[index]
        rgb, gt = self._pairs[name]
        image = read_rgb(rgb)
        labels = require_size(gt, read_labels(gt), (image.shape[1], image.shape[0]))
        return Sample(name, name, image=image, labels=self._mapping.map(labels, gt))

    def _greatest(self) -> int:
        """The greatest class id of all images."""
        greatest = 0
        for _, gt in self._pairs.values():
            found = np.unique(read_labels(gt))
            greatest = max(greatest, int(found[found < IGNORE].max(initial=0)))
        return greatest


Pairs = dict[str, tuple[StoredPicture, StoredPicture]]


def _of_zip(path: Path, image_key: str, gt_key: str) -> Pairs:
    if not zipfile.is_zipfile(path):
        raise InputError(f'{path} is neither a zip nor a folder prepared by TFDS')
    archive = zipfile.ZipFile(path)
    folders: dict[str, dict[str, StoredPicture]] = {image_key: {}, gt_key: {}}
    for name in archive.namelist():
        member = Path(name)
        if member.parent.name in folders and member.suffix.lower() == '.png':
            picture = StoredPicture(f'{path}:{name}', '.png', partial(archive.read, name))
            folders[member.parent.name][member.stem] = picture
    rgb, gt = folders.values()
    require_pairs(rgb, gt, path / gt_key)
    require_pairs(gt, rgb, path / image_key)
    return {stem: (picture, gt[stem]) for stem, picture in rgb.items()}


def _of_prepared(path: Path, image_key: str, gt_key: str) -> Pairs:
    infos = sorted(path.rglob(_INFO))
    if len(infos) != 1:
        raise InputError(f'{path} holds {len(infos)} {_INFO}: give the folder of one version')
    shards = sorted(infos[0].parent.glob('*-train.tfrecord*'))
    if not shards:
        raise InputError(f'{infos[0].parent} has no *-train.tfrecord*: prepare it as tfrecord')
    places = [(shard, *place) for shard in shards for place in _records(shard)]
    return {
        f'{index:06}': (
            _feature(*place, f'{index:06}', image_key),
            _feature(*place, f'{index:06}', gt_key),
        )
        for index, place in enumerate(places)
    }


def _records(shard: Path) -> list[tuple[int, int]]:
    """Offset and length of every message, by the framing of TFRecord."""
    found, size = [], shard.stat().st_size
    with shard.open('rb') as file:
        position = 0
        while position < size:
            file.seek(position)
            header = file.read(8)
            length = struct.unpack('<Q', header)[0] if len(header) == 8 else size
            if position + length + 16 > size:
                raise InputError(f'{shard} is cut off at byte {position}: prepare it again')
            found.append((position + 12, length))
            position += length + 16
    return found


def _feature(shard: Path, offset: int, length: int, name: str, key: str) -> StoredPicture:
    def load() -> bytes:
        with shard.open('rb') as file:
            file.seek(offset)
            return features_of(file.read(length))[key]

    return StoredPicture(f'{shard.name} record {name} {key}', '.png', load)
