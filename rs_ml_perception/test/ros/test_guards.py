"""The private attributes of rclpy that the nodes use, and nodes without them."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.ros import guards

pytestmark = pytest.mark.ros

WARNINGS = {
    'CHANGE_STATE_SERVICE': 'an invalid transition request ends the process',
    'PARAMETER_OVERRIDES': 'unknown parameters are ignored silently',
}


def test_rclpy_still_has_the_private_attributes(rig):
    """On failure: find the new names in rclpy, or accept the loss that the warning names."""
    node = rig.detection()
    vanished = [
        name
        for name in (guards.CHANGE_STATE_SERVICE, guards.PARAMETER_OVERRIDES)
        if not hasattr(node, name)
    ]
    assert vanished == []
    assert hasattr(node._service_change_state, 'callback')
    assert isinstance(node._parameter_overrides, dict)


@pytest.mark.parametrize('constant', sorted(WARNINGS))
def test_a_node_runs_without_a_private_attribute(rig, monkeypatch, capfd, constant):
    monkeypatch.setattr(guards, constant, '_renamed')
    node = rig.started(rig.detection(max_age_secs=2.0))
    assert node.parameters.max_age_secs == 2.0
    rig.camera.frame(0)
    assert rig.settled(node, 1).received == 1
    shown = capfd.readouterr().err
    assert f'this rclpy has no DetectionNode._renamed: {WARNINGS[constant]}' in shown
    assert 'callback failed' not in shown
