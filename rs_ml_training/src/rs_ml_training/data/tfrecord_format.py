"""Checksums and messages of TFRecord files without TensorFlow, which JAX users do not have.

The checksum is CRC-32C (Castagnoli, RFC 3720). Messages are `tf.train.Example`s that hold bytes
only, in the wire format of protocol buffers: Example{1: Features{1: {1: key, 2: Feature{1:
BytesList{1: value}}}}}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
from rs_ml_perception.core.errors import InputError

_POLYNOMIAL = 0x82F63B78
_LANE = 512

_LENGTH_DELIMITED = 2


def masked_crc32c(data: bytes) -> int:
    """CRC-32C as TFRecord stores it: rotated and with a constant added."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """CRC-32C of bytes.

    Stretches of 512 bytes are computed side by side; as the checksum is linear, each is then
    carried over the stretches that follow.
    """
    lanes = len(data) // _LANE
    crc = 0xFFFFFFFF
    if lanes:
        words = np.frombuffer(data, '<u4', lanes * _LANE // 4).reshape(lanes, -1)
        over = _zeros_tables()
        for part in _lane_crcs(np.ascontiguousarray(words.T)).tolist():
            crc = (
                over[0][crc & 255]
                ^ over[1][crc >> 8 & 255]
                ^ over[2][crc >> 16 & 255]
                ^ over[3][crc >> 24]
                ^ part
            )
    table = _byte_tables()[0].tolist()
    for byte in data[lanes * _LANE :]:
        crc = table[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _lane_crcs(words: np.ndarray) -> np.ndarray:
    """Registers after each column of little-endian words (N, lanes), from zero."""
    first, second, third, fourth = _byte_tables()
    crc = np.zeros(words.shape[1], np.uint32)
    for row in words:
        crc ^= row
        crc = (
            fourth[crc & 255] ^ third[crc >> 8 & 255] ^ second[crc >> 16 & 255] ^ first[crc >> 24]
        )
    return crc


@cache
def _byte_tables() -> np.ndarray:
    """Registers after a byte and 0, 1, 2 or 3 zero bytes, uint32 (4, 256)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
    tables = [table]
    for _ in range(3):
        tables.append(table[tables[-1] & 255] ^ (tables[-1] >> 8))
    return np.stack(tables)


@cache
def _zeros_tables() -> list[list[int]]:
    """Registers of each byte after a lane of zeros, 4 lists of 256."""
    table = _byte_tables()[0]
    registers = np.arange(256, dtype=np.uint32)[None] << np.array(
        [[0], [8], [16], [24]], np.uint32
    )
    for _ in range(_LANE):
        registers = table[registers & 255] ^ (registers >> 8)
    return registers.tolist()


def message_of(features: Mapping[str, bytes]) -> bytes:
    """The message with one value a feature."""
    entries = [
        _field(1, _field(1, key.encode()) + _field(2, _field(1, _field(1, value))))
        for key, value in features.items()
    ]
    return _field(1, b''.join(entries))


def features_of(message: bytes) -> dict[str, bytes]:
    """The first value of each feature of bytes; features of numbers are left out.

    Raises:
        InputError: it is no such message.
    """
    try:
        return dict(_entries(memoryview(message)))
    except (IndexError, ValueError) as error:
        raise InputError(f'not a tf.train.Example: {error}') from error


def _entries(message: memoryview) -> Iterator[tuple[str, bytes]]:
    for features in _values(message, 1):
        for entry in _values(features, 1):
            key = next(_values(entry, 1), b'')
            for feature in _values(entry, 2):
                for bytes_list in _values(feature, 1):
                    for value in _values(bytes_list, 1):
                        yield bytes(key).decode(), bytes(value)


def _values(message: memoryview, number: int) -> Iterator[memoryview]:
    """The length-delimited fields of a number; others of that kind are passed over."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        if tag & 7 != _LENGTH_DELIMITED:
            raise ValueError(f'wire type {tag & 7} at byte {position}')
        length, position = _varint(message, position)
        if position + length > len(message):
            raise ValueError(f'a field of {length} bytes is cut off')
        if tag >> 3 == number:
            yield message[position : position + length]
        position += length


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position


def _field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | _LENGTH_DELIMITED]) + _length(len(value)) + value


def _length(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
