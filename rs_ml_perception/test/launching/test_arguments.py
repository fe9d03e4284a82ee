"""The arguments of the launch file."""

from __future__ import annotations

from pathlib import Path

import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.launching.arguments import Camera, unknown_arguments
from rs_ml_perception.nodes.table import NODES


def test_nothing_given_gives_all_nodes_and_the_default_camera(request_for):
    request = request_for()
    assert request.cameras == (Camera('/rs_ml', 'camera', 'camera'),)
    assert request.nodes == tuple(NODES)
    assert request.composed == 'true'
    assert request.namespace == '/rs_ml'
    assert [request.start_camera, request.rviz, request.bag] == [False, False, '']
    assert request.replay == {}
    assert set(request.given) == set(NODES)
    assert not any(request.given.values())
    assert request.remarks == ()


@pytest.mark.parametrize(
    ('given', 'base', 'namespace', 'prefix'),
    [
        ({'namespace': 'robot/front'}, '', '/robot/front', '/camera/camera'),
        ({'namespace': '/'}, '', '/', '/camera/camera'),
        ({'namespace': ''}, '', '/', '/camera/camera'),
        ({}, 'robot', '/robot/rs_ml', '/camera/camera'),
        ({'namespace': '/alone'}, '/robot', '/alone', '/camera/camera'),
        ({'camera_namespace': ''}, '', '/rs_ml', '/camera'),
        ({'camera_namespace': '/'}, '', '/rs_ml', '/camera'),
        ({'camera_namespace': "''"}, '', '/rs_ml', '/camera'),
        ({'camera_namespace': 'r/', 'camera_name': 'd435'}, '', '/rs_ml', '/r/d435'),
    ],
)
def test_names_of_one_camera(request_for, given, base, namespace, prefix):
    (camera,) = request_for(base, **given).cameras
    assert (camera.namespace, camera.prefix) == (namespace, prefix)
    assert '//' not in camera.node('detection')


def test_several_cameras_have_separate_nodes(request_for):
    request = request_for(cameras='front, rear', serial_no='123,456', start_camera='true')
    assert request.cameras == (
        Camera('/rs_ml/front', 'camera', 'front', '123'),
        Camera('/rs_ml/rear', 'camera', 'rear', '456'),
    )
    assert [camera.prefix for camera in request.cameras] == ['/camera/front', '/camera/rear']


@pytest.mark.parametrize(
    ('text', 'camera'),
    [
        ('- {name: eye}', Camera('/rs_ml/eye', 'camera', 'eye')),
        (
            '- {name: eye, namespace: mast/top, camera_namespace: "", serial_no: "0123"}',
            Camera('/rs_ml/mast/top', '', 'eye', '0123'),
        ),
        (
            '- {name: eye, namespace: /left, camera_namespace: /rig/, serial_no: "0123"}',
            Camera('/left', 'rig', 'eye', '0123'),
        ),
    ],
)
def test_cameras_from_a_file(request_for, tmp_path, text, camera):
    file = tmp_path / 'cameras.yaml'
    file.write_text(f'{text}\n- {{name: rear}}\n')
    rear = Camera('/rs_ml/rear', 'camera', 'rear')
    assert request_for(cameras=str(file)).cameras == (camera, rear)


@pytest.mark.parametrize(
    ('text', 'sentence'),
    [
        ('', 'must be a list of cameras'),
        ('{name: front}', 'must be a list of cameras'),
        ('- front', 'a camera has a name and maybe namespace.*got front'),
        ('- {serial_no: 1}', 'a camera has a name'),
        ('- {name: a, serial_no: 0123}', 'serial_no must be a text: write it in quotes'),
        ('- {name: on}', 'name must be a text'),
        ('- {name: a, serial: 1}', 'a camera has a name and maybe namespace'),
        ('- {name: a}\n- {name: a, namespace: b}', 'different names, got /camera/a, /camera/a'),
        ('- {name: a, namespace: x}\n- {name: x}', 'different namespaces, got /rs_ml/x'),
        ('- [', 'cannot be read as YAML'),
    ],
)
def test_wrong_files_of_cameras(request_for, tmp_path, text, sentence):
    (tmp_path / 'cameras.yml').write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        request_for(cameras=str(tmp_path / 'cameras.yml'))


@pytest.mark.parametrize(
    ('given', 'sentence'),
    [({}, 'No such file|not found|no such'), ({'serial_no': '1'}, 'leave the argument out')],
)
def test_a_missing_file_of_cameras(request_for, tmp_path, given, sentence):
    with pytest.raises(ConfigError, match=sentence):
        request_for(cameras=str(tmp_path / 'none.yaml'), **given)


@pytest.mark.parametrize(
    ('given', 'parameters'),
    [
        ({'use_sim_time': 'false'}, {'use_sim_time': False}),
        ({'autostart': 'False'}, {'autostart': False}),
        ({'backend': 'openvino', 'device': 'gpu'}, {'backend': 'openvino', 'device': 'gpu'}),
        ({'detection_model': 'yolov8n'}, {'model': 'yolov8n'}),
        ({'detection_model': '~/m'}, {'model': str(Path.home() / 'm')}),
    ],
)
def test_given_arguments_become_parameters(request_for, given, parameters):
    assert request_for(**given).given['detection'] == parameters


def test_only_networks_have_backends_and_only_the_detector_its_model(request_for):
    given = request_for(backend='litert', detection_model='m', autostart='true').given
    assert given['height'] == {'autostart': True}
    assert given['segmentation'] == {'autostart': True, 'backend': 'litert'}


def test_a_replay_gets_its_arguments(request_for):
    request = request_for(bag='~/room', loop='true', rate='0.5', lockstep='no')
    assert request.bag == str(Path.home() / 'room')
    assert request.replay == {'loop': True, 'rate': 0.5, 'lockstep': False}
    assert request.remarks == ()


@pytest.mark.parametrize(
    ('given', 'sentence'),
    [
        ({'nodes': 'hight'}, "there is no node 'hight'"),
        ({'composed': 'flase'}, "composed must be one of true, camera, false, got 'flase'"),
        ({'use_sim_time': 'maybe'}, "use_sim_time must be true or false, got 'maybe'"),
        ({'bag': 'x', 'rate': 'fast'}, "rate must be a number, got 'fast'"),
        ({'bag': 'x', 'rate': '0'}, 'rate must lie in'),
        ({'log_level': 'loud'}, 'log_level must be one of debug, info'),
        ({'bag': 'x', 'start_camera': 'true'}, 'exclude each other'),
        ({'bag': 'x', 'cameras': 'a,b'}, 'leave cameras out'),
        ({'cameras': 'a,a'}, 'different names'),
        ({'cameras': 'a,b', 'serial_no': '1'}, 'one for each of a, b'),
        ({'serial_no': '1,2'}, "must be one, got '1,2'"),
    ],
)
def test_errors_name_the_argument(request_for, given, sentence):
    with pytest.raises(ConfigError, match=sentence):
        request_for(**given)


@pytest.mark.parametrize(
    ('given', 'remark'),
    [
        ({'loop': 'true'}, 'loop has no effect without bag'),
        ({'serial_no': '1'}, 'serial_no has no effect without start_camera:=true'),
        ({'detection_model': 'm', 'nodes': 'denoise'}, 'detection is not among nodes'),
    ],
)
def test_arguments_without_effect_are_remarked(request_for, given, remark):
    assert any(remark in sentence for sentence in request_for(**given).remarks)


@pytest.mark.parametrize(
    ('names', 'others', 'only_misspelt', 'sentences'),
    [
        ([], [], False, []),
        (['nodes', 'bag'], [], False, []),
        (['noodes'], [], False, ['unknown argument noodes is ignored: did you mean nodes?']),
        (['xyz'], [], False,
         ['unknown argument xyz is ignored: --show-args lists the known ones']),
        (['pointcloud.enable'], ['pointcloud.enable'], False, []),
        (['pointcloud.enabl'], ['pointcloud.enable'], False,
         ['unknown argument pointcloud.enabl is ignored: did you mean pointcloud.enable?']),
        (['robot_name', 'ros_namespace', 'noodes'], [], True,
         ['unknown argument noodes is ignored: did you mean nodes?']),
    ],
)  # fmt: skip
def test_unknown_arguments_are_named(names, others, only_misspelt, sentences):
    assert unknown_arguments(names, others, only_misspelt=only_misspelt) == sentences
