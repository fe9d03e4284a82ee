"""The one interface to recordings of any format."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import transform_from_message
from rs_ml_perception.core.geometry.transforms import RigidTransform, TransformTree
from rs_ml_perception.core.pipeline import Closing
from rs_ml_perception.recordings.message_types import one_line
from rs_ml_perception.recordings.messages import TF_MESSAGE, Message, Topic

StaticTransforms = Mapping[tuple[str, str], RigidTransform]
"""(parent, child) -> parent_from_child, the convention of TF."""


def lookup(transforms: StaticTransforms, target: str, source: str) -> RigidTransform | None:
    """target_from_source through the tree, or None if the frames are not connected."""
    tree = TransformTree()
    for (parent, child), parent_from_child in transforms.items():
        tree.set_static(parent, child, parent_from_child)
    return tree.lookup(target, source, 0)


class Recording(Closing):
    """Messages on topics, in time order. Close it, or use it as a context manager.

    Attributes:
        path: as opened.
        topics: sorted by name; only those that hold messages.
        start_ns: log time of the first message.
        end_ns: log time of the last message.
        left_out: topic -> why its messages cannot be decoded.
        camera: namespace of the camera to use if there are several, '' for the best.
    """

    path: Path
    topics: tuple[Topic, ...]
    start_ns: int
    end_ns: int
    left_out: Mapping[str, str] = MappingProxyType({})
    camera: str = ''

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Message]:
        """Yield the messages of the named topics (None: of all), oldest first.

        Raises:
            InputError: the recording is damaged from here on, or holds fewer messages than it
                announces.
        """
        try:
            yield from self._read(topics)
        except InputError:
            raise
        except Exception as error:
            raise InputError(f'recording {self.path} is damaged: {one_line(error)}') from error

    @abstractmethod
    def _read(self, topics: Collection[str] | None) -> Iterator[Message]:
        """Yield messages; any exception may be raised for damage."""

    @abstractmethod
    def _decode(self, message: Message) -> Any:
        """Decode; any exception may be raised."""

    def decode(self, message: Message) -> Any:
        """The message as an object with the fields of its definition.

        Raises:
            InputError: the bytes do not fit the definition.
        """
        where = f'{message.topic}: the message of {message.log_time_ns / 1e9:.3f} s'
        if message.problem:
            raise InputError(f'{where} cannot be used: {message.problem}')
        try:
            return self._decode(message)
        except Exception as error:
            raise InputError(
                f'{where} is no valid {message.type} '
                f'({len(message.data)} bytes: {one_line(error)})'
            ) from error

    @property
    def contents(self) -> str:
        """The topics and those left out, as text."""
        names = ', '.join(topic.name for topic in self.topics)
        left_out = ''.join(f'; {name} is left out: {why}' for name, why in self.left_out.items())
        return names + left_out

    def topic(self, name: str) -> Topic | None:
        """The topic of that name, or None."""
        return next((topic for topic in self.topics if topic.name == name), None)

    def count(self, topic: str) -> int:
        """Number of messages of a topic, 0 for an unknown name."""
        found = self.topic(topic)
        return 0 if found is None else found.count

    def first(self, topic: str | None) -> Any | None:
        """The first message of a topic, decoded; None without one."""
        if topic is None or self.topic(topic) is None:
            return None
        message = next(self.messages([topic]), None)
        return None if message is None else self.decode(message)

    def give_static_transform(
        self, parent: str, child: str, parent_from_child: RigidTransform
    ) -> None:
        """Set the position of a frame; it replaces that of the recording."""
        recorded = self.static_transforms.items()
        others = {pair: transform for pair, transform in recorded if pair[1] != child}
        self.static_transforms = {**others, (parent, child): parent_from_child}

    @cached_property
    def static_transforms(self) -> StaticTransforms:
        """{(parent, child): parent_from_child} of every latched TF topic.

        Unusable ones are left out and named in `left_out`.
        """
        names = [t.name for t in self.topics if t.type == TF_MESSAGE and t.is_latched]
        transforms: dict[tuple[str, str], RigidTransform] = {}
        try:
            for message in self.messages(names) if names else ():
                self._add_transforms(message, transforms)
        except InputError as error:  # damaged from here on
            self.left_out = {**self.left_out, names[0]: str(error)}
        return transforms

    def _add_transforms(
        self, message: Message, transforms: dict[tuple[str, str], RigidTransform]
    ) -> None:
        try:
            for stamped in self.decode(message).transforms:
                key = (stamped.header.frame_id, stamped.child_frame_id)
                transforms[key] = transform_from_message(stamped.transform)
        except InputError as error:
            self.left_out = {**self.left_out, f'part of {message.topic}': str(error)}
