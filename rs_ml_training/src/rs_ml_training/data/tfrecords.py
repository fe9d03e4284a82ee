"""Sharded TFRecord files with an index, written and read without TensorFlow.

Each record is a `tf.train.Example` of bytes, see sample_codec; `image` is a PNG that
`tf.io.decode_png` reads, or raw bytes that `tf.io.decode_raw` reads. `index.json` lists where each
sample lies.
"""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.output_folder import new_folder
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.sample_codec import MAP_CODINGS, pack, unpack
from rs_ml_training.data.tfrecord_format import features_of, masked_crc32c, message_of

INDEX = 'index.json'
COMPRESSIONS = ('none', 'gzip')
_VERSION = 1
_HEADER_BYTES = 12
Entry = tuple[int, int, int, int, str, str]
"""Shard, offset of the message, its length, its CRC-32, name and scene of the sample."""


def write_shards(
    reader: Reader,
    out: Path,
    shards: int = 1,
    compression: str = 'none',
    workers: int = 4,
    maps: str = 'png',
) -> None:
    """Write all samples of a reader, in its order, into a new folder.

    Args:
        reader: the samples to write.
        out: a new folder; it appears when everything is written.
        shards: files, of about equal numbers of samples.
        compression: one of COMPRESSIONS; samples of gzip files are slow to read at random.
        workers: threads.
        maps: 'png', or 'raw', which takes about twice the space and is read several times as fast.

    Raises:
        ConfigError: shards, compression or maps make no sense, or `out` holds files.
        InputError: a sample cannot be read, or the disk is full; nothing is left behind.
    """
    if compression not in COMPRESSIONS:
        raise ConfigError(f'no compression {compression!r}: {", ".join(COMPRESSIONS)}')
    if maps not in MAP_CODINGS:
        raise ConfigError(f'maps cannot be stored as {maps!r}: {", ".join(MAP_CODINGS)}')
    if not 1 <= shards <= max(len(reader), 1):
        raise ConfigError(f'{len(reader)} samples cannot be spread over {shards} shards')
    parts = np.array_split(np.arange(len(reader)), shards)
    names = [f'samples-{i:05}-of-{shards:05}.tfrecord' for i in range(shards)]
    stop = Event()
    with new_folder(out) as folder, ThreadPoolExecutor(workers) as pool:

        def write(shard: int) -> list[Entry]:
            path = folder / names[shard]
            with _opened(path, compression) as file:
                return _write_shard(reader, parts[shard].tolist(), file, shard, maps, stop)

        try:
            entries = [entry for part in pool.map(write, range(shards)) for entry in part]
        finally:
            # An interrupted command must not wait for shards that have not begun.
            stop.set()
        (folder / INDEX).write_text(json.dumps(_index(reader, names, compression, entries)))


class TfRecords(Reader):
    """The samples of a folder made by `write_shards`.

    Checksums are those of the index: a damaged record is found when it is read.
    """

    def __init__(self, path: Path) -> None:
        """Read the index.

        Args:
            path: the folder.

        Raises:
            InputError: there is no index, or a shard is missing.
        """
        self._folder = Path(path)
        index = _read_index(self._folder / INDEX)
        self.labels, self.license = tuple(index['labels']), index['license']
        self.colors = tuple(map(tuple, index['colors']))
        self.reference_focal_px = index['reference_focal_px']
        self._compressed = index['compression'] == 'gzip'
        self._shards, self._entries = index['shards'], index['samples']
        self._unpacked: tuple[Path, bytes] = Path(), b''
        for name in self._shards:
            if not (self._folder / name).is_file():
                raise InputError(f'{self._folder / name} is missing: copy it there')

    def __len__(self) -> int:
        return len(self._entries)

    def name(self, index: int) -> str:
        return self._entries[index][4]

    def scene(self, index: int) -> str:
        return self._entries[index][5]

    def read(self, index: int) -> Sample:
        shard, offset, length, crc, name, _ = self._entries[index]
        path = self._folder / self._shards[shard]
        message = self._message(path, offset, length)
        if zlib.crc32(message) != crc:
            raise InputError(f'{path}: the record of {name} is damaged: write the file again')
        try:
            return unpack(features_of(message))
        except InputError as error:
            raise InputError(f'{path}: {name}: {error}') from error

    def _message(self, path: Path, offset: int, length: int) -> bytes:
        try:
            if not self._compressed:
                with path.open('rb') as file:
                    file.seek(offset)
                    return file.read(length)
            unpacked_path, data = self._unpacked
            if unpacked_path != path:
                data = gzip.decompress(path.read_bytes())
                self._unpacked = path, data
            return data[offset : offset + length]
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f'{path} cannot be read: {error}') from error


def _opened(path: Path, compression: str) -> BinaryIO | gzip.GzipFile:
    return gzip.open(path, 'wb', 1) if compression == 'gzip' else path.open('wb')


def _write_shard(
    reader: Reader,
    indices: Sequence[int],
    file: BinaryIO | gzip.GzipFile,
    shard: int,
    maps: str,
    stop: Event,
) -> list[Entry]:
    entries: list[Entry] = []
    offset = 0
    for index in indices:
        if stop.is_set():
            break
        sample = reader.read(index)
        message = message_of(pack(sample, maps))
        place = shard, offset + _HEADER_BYTES, len(message), zlib.crc32(message)
        entries.append((*place, sample.name, reader.scene(index)))
        offset += _write_record(file, message)
    return entries


def _write_record(file: BinaryIO | gzip.GzipFile, message: bytes) -> int:
    """Length, its checksum, the message, its checksum: the framing of TFRecord."""
    length = struct.pack('<Q', len(message))
    record = b''.join(
        [
            length,
            struct.pack('<I', masked_crc32c(length)),
            message,
            struct.pack('<I', masked_crc32c(message)),
        ]
    )
    file.write(record)
    return len(record)


def _index(
    reader: Reader, names: Sequence[str], compression: str, entries: Sequence[Entry]
) -> dict[str, Any]:
    return {
        'version': _VERSION,
        'labels': reader.labels,
        'colors': reader.colors,
        'license': reader.license,
        'reference_focal_px': reader.reference_focal_px,
        'compression': compression,
        'shards': names,
        'samples': entries,
    }


def _read_index(path: Path) -> dict[str, Any]:
    try:
        index = json.loads(path.read_text())
        if index['version'] != _VERSION:
            raise InputError(f'{path} is of version {index["version"]}, not {_VERSION}')
        return index
    except OSError as error:
        raise InputError(f'{path} is missing: give a folder of rs-ml-data tfrecord') from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f'{path} is damaged: write the folder again') from error
