"""The launch file loads in a Python that has little more than launch."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

LAUNCH_FILE = Path(__file__).resolve().parents[2] / 'launch' / 'perception.launch.py'
ALLOWED = {*sys.stdlib_module_names, 'launch', 'launch_ros', 'ament_index_python', 'yaml'}
PURE = ('arguments', 'processes', 'recording_plan', 'viewer')


def imported_modules(source: str) -> set[str]:
    """Every name an import statement anywhere in the source may load as a module."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f'{node.module}.{alias.name}' for alias in node.names)}
    return found


def own_files(module: str) -> set[Path]:
    """The module's file and those of the packages around it; none for a name in a module."""
    parts = module.split('.')
    specs = [importlib.util.find_spec('.'.join(parts[:n])) for n in range(1, len(parts))]
    if all(spec and spec.submodule_search_locations for spec in specs):
        specs.append(importlib.util.find_spec(module))
    return {Path(spec.origin) for spec in specs if spec}


def all_imports(path: Path) -> dict[Path, set[str]]:
    """Own file -> modules of others it imports, for all that is reached from a file."""
    found: dict[Path, set[str]] = {}
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        modules = imported_modules(file.read_text('utf-8'))
        own = {name for name in modules if name.split('.')[0] == 'rs_ml_perception'}
        found[file] = modules - own
        waiting += [path for name in own for path in own_files(name)]
    return found


def test_the_launch_file_and_all_it_imports_need_nothing_of_the_nodes():
    found = all_imports(LAUNCH_FILE)
    assert {path.stem for path in found} >= {*PURE, 'table', 'errors', 'parameter_files'}
    strange = {
        path.name: {name for name in names if name.split('.')[0] not in ALLOWED}
        for path, names in found.items()
    }
    assert {name: names for name, names in strange.items() if names} == {}


@pytest.mark.parametrize(
    ('source', 'modules'),
    [
        ('import os.path', {'os.path'}),
        ('def f():\n    from rosbags import highlevel', {'rosbags', 'rosbags.highlevel'}),
    ],
)
def test_imports_are_found_wherever_they_stand(source, modules):
    assert imported_modules(source) == modules


HIDING = """
import sys
HIDDEN = {'numpy', 'cv2', 'rosbags', 'rclpy', 'ai_edge_litert', 'openvino', 'onnxruntime',
          'tensorflow', 'keras', 'torch', 'pyrealsense2', 'rs_ml_msgs', 'sensor_msgs'}
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in HIDDEN:
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)
sys.meta_path.insert(0, Hide())
for name in HIDDEN:
    sys.modules.pop(name, None)
"""

PLANNING = """
import yaml
from rs_ml_perception.launching.arguments import ARGUMENTS, parse_arguments
from rs_ml_perception.launching.processes import LaunchInputs, make_launch_plan
from rs_ml_perception.launching.recording_plan import RecordingPlan
from rs_ml_perception.launching.viewer import make_rviz_config
from rs_ml_perception.nodes.parameter_files import read_blocks
values = {name: default for name, (default, _) in ARGUMENTS.items()}
request = parse_arguments({**values, 'bag': 'x', 'rviz': 'true'})
blocks = read_blocks(sys.argv[1] + '/perception.yaml')
text = '{"recording": "x", "nodes": ["height"], "left_out": {}, "remappings": {}, "shared": {}, '
recording = RecordingPlan.from_json(text + '"own": {}, "frame_id": ""}')
inputs = LaunchInputs(request, blocks, recording)
make_rviz_config(yaml.safe_load(open(sys.argv[1] + '/rviz/perception.rviz')), inputs)
print(make_launch_plan(inputs).nodes[0].executable)
"""


def run_hidden(code: str) -> subprocess.CompletedProcess:
    config = str(LAUNCH_FILE.parents[1] / 'config')
    return subprocess.run(
        [sys.executable, '-c', HIDING + code, config], capture_output=True, text=True, check=False
    )


def test_everything_is_decided_without_numpy_rclpy_and_runtimes():
    done = run_hidden(PLANNING)
    assert (done.stdout, done.stderr) == ('perception_graph\n', '')


@pytest.mark.parametrize('module', ['numpy', 'rosbags.highlevel', 'cv2'])
def test_hidden_modules_are_missing(module):
    done = run_hidden(f'import {module}')
    assert 'ModuleNotFoundError' in done.stderr
