"""Parameters: changes are applied, or refused with the reason."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rcl_interfaces.srv import DescribeParameters
from rclpy.parameter import Parameter
from rs_ml_perception.core.pipeline import Pipeline
from rs_ml_perception.nodes.detection_node import DetectionNode
from rs_ml_perception.nodes.height_node import HeightNode
from rs_ml_perception.nodes.table import NODES

pytestmark = pytest.mark.ros

REFUSED = [
    ('score_threshold', 1.5, 'score_threshold'),
    ('score_threshold', float('nan'), 'score_threshold'),
    ('score_threshold', 'high', 'type'),
    ('max_detections', 0, 'max_detections'),
    ('max_detections', 2.5, 'type'),
    ('classes', 'person', 'classes must be a list'),
    ('classes', ['persson'], "no class 'persson', it has person, cat"),
    ('max_rate_hz', -1.0, 'max_rate_hz'),
    ('diagnostics.max_processing_ms', 0.0, 'max_processing_ms'),
    ('target_frame', 7, 'type'),
    ('model', 'other', 'model is static: deactivate and clean up'),
    ('reliability', 'reliable', 'static'),
]


@pytest.mark.parametrize(('name', 'value', 'words'), REFUSED)
def test_refused_with_the_reason_and_nothing_changes(rig, name, value, words):
    node = rig.started(rig.detection())
    before, was = node.parameters, node.get_parameter(name).value
    result = rig.set_parameter(node, name, value)
    assert not result.successful
    assert words in result.reason
    assert node.parameters is before
    assert node.get_parameter(name).value == was
    rig.camera.frame(0)
    assert rig.settled(node, 1).published == 1


@pytest.mark.parametrize(
    ('name', 'value', 'read'),
    [
        ('score_threshold', 0.25, lambda n: n.fake.options.score_threshold),
        ('score_threshold', -1.0, lambda n: n.fake.options.score_threshold or -1.0),
        ('classes', ['cat'], lambda n: list(n.fake.options.classes)),
        ('classes', [], lambda n: list(n.fake.options.classes)),
        ('track', False, lambda n: n.fake.options.track),
        ('max_rate_hz', 5.0, lambda n: n.activation.worker.limits.max_rate_hz),
        ('max_age_secs', 2.0, lambda n: n.activation.worker.limits.max_age_secs),
        # Integers are taken for doubles: every remedy may be typed without the dot.
        ('max_age_secs', 0, lambda n: n.activation.worker.limits.max_age_secs),
        ('target_frame', 'map', lambda n: n.parameters.target_frame),
        (
            'diagnostics.max_image_age_ms',
            50.0,
            lambda n: n.parameters.diagnostics.max_image_age_ms,
        ),
    ],
)
def test_accepted_at_run_time(rig, name, value, read):
    node = rig.started(rig.detection())
    result = rig.set_parameter(node, name, value)
    assert result.successful, result.reason
    assert read(node) == value


def test_static_ones_may_change_while_unconfigured(rig):
    node = rig.detection()
    assert rig.set_parameter(node, 'model', 'other').successful
    node.trigger_configure()
    assert node.parameters.model == 'other'
    assert not rig.set_parameter(node, 'model', 'third').successful


def test_descriptions_and_ranges_are_shown(rig):
    node = rig.detection()
    request = DescribeParameters.Request(names=['score_threshold', 'model', 'reliability'])
    name = f'{node.get_fully_qualified_name()}/describe_parameters'
    score, model, reliability = rig.call(DescribeParameters, name, request).descriptors
    assert score.floating_point_range[0].to_value == 1.0
    assert 'static' in model.description
    assert 'best_effort' in reliability.additional_constraints


def test_whole_numbers_are_accepted_for_floats_at_start(rig):
    node = rig.detection(score_threshold=1, max_rate_hz=15, diagnostics__max_image_age_ms=500)
    assert not node._binding.problems
    assert node.parameters.score_threshold == 1.0
    assert node.parameters.diagnostics.max_image_age_ms == 500.0
    assert isinstance(node.get_parameter('max_rate_hz').value, float)


@pytest.mark.parametrize(
    ('name', 'wrong', 'right', 'words'),
    [
        ('score_threshold', 7.0, 0.5, 'score_threshold'),
        ('score_threshold', 'high', 0.5, 'score_threshold'),
        ('max_detections', 2.5, 3, 'max_detections'),
        ('classes', 'person', ['person'], 'classes must be a list'),
        ('classes', [1, 2], ['person'], 'classes'),
        ('classes', ['persson'], ['person'], "no class 'persson'"),
        ('reliability', 'sometimes', 'auto', 'must be one of auto, reliable'),
        ('static_transforms', ['a b 1 2'], [], 'static transform'),
        ('static_transforms', ['a b 0 0 0 0 0 0 0'], [], 'quaternion'),
        ('autostart', 'yes', True, 'autostart'),
    ],
)
def test_a_wrong_start_value_can_be_repaired(rig, capfd, name, wrong, right, words):
    node = rig.detection(**{name: wrong})
    node.start()
    assert node.phase == 'unconfigured'
    assert words in node.failure
    shown = capfd.readouterr().err
    assert words in shown
    assert 'Traceback' not in shown
    result = rig.set_parameter(node, name, right)
    assert result.successful, result.reason
    node.start()
    assert node.phase == 'active', node.failure


def test_unknown_names_give_a_warning_with_a_suggestion(rig, capfd):
    rig.add(HeightNode, score_treshold=0.5, gravity_farme='map', qos_overrides__a=1)
    shown = [line for line in capfd.readouterr().err.splitlines() if 'WARN' in line]
    assert len(shown) == 2
    assert 'did you mean gravity_frame?' in shown[1]
    assert 'unknown parameter score_treshold is ignored' in shown[0]


def test_several_changes_are_atomic(rig):
    node = rig.started(rig.detection())
    changes = [Parameter('score_threshold', value=0.3), Parameter('classes', value=['dog'])]
    result = node.set_parameters_atomically(changes)
    assert not result.successful
    assert node.get_parameter('score_threshold').value == -1.0
    assert node.parameters.score_threshold is None
    assert node.fake.options.score_threshold is None


def test_an_empty_string_in_a_list_is_no_class(rig):
    node = rig.add(DetectionNode, classes=[''])
    assert node.parameters.classes == ()


@pytest.mark.parametrize('name', ['detection', 'height', 'mono_depth'])
def test_an_empty_range_is_refused(rig, name):
    """range_min_m beyond range_max_m would silently drop everything."""
    node_class = NODES[name].node_class()
    load = None if name == 'height' else lambda p: Tuned(p)
    node = rig.add(
        type('Node', (node_class,), {'announce': lambda _: None}), load=load, range_max_m=4.0
    )
    node.trigger_configure()
    assert node.phase == 'inactive', node.failure
    result = rig.set_parameter(node, 'range_min_m', 5.0)
    assert not result.successful
    assert 'range_min_m' in result.reason
    assert node.parameters.range_min_m == 0.0
    assert rig.set_parameter(node, 'range_min_m', 1.0).successful


class Tuned(Pipeline):
    """As much of a pipeline as a node that is never activated needs."""

    title, backend = 'fake', 'none'
