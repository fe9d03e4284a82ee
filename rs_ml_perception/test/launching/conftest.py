"""Requests and recordings as the launch file sees them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rs_ml_perception.launching.arguments import ARGUMENTS, Request, parse_arguments
from rs_ml_perception.launching.processes import LaunchInputs
from rs_ml_perception.launching.recording_plan import RecordingPlan
from rs_ml_perception.nodes.parameter_files import NO_BLOCKS, ParameterBlocks


@pytest.fixture
def request_for() -> Callable[..., Request]:
    """Call with the arguments that are given."""

    def parse(base_namespace: str = '', **given: str) -> Request:
        values = {name: default for name, (default, _) in ARGUMENTS.items()}
        return parse_arguments(values | given, base_namespace=base_namespace)

    return parse


@pytest.fixture
def inputs_for(request_for) -> Callable[..., LaunchInputs]:
    """Call with arguments, and other inputs of the plan."""

    def make(
        blocks: ParameterBlocks = NO_BLOCKS,
        recording: RecordingPlan | None = None,
        driver_arguments: dict[str, str] | None = None,
        **given: str,
    ) -> LaunchInputs:
        return LaunchInputs(request_for(**given), blocks, recording, driver_arguments or {})

    return make


@pytest.fixture
def recording_of() -> Callable[..., RecordingPlan]:
    """Call with the nodes that can work with it; the camera is /robot/eye."""

    def make(*nodes: str) -> RecordingPlan:
        return RecordingPlan(
            recording='/data/room',
            nodes=nodes,
            left_out={'denoise': 'the recording has no depth'},
            remappings={'color/image_raw': '/robot/eye/rgb'},
            shared={'use_sim_time': True, 'image_transport': 'compressed'},
            own={'detection': {'depth_source': 'none'}},
            frame_id='eye_optical',
        )

    return make
