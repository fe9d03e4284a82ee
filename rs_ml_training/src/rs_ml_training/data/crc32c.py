"""The checksum of TFRecord files (Castagnoli, RFC 3720) without a compiled library."""

from __future__ import annotations

from functools import cache

import numpy as np

_POLYNOMIAL = 0x82F63B78
_LANE = 512


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
    """What a byte becomes that is followed by 0, 1, 2 or 3 zero bytes, uint32 (4, 256)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
    tables = [table]
    for _ in range(3):
        tables.append(table[tables[-1] & 255] ^ (tables[-1] >> 8))
    return np.stack(tables)


@cache
def _zeros_tables() -> list[list[int]]:
    """What each byte of the register becomes after a lane of zeros, 4 lists of 256."""
    table = _byte_tables()[0]
    registers = np.arange(256, dtype=np.uint32)[None] << np.array(
        [[0], [8], [16], [24]], np.uint32
    )
    for _ in range(_LANE):
        registers = table[registers & 255] ^ (registers >> 8)
    return registers.tolist()
