"""`tf.train.Example` messages that hold bytes only, without TensorFlow.

The wire format is that of protocol buffers: Example{1: Features{1: {1: key, 2: Feature{1:
BytesList{1: value}}}}}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rs_ml_perception.core.errors import InputError

_LENGTH_DELIMITED = 2


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
