"""First log lines of a node that runs alone."""

from dataclasses import replace

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')

from rs_ml_perception.nodes.runner import input_lines
from rs_ml_perception.nodes.table import NODES

pytestmark = pytest.mark.ros


def names(spec, prefix):
    return {topic: f'{prefix}/{topic}' for topic in spec.all_inputs}


@pytest.mark.parametrize('name', NODES)
def test_inputs_without_remapping_come_with_the_rules_that_cure_it(name):
    spec = NODES[name]
    inputs, cure = input_lines(spec, names(spec, '/robot'), '/robot')
    for topic in spec.inputs:
        assert f'/robot/{topic}' in inputs
        assert f'-r {topic}:=/camera/camera/{topic}' in cure
    assert f'nodes:={name}' in cure


COLOR_ONLY = replace(NODES['mono_depth'], inputs=('color/image_raw', 'color/camera_info'))


def test_a_node_of_nodes_has_their_topics():
    spec = NODES['height']
    inputs, _ = input_lines(spec, names(spec, '/rs_ml'), '/rs_ml')
    assert '/rs_ml/detection/detections' in inputs


@pytest.mark.parametrize('namespace', ['/rs_ml', '/'])
def test_one_input_remapped_is_enough(namespace):
    spec = COLOR_ONLY
    remapped = {'color/image_raw': '/front/image'}
    lines = input_lines(spec, names(spec, namespace.rstrip('/')) | remapped, namespace)
    assert lines == [f'inputs: /front/image, {namespace.rstrip("/")}/color/camera_info']


def test_in_the_root_namespace():
    spec = COLOR_ONLY
    inputs, cure = input_lines(spec, names(spec, ''), '/')
    assert inputs == 'inputs: /color/image_raw, /color/camera_info'
    assert cure.startswith('no input is remapped')
