"""Every layer imports only what stands left of it, and nobody pays for what was not chosen."""

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import rs_ml_perception

PACKAGE = Path(rs_ml_perception.__file__).parent
ROS = {'rclpy', 'ament_index_python', 'tf2_ros', 'message_filters', 'cv_bridge', 'launch'}
RUNTIMES = {'ai_edge_litert', 'tflite_runtime', 'openvino', 'onnxruntime', 'tensorflow', 'keras'}
ANYWHERE = {'numpy', 'cv2', *sys.stdlib_module_names}
MAX_MODULE_LINES, MAX_FUNCTION_LINES = 400, 60


@dataclass(frozen=True)
class Layer:
    """What the modules of one folder may import, beside the standard library, numpy and cv2.

    Attributes:
        folders: of this package.
        at_once: other packages, at module level; '_msgs' stands for all message packages.
        late: other packages, inside functions only.
    """

    folders: frozenset[str]
    at_once: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()


def layer(folders: str, at_once: set[str] = frozenset(), late: set[str] = frozenset()) -> Layer:
    return Layer(frozenset(folders.split()), frozenset(at_once), frozenset(late))


ALL = 'core inference tasks recordings ros nodes cli'
LAYERS = {
    'core': layer('core'),
    'inference': layer('core inference', late={*RUNTIMES, 'yaml'}),
    'tasks': layer('core inference tasks'),
    'recordings': layer('core recordings', {'rosbags', 'apsw', 'yaml'}, {'pyrealsense2'}),
    'ros': layer('core ros', {*ROS, '_msgs'}),
    'nodes': layer(ALL.replace(' cli', ''), {*ROS, '_msgs', 'rosbags', 'yaml'}),
    'launching': layer('core recordings nodes launching', {'yaml'}),
    'cli': layer(f'{ALL} launching', {'rosbags', 'yaml'}, {*ROS, '_msgs', 'pyrealsense2'}),
    'demo': layer(f'{ALL} launching demo', {*ROS, '_msgs'}),
}


def modules(folder: str) -> list[Path]:
    return sorted((PACKAGE / folder).rglob('*.py'))


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def imported_names(node: ast.AST) -> list[str]:
    """Full names of the modules a statement or import_module('...') imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = '.' * node.level + (node.module or '')
        return [f'{base}.{alias.name}' for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith('import_module'):
        return [a.value for a in node.args if isinstance(a, ast.Constant)]
    return []


def imports(tree: ast.AST, late: bool = False) -> list[tuple[str, bool]]:
    """All imports below the tree as (full name, whether only when a function runs)."""
    found = [(name, late) for name in imported_names(tree)]
    if isinstance(tree, ast.If) and ast.unparse(tree.test).endswith('TYPE_CHECKING'):
        late = True
    late = late or isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    return found + [pair for child in ast.iter_child_nodes(tree) for pair in imports(child, late)]


def is_allowed(name: str, late: bool, rules: Layer) -> bool:
    root, *rest = name.split('.')
    if root == 'rs_ml_perception':
        return not rest or rest[0] in rules.folders or not (PACKAGE / rest[0]).exists()
    others = rules.at_once | rules.late if late else rules.at_once
    is_message = root.endswith(('_msgs', '_interfaces')) or root == 'std_srvs'
    return root in ANYWHERE or root in others or (is_message and '_msgs' in others)


def offences(source: str, rules: Layer) -> list[str]:
    found = imports(ast.parse(source))
    return [name for name, late in found if not is_allowed(name, late, rules)]


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
    assert offences(source, LAYERS[folder]) == expected


@pytest.mark.parametrize('folder', LAYERS)
def test_layers_import_only_to_the_left(folder):
    found = {dotted(p): offences(p.read_text('utf-8'), LAYERS[folder]) for p in modules(folder)}
    assert {name: names for name, names in found.items() if names} == {}


def test_nodes_do_not_know_each_other():
    """What nodes share lives in `ros`; only the graph puts them together."""
    found = []
    for path in modules('nodes'):
        names = [name for name, _ in imports(ast.parse(path.read_text('utf-8')))]
        others = {n.split('.')[2] for n in names if n.startswith('rs_ml_perception.nodes.')}
        nodes = {n for n in others if n.endswith('_node') and n != path.stem}
        found += [(path.stem, node) for node in nodes if path.stem != 'perception_graph']
    assert found == []


def test_modules_and_functions_stay_small():
    long = []
    for path in PACKAGE.rglob('*.py'):
        source = path.read_text('utf-8')
        if source.count('\n') > MAX_MODULE_LINES:
            long.append(f'{dotted(path)}: {source.count(chr(10))} lines')
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    long.append(f'{dotted(path)}.{node.name}: {lines} lines')
    assert long == []


def test_no_module_is_called_utils():
    assert [dotted(p) for p in PACKAGE.rglob('util*.py')] == []


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
    names = [dotted(path) for path in modules(folder) if path.stem != '__main__']
    assert f'rs_ml_perception.{folder}' in names
    assert loaded_by(names, unwanted) == []


def test_the_check_for_heavy_imports_sees_them():
    assert loaded_by(['rs_ml_perception.core.images.depth', 'json'], {'json', 'rclpy'}) == ['json']
