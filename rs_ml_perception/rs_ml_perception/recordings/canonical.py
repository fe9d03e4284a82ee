"""CDR bytes that depend on nothing but the message."""

from __future__ import annotations

from rs_ml_perception.recordings.message_types import message_types


def canonical_cdr(data: bytes, type_name: str) -> bytes:
    """The same message with zeros between its fields.

    A middleware leaves the padding that aligns fields as it finds the memory, so the bytes of
    equal messages differ from process to process.

    Args:
        data: CDR as serialised by any middleware.
        type_name: 'package/msg/Type', known to message_types().
    """
    store = message_types()
    return bytes(store.serialize_cdr(store.deserialize_cdr(data, type_name), type_name))
