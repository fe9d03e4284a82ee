"""The one table of nodes is true."""

from __future__ import annotations

import importlib

import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import walk
from rs_ml_perception.nodes.table import (
    EXECUTABLES,
    NODES,
    camera_inputs,
    camera_prefix,
    parse_nodes,
    require_sources,
    threads_per_network,
)

from rs_ml_perception import executables

NETWORK_PARAMETERS = {'model', 'backend', 'device', 'precision', 'threads'}


@pytest.mark.parametrize('name', NODES)
def test_an_entry_is_complete(name):
    spec = NODES[name]
    assert spec.name == name
    assert spec.executable in EXECUTABLES
    assert spec.inputs
    assert all(not topic.startswith('/') for topic in spec.inputs)
    assert spec.uses_depth == ('depth/camera_info' in spec.inputs)
    earlier = tuple(NODES)[: list(NODES).index(name)]
    assert all(NODES[source].result for source in spec.consumes)
    assert set(spec.consumes) <= set(earlier), 'a consumer comes after its sources'


@pytest.mark.parametrize('executable', EXECUTABLES)
def test_every_executable_has_a_main(executable):
    pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
    pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')
    module = importlib.import_module(f'rs_ml_perception.nodes.{executable}')
    assert callable(module.main)
    assert callable(getattr(executables, executable))


@pytest.mark.ros
@pytest.mark.parametrize('name', NODES)
def test_the_class_is_that_of_the_executable(name):
    pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
    pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')
    spec = NODES[name]
    node_class = spec.node_class()
    assert node_class.default_name == name
    assert node_class.__module__.endswith(f'.{spec.executable}')
    has_network = {leaf.name for leaf in walk(node_class.parameters_type)} >= NETWORK_PARAMETERS
    assert spec.has_network == has_network


def test_camera_inputs_are_named_once():
    topics = camera_inputs()
    assert len(topics) == len(set(topics))
    assert topics[0] == 'color/image_raw'
    assert {t for spec in NODES.values() for t in spec.inputs} == set(topics)


@pytest.mark.parametrize(
    ('namespace', 'name', 'prefix'),
    [
        ('', '', ''),
        ('camera', 'camera', '/camera/camera'),
        ('', 'camera', '/camera'),
        ('camera', '', '/camera'),
        ('/robot/', '/front/', '/robot/front'),
    ],
)
def test_the_prefix_has_no_double_slash(namespace, name, prefix):
    assert camera_prefix(namespace, name) == prefix


@pytest.mark.parametrize(
    ('text', 'names'),
    [
        ('', tuple(NODES)),
        ('all', tuple(NODES)),
        ('height', ('height',)),
        ('height,detection', ('detection', 'height')),
        (' height  detection ', ('detection', 'height')),
    ],
)
def test_parsing_names(text, names):
    assert parse_nodes(text) == names


def test_an_unknown_name_lists_the_known():
    with pytest.raises(ConfigError, match="no node 'hight': choose from detection, height"):
        parse_nodes('hight')


def test_nobody_runs_without_its_source():
    assert require_sources(()) == ()
    assert require_sources(('detection', 'height')) == ('detection', 'height')
    with pytest.raises(ConfigError, match='height needs detection: name both'):
        require_sources(('height', 'mono_depth'))


@pytest.mark.parametrize(
    ('name', 'is_depth_primary', 'need'),
    [
        ('denoise', True, ('enable_infra1', 'true')),
        ('height', False, ('enable_accel', 'true')),
        ('detection', False, ('align_depth.enable', 'true')),
    ],
)
def test_primary_images_and_needs_of_a_node(name, is_depth_primary, need):
    assert NODES[name].is_depth_primary == is_depth_primary
    assert need in NODES[name].needs
    assert ('enable_sync', 'true') in NODES[name].needs


@pytest.mark.parametrize(
    ('names', 'cores', 'expected'),
    [
        ((), 4, 0),
        (('detection', 'height'), 4, 0),
        (('detection', 'segmentation'), 1, 1),
        (('detection', 'segmentation'), 2, 1),
        (('detection', 'segmentation'), 5, 2),
        (tuple(NODES), 2, 1),
        (tuple(NODES), 8, 2),
        (tuple(NODES) * 2, 8, 1),
    ],
)
def test_networks_share_the_cores(names, cores, expected):
    assert threads_per_network(names, cores) == expected


def test_the_cores_are_those_of_this_process():
    assert threads_per_network(('detection', 'segmentation')) >= 1
