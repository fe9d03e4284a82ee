"""Settings of nodes for a recording, passed between processes as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.nodes.table import GRAPH

TRANSFORMS = 'static_transforms'


@dataclass(frozen=True)
class RecordingPlan:
    """Settings with which nodes run on a recording.

    Attributes:
        recording: its path.
        nodes: nodes that can run on it.
        left_out: node -> why it cannot.
        remappings: input of the nodes -> topic of the recording.
        shared: parameters of every node, and of the graph; see `parameters`.
        own: node -> parameters in addition to these.
        frame_id: optical frame of the first image.
        camera: namespace of the camera in a recording with several, else ''.
        notes: remarks for the user.
    """

    recording: str
    nodes: tuple[str, ...]
    left_out: Mapping[str, str]
    remappings: Mapping[str, str]
    shared: Mapping[str, Any]
    own: Mapping[str, Mapping[str, Any]]
    frame_id: str
    camera: str = ''
    notes: tuple[str, ...] = ()

    @property
    def runs(self) -> tuple[str, ...]:
        """The graph, and the nodes that can run."""
        return (GRAPH, *self.nodes)

    def parameters(self, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters for the recording, except those set by the user.

        Args:
            name: of a node or of the graph.
            said: its parameters in the user's parameter file.
        """
        asked = {**self.shared, **self.own.get(name, {})}
        found = {key: value for key, value in asked.items() if key not in said}
        by_hand = [text for text in said.get(TRANSFORMS) or () if text]
        if TRANSFORMS in asked and by_hand:
            found[TRANSFORMS] = _with_by_hand(asked[TRANSFORMS], by_hand)
        return found

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> RecordingPlan:
        """The opposite of to_json.

        Raises:
            InputError: the text was not written by to_json.
        """
        try:
            plan = cls(**json.loads(text))
            return dataclasses.replace(plan, nodes=tuple(plan.nodes), notes=tuple(plan.notes))
        except (TypeError, ValueError) as error:
            raise InputError(f'no plan of a recording: {error}') from error


def _with_by_hand(recorded: Sequence[str], by_hand: Sequence[str]) -> list[str]:
    """Static transforms of a recording, replaced by those of the user for the same frames."""
    children = {text.split()[1] for text in by_hand if len(text.split()) > 1}
    return [*(text for text in recorded if text.split()[1] not in children), *by_hand]
