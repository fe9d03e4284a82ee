"""Base of nodes with a network."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TypeVar

from rs_ml_perception.core.options import option
from rs_ml_perception.ros.common_parameters import StreamParameters
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.ros.output.outputs import L, LabelPublisher, R
from rs_ml_perception.tasks.options import ModelOptions

N = TypeVar('N', bound='NetworkParameters')


@dataclass(frozen=True)
class NetworkParameters(ModelOptions, StreamParameters):
    """Parameters of a node with a network."""

    def with_threads(self: N, threads: int) -> N:
        """A copy with this number of inference threads, unless one is set."""
        return replace(self, threads=threads) if threads and self.threads == 0 else self


@dataclass(frozen=True)
class LabelledParameters(NetworkParameters):
    """Parameters of a node whose network has classes."""

    publish_vision_msgs: bool = option(
        False, 'also publish vision_msgs under vision/, if installed', static=True
    )


P = TypeVar('P', bound=LabelledParameters)


class LabelledNode(PerceptionNode[P, L, R]):
    """A node that latches the names of its classes."""

    _labels: LabelPublisher | None = None

    @abstractmethod
    def threshold(self) -> float:
        """The minimum score or confidence in force."""

    def announce(self) -> None:
        if self._labels is None:
            self._labels = LabelPublisher(self)
        self._labels.publish(
            self.pipeline,
            with_vision_msgs=self.parameters.publish_vision_msgs,
            threshold=self.threshold(),
        )
