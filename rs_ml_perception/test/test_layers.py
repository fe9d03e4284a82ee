"""Every layer imports only layers to its left, and unused runtimes are not imported."""

import subprocess
import sys
from pathlib import Path

import pytest

import rs_ml_perception
from tools.structure import (
    PACKAGES,
    Layer,
    Module,
    circles,
    flags_by_hand,
    import_graph,
    imports,
    lonely_modules,
    modules_of,
    mutual_folders,
    offences,
    too_long,
)

PACKAGE = Path(rs_ml_perception.__file__).parent
ROOT = PACKAGE.parents[1]
MODULES = modules_of('rs_ml_perception', ROOT)
GRAPH = import_graph(MODULES)
ROS = {'rclpy', 'ament_index_python', 'tf2_ros', 'message_filters', 'cv_bridge', 'launch'}
RUNTIMES = {'ai_edge_litert', 'tflite_runtime', 'openvino', 'onnxruntime', 'tensorflow', 'keras'}

LONELY = {}
"""Small modules with one user in their folder -> why they stay on their own."""

ALL = 'core inference tasks recordings ros nodes cli'
LAYERS = {
    'core': Layer.of('core', late={'tqdm'}),
    'inference': Layer.of('core inference', late={*RUNTIMES, 'yaml'}),
    'tasks': Layer.of('core inference tasks'),
    'recordings': Layer.of('core recordings', {'rosbags', 'apsw', 'yaml'}, {'pyrealsense2'}),
    'ros': Layer.of('core ros', {*ROS, '_msgs'}),
    'nodes': Layer.of(ALL.replace(' cli', ''), {*ROS, '_msgs', 'rosbags', 'yaml'}),
    'launching': Layer.of('core recordings nodes launching', {'yaml'}),
    'cli': Layer.of(
        f'{ALL} launching', {'rosbags', 'yaml'}, {*ROS, '_msgs', 'pyrealsense2', 'ray'}
    ),
    'demo': Layer.of(f'{ALL} launching demo', {*ROS, '_msgs'}),
}


def modules(folder: str) -> list:
    """Modules of one folder and those inside of it."""
    prefix = f'rs_ml_perception.{folder}'
    return [m for m in MODULES if m.name == prefix or m.name.startswith(f'{prefix}.')]


def test_there_is_a_rule_for_every_folder():
    folders = {p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.glob('*.py'))}
    assert folders <= set(LAYERS), 'folders without a rule'
    assert {'core', 'inference', 'tasks', 'recordings', 'ros', 'nodes', 'cli'} <= folders


@pytest.mark.parametrize(
    ('folder', 'source', 'expected'),
    [
        ('core', '', []),
        ('core', 'import os\nimport numpy as np\nfrom cv2 import dnn', []),
        ('core', 'from rs_ml_perception.core.errors import InputError', []),
        ('core', 'import rclpy', ['rclpy']),
        ('core', 'def f():\n    import scipy.ndimage', ['scipy.ndimage']),
        ('core', 'from rs_ml_perception import tasks', ['rs_ml_perception.tasks']),
        ('core', 'from . import depth', ['..depth']),
        ('inference', 'import openvino', ['openvino']),
        ('inference', 'class A:\n    def f(self):\n        import openvino', []),
        ('inference', 'try:\n    import tensorflow\nexcept ImportError:\n    tensorflow = None',
         ['tensorflow']),
        ('tasks', 'import importlib\nimportlib.import_module("rclpy.node")', ['rclpy.node']),
        ('tasks', 'from rs_ml_perception.ros.node import N', ['rs_ml_perception.ros.node.N']),
        ('recordings', 'import rosbags.rosbag2\nimport sensor_msgs.msg', ['sensor_msgs.msg']),
        ('ros', 'import rclpy\nfrom sensor_msgs.msg import Image\nimport std_srvs.srv', []),
        ('ros', 'from rs_ml_perception.tasks import x', ['rs_ml_perception.tasks.x']),
        ('nodes', 'def f():\n    import rs_ml_training', ['rs_ml_training']),
        ('cli', 'import rclpy', ['rclpy']),
    ],
)  # fmt: skip
def test_the_rules_bite(folder, source, expected):
    assert offences(PACKAGE, source, LAYERS[folder]) == expected


@pytest.mark.parametrize('folder', LAYERS)
def test_layers_import_only_to_the_left(folder):
    found = {m.name: offences(PACKAGE, m.source, LAYERS[folder]) for m in modules(folder)}
    assert {name: names for name, names in found.items() if names} == {}


def test_nodes_do_not_know_each_other():
    """Shared code of nodes is in `ros`; only the graph combines nodes."""
    found = []
    for module in modules('nodes'):
        names = [name for name, _ in imports(module.tree)]
        others = {n.split('.')[2] for n in names if n.startswith('rs_ml_perception.nodes.')}
        nodes = {n for n in others if n.endswith('_node') and n != module.path.stem}
        found += [(module.name, node) for node in nodes if module.path.stem != 'perception_graph']
    assert found == []


def test_modules_and_functions_stay_small():
    assert too_long(MODULES) == []


def test_flags_are_made_from_options(tmp_path):
    for package in PACKAGES:
        assert flags_by_hand(modules_of(package, ROOT)) == []
    path = tmp_path / 'x.py'
    path.write_text("group().add_argument('--count', type=int)\nparser.add_argument('input')\n")
    assert flags_by_hand([Module('x', path)]) == ["x: '--count'"]


def test_no_circle_of_imports():
    assert circles(GRAPH) == []
    assert circles({'a': {'b'}, 'b': {'c'}, 'c': {'b'}}) == [['b', 'c']]


@pytest.mark.parametrize('depth', [1, 2])
def test_no_two_folders_import_each_other(depth):
    assert mutual_folders(GRAPH, depth) == []


def test_the_check_for_folders_bites():
    graph = {'p.a.x': {'p.b.y'}, 'p.b.y': set(), 'p.b.z': {'p.a.x'}}
    assert mutual_folders(graph) == [('a', 'b')]


def test_a_small_module_has_several_users_or_a_reason():
    found = [n for n in lonely_modules(MODULES, GRAPH)]
    assert set(found) == set(LONELY)


@pytest.mark.parametrize(
    ('lines', 'users', 'expected'),
    [(3, 1, ['p.a.x']), (3, 2, []), (3, 0, []), (100, 1, [])],
)
def test_the_check_for_small_modules_bites(tmp_path, lines, users, expected):
    modules = []
    for name, text in {
        'x': lines * 'pass\n',
        'y': 'import p.a.x\n' if users else '',
        'z': 'from p.a import x\n' if users > 1 else '',
    }.items():
        path = tmp_path / f'{name}.py'
        path.write_text(text)
        modules.append(Module(f'p.a.{name}', path))
    assert lonely_modules(modules, import_graph(modules)) == expected


def test_no_module_is_called_utils():
    assert [m.name for m in MODULES if m.path.stem.startswith('util')] == []


def loaded_by(names: list[str], looked_for: set[str]) -> list[str]:
    """Which packages a fresh process has loaded once it has imported the modules."""
    code = (
        'import importlib, sys\n'
        f'for name in {names!r}: importlib.import_module(name)\n'
        f'print(*sorted({looked_for!r} & {{n.split(".")[0] for n in sys.modules}}))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ('folder', 'unwanted'),
    [
        ('core', {*ROS, *RUNTIMES, 'torch', 'yaml', 'rosbags'}),
        ('inference', {*ROS, *RUNTIMES, 'torch', 'rosbags'}),
        ('tasks', {*ROS, *RUNTIMES, 'torch', 'rosbags'}),
        ('recordings', {*ROS, *RUNTIMES, 'torch', 'pyrealsense2'}),
        ('cli', {*ROS, *RUNTIMES, 'torch', 'pyrealsense2'}),
    ],
)
def test_importing_loads_nothing_heavy(folder, unwanted):
    names = [m.name for m in modules(folder) if m.path.stem != '__main__']
    assert f'rs_ml_perception.{folder}' in names
    assert loaded_by(names, unwanted) == []


def test_the_check_for_heavy_imports_sees_them():
    assert loaded_by(['rs_ml_perception.core.images.depth', 'json'], {'json', 'rclpy'}) == ['json']
