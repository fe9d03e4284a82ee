"""What nodes with a network have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from rs_ml_perception.core.options import option
from rs_ml_perception.ros.common_parameters import ModelParameters
from rs_ml_perception.ros.label_publisher import LabelPublisher
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.tasks.model_choice import ModelChoice


@dataclass(frozen=True)
class NetworkParameters(ModelParameters):
    """Parameters that name a network."""

    @property
    def choice(self) -> ModelChoice:
        return ModelChoice(self.model, self.backend, self.device, self.threads)


@dataclass(frozen=True)
class LabelledParameters(NetworkParameters):
    """Parameters of a node whose network has classes."""

    publish_vision_msgs: bool = option(
        False, 'also publish vision_msgs under vision/, where they are installed', static=True
    )


P = TypeVar('P', bound=LabelledParameters)


class LabelledNode(PerceptionNode[P]):
    """A node that latches the names of its classes."""

    _labels: LabelPublisher | None = None

    def threshold(self) -> float:
        """Least score or confidence in force."""
        raise NotImplementedError(f'{type(self).__name__} must tell its threshold')

    def announce(self) -> None:
        if self._labels is None:
            self._labels = LabelPublisher(self)
        self._labels.publish(
            self.pipeline,
            with_vision_msgs=self.parameters.publish_vision_msgs,
            threshold=self.threshold(),
        )
