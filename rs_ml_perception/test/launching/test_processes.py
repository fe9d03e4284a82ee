"""The processes to start, and their parameters."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.launching.processes import make_launch_plan
from rs_ml_perception.nodes import table
from rs_ml_perception.nodes.parameter_files import ParameterBlocks
from rs_ml_perception.nodes.table import NODES


def parameters_of(plan, node: str) -> dict:
    blocks = yaml.safe_load(plan.nodes[0].parameters)
    return blocks.get(node, {}).get('ros__parameters', {})


def test_one_process_holds_all_nodes_of_a_camera(inputs_for):
    plan = make_launch_plan(inputs_for(nodes='height,detection', cameras='a,b', composed='camera'))
    assert [process.executable for process in plan.nodes] == ['perception_graph'] * 2
    assert [process.namespace for process in plan.nodes] == ['/rs_ml/a', '/rs_ml/b']
    assert parameters_of(plan, '/rs_ml/a/perception_graph') == {'nodes': ['detection', 'height']}
    assert ('color/image_raw', '/camera/a/color/image_raw') in plan.nodes[0].remappings
    assert (plan.replay, plan.drivers, plan.remarks) == (None, (), ())


def test_or_those_of_all_cameras(inputs_for):
    inputs = inputs_for(ParameterBlocks({'/**': {}}), nodes='height,detection', cameras='a,b')
    (process,) = make_launch_plan(inputs).nodes
    assert (process.executable, process.namespace) == ('perception_graph', '/rs_ml')
    topic = 'color/image_raw'
    remapped = dict(process.remappings)
    assert {remapped[f'/rs_ml/{name}/{topic}'] for name in 'ab'} == {
        f'/camera/a/{topic}',
        f'/camera/b/{topic}',
    }
    assert all(name.startswith(('/rs_ml/a/', '/rs_ml/b/')) for name in remapped)
    plan = make_launch_plan(inputs)
    of_all = {'namespaces': ['/rs_ml/a', '/rs_ml/b']}
    assert parameters_of(plan, '/rs_ml/perception_graph') == of_all
    for name in 'ab':
        of_one = {'nodes': ['detection', 'height']}
        assert parameters_of(plan, f'/rs_ml/{name}/perception_graph') == of_one


def test_the_namespace_of_a_camera_may_be_that_of_the_graph(inputs_for, tmp_path):
    file = tmp_path / 'cameras.yaml'
    file.write_text('- {name: a, namespace: /rs_ml}\n- {name: b}\n')
    plan = make_launch_plan(inputs_for(nodes='height', cameras=str(file)))
    expected = {'namespaces': ['/rs_ml', '/rs_ml/b'], 'nodes': ['height']}
    assert parameters_of(plan, '/rs_ml/perception_graph') == expected


def test_or_one_process_per_node(inputs_for):
    plan = make_launch_plan(inputs_for(composed='false'))
    assert [p.executable for p in plan.nodes] == [spec.executable for spec in NODES.values()]


@pytest.mark.parametrize(
    ('said', 'given', 'expected'),
    [
        ({}, {}, {'use_sim_time': True, 'depth_source': 'none'}),
        ({'/**': {'use_sim_time': False}}, {}, {'use_sim_time': None, 'depth_source': 'none'}),
        ({'/**/detection': {'depth_source': 'raw'}}, {}, {'depth_source': None}),
        ({'/**/height': {'depth_source': 'raw'}}, {}, {'depth_source': 'none'}),
        ({'/**': {'use_sim_time': False}}, {'use_sim_time': 'true'}, {'use_sim_time': True}),
        ({}, {'use_sim_time': 'false'}, {'use_sim_time': False}),
        ({'/**': {'backend': 'opencv'}}, {'backend': 'litert'}, {'backend': 'litert'}),
    ],
)
def test_arguments_win_over_params_file_and_this_over_the_recording(
    inputs_for, recording_of, said, given, expected
):
    inputs = inputs_for(
        ParameterBlocks(said), recording_of('detection'), bag='/data/room', **given
    )
    plan = make_launch_plan(inputs)
    found = parameters_of(plan, '/rs_ml/detection')
    assert {name: found.get(name) for name in expected} == expected
    wanted = given.get('use_sim_time', str(said.get('/**', {}).get('use_sim_time', True)))
    assert plan.use_sim_time == (wanted.lower() == 'true')


_TWO = {'cameras': 'a,b', 'composed': 'camera'}


@pytest.mark.parametrize(
    ('given', 'said', 'threads'),
    [
        ({'nodes': 'detection,mono_depth'}, {}, None),
        ({'nodes': 'detection,mono_depth', 'composed': 'false'}, {}, 2),
        ({'nodes': 'detection,height', 'composed': 'false'}, {}, None),
        ({'nodes': 'detection,mono_depth', **_TWO}, {}, 1),
        ({'nodes': 'detection', **_TWO}, {}, 2),
        ({'nodes': 'detection', **_TWO}, {'/**/detection': {'threads': 3}}, None),
        ({'nodes': 'detection', **_TWO}, {'/**': {'threads': 0}}, 2),
        ({'nodes': 'detection', 'cameras': 'a,b'}, {}, None),
    ],
)
def test_processes_share_the_cores(inputs_for, monkeypatch, given, said, threads):
    monkeypatch.setattr(table, 'available_cores', lambda: 4)
    plan = make_launch_plan(inputs_for(ParameterBlocks(said), **given))
    prefix = '/rs_ml/a' if 'cameras' in given else '/rs_ml'
    assert parameters_of(plan, f'{prefix}/detection').get('threads') == threads
    assert 'threads' not in parameters_of(plan, f'{prefix}/height')


def test_a_recording_is_replayed_to_the_nodes_that_can_use_it(inputs_for, recording_of):
    inputs = inputs_for(recording=recording_of('detection', 'height'), bag='/data/room', rate='2')
    plan = make_launch_plan(inputs, viewed_topics=('/rs_ml/detection/markers',))
    assert plan.replay == {
        'bag': '/data/room',
        'wait_for_nodes': ['/rs_ml/detection', '/rs_ml/height'],
        'rate': 2.0,
        'wait_for_readers_of': ['/rs_ml/detection/markers'],
    }
    assert plan.remarks == ('denoise is left out: the recording has no depth',)
    assert dict(plan.nodes[0].remappings)['color/image_raw'] == '/robot/eye/rgb'
    assert parameters_of(plan, '/rs_ml/perception_graph')['nodes'] == ['detection', 'height']


def test_one_of_several_cameras_is_replayed(inputs_for, recording_of):
    recording = replace(recording_of('detection'), camera='/robot/eye')
    plan = make_launch_plan(inputs_for(recording=recording, bag='x'))
    assert plan.replay['camera'] == '/robot/eye'


def test_in_lockstep_no_frame_is_too_old(inputs_for, recording_of):
    blocks = ParameterBlocks({'/**': {'max_age_secs': 1.0}})
    inputs = inputs_for(blocks, recording_of('height'), bag='x', lockstep='true')
    assert parameters_of(make_launch_plan(inputs), '/rs_ml/height')['max_age_secs'] == 0.0


def test_a_recording_for_no_node_is_refused(inputs_for, recording_of):
    with pytest.raises(ConfigError, match='no node can run on x: denoise is left out'):
        make_launch_plan(inputs_for(recording=recording_of(), bag='x'))


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ({'nodes': 'mono_depth'}, {'camera_namespace': 'camera', 'camera_name': 'camera'}),
        ({'nodes': 'height'}, {'enable_accel': 'true', 'align_depth.enable': 'true'}),
        ({'nodes': 'denoise'}, {'enable_infra1': 'true', 'enable_sync': 'true'}),
        ({'camera_namespace': '/'}, {'camera_namespace': '/'}),
        ({'serial_no': '0123'}, {'serial_no': '_0123'}),
        ({'serial_no': '_0123'}, {'serial_no': '_0123'}),
        ({'driver_arguments': {'enable_sync': 'false'}}, {'enable_sync': 'false'}),
    ],
)
def test_the_driver_gets_the_needs_of_the_nodes(inputs_for, given, expected):
    (driver,) = make_launch_plan(inputs_for(start_camera='true', **given)).drivers
    assert expected.items() <= driver.items()


@pytest.mark.parametrize(
    ('given', 'words'),
    [
        ({}, ()),
        ({'composed': 'false', 'namespace': 'a/b'}, ('--log-level', 'a.b.height:=debug')),
        ({'composed': 'false', 'namespace': '/'}, ('--log-level', 'height:=debug')),
        ({'composed': 'true'}, ('--log-level', 'rs_ml.perception_graph:=debug',
                                '--log-level', 'rs_ml.height:=debug')),
    ],
)  # fmt: skip
def test_the_log_level_holds_for_our_loggers_only(inputs_for, given, words):
    level = {'log_level': 'debug'} if given else {}
    (process,) = make_launch_plan(inputs_for(nodes='height', **level, **given)).nodes
    assert process.ros_arguments == words


def test_a_block_for_no_node_is_remarked(inputs_for):
    blocks = ParameterBlocks({'/detection': {}, '/**/height': {}, '/other': {}})
    plan = make_launch_plan(inputs_for(blocks))
    (remark,) = plan.remarks
    assert remark == 'params_file: block /detection matches no node: /**/detection would match'
