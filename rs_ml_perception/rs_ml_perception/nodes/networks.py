"""What nodes with a network have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, TypeVar

from rs_ml_perception.core.options import option
from rs_ml_perception.inference.shelf import DEFAULT_MODELS
from rs_ml_perception.nodes.distances import farthest_m, farthest_option, nearest_option
from rs_ml_perception.ros.common_parameters import ModelParameters
from rs_ml_perception.ros.label_publisher import LabelPublisher
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.ros.outputs import L, R
from rs_ml_perception.tasks.model_choice import ModelChoice

MANIFEST = -1.0
"""Value of a threshold that leaves it to the model's manifest."""


def model_option(task: str) -> Any:
    """The parameter `model` of a node whose default is what ships for its task."""
    return option(
        DEFAULT_MODELS[task], 'model directory, or the name of a known model', static=True
    )


@dataclass(frozen=True)
class NetworkParameters(ModelParameters):
    """Parameters that name a network."""

    @property
    def choice(self) -> ModelChoice:
        return ModelChoice(self.model, self.backend, self.device, self.threads)


@dataclass(frozen=True)
class DepthParameters(NetworkParameters):
    """Parameters of a node whose network gives depth."""

    range_min_m: float = nearest_option('nearer becomes invalid [m]')
    range_max_m: float = farthest_option('farther becomes invalid; 1000: as the model says [m]')

    @property
    def band_m(self) -> tuple[float, float]:
        """Nearest and farthest distance, in addition to the limits of the model."""
        return self.range_min_m, farthest_m(self.range_max_m)


@dataclass(frozen=True)
class LabelledParameters(NetworkParameters):
    """Parameters of a node whose network has classes."""

    publish_vision_msgs: bool = option(
        False, 'also publish vision_msgs under vision/, where they are installed', static=True
    )


P = TypeVar('P', bound=LabelledParameters)


class LabelledNode(PerceptionNode[P, L, R]):
    """A node that latches the names of its classes."""

    _labels: LabelPublisher | None = None

    @abstractmethod
    def threshold(self) -> float:
        """Least score or confidence in force."""

    def announce(self) -> None:
        if self._labels is None:
            self._labels = LabelPublisher(self)
        self._labels.publish(
            self.pipeline,
            with_vision_msgs=self.parameters.publish_vision_msgs,
            threshold=self.threshold(),
        )
