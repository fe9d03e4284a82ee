"""Layers of the training package, and what it shares with the robot side."""

from pathlib import Path

import pytest

import rs_ml_training
from tools.structure import (
    Layer,
    Module,
    circles,
    import_graph,
    imports,
    lonely_modules,
    modules_of,
    mutual_folders,
    offences,
    too_long,
)

PACKAGE = Path(rs_ml_training.__file__).parent
ROOT = PACKAGE.parents[2]
MODULES = modules_of('rs_ml_training', ROOT)
GRAPH = import_graph(MODULES)
CORE, INFERENCE, RECORDINGS = (
    f'rs_ml_perception.{folder}' for folder in ('core', 'inference', 'recordings')
)

LAYERS = {
    'data': Layer.of(
        'data',
        {CORE, INFERENCE, RECORDINGS, 'keras', 'yaml', 'tensorflow_datasets'},
        {'PIL', 'h5py', 'tensorflow'},
    ),
    'networks': Layer.of(
        'data networks', {CORE, 'h5py', 'keras'}, {'ai_edge_litert', 'onnx', 'tensorflow'}
    ),
    'losses': Layer.of('data losses', {CORE, 'keras'}),
    'metrics': Layer.of('data metrics', {CORE}),
    'synth': Layer.of('data synth', {CORE, RECORDINGS, 'yaml'}, {'embreex'}),
    'labelling': Layer.of('labelling', {CORE}),
    'prediction': Layer.of('data metrics networks prediction', {CORE, RECORDINGS}, {'keras'}),
    'teaching': Layer.of('data metrics prediction teaching', {CORE, INFERENCE}, {'tensorflow'}),
    'tasks': Layer.of(
        'data networks losses metrics prediction teaching tasks',
        {CORE},
        {'keras', 'tensorflow', 'yaml'},
    ),
    'evaluation': Layer.of('data metrics prediction tasks evaluation', {CORE}, {'matplotlib'}),
    'export': Layer.of(
        'data prediction tasks export',
        {CORE, INFERENCE, 'yaml'},
        {RECORDINGS, 'ai_edge_litert', 'keras', 'onnx', 'onnxruntime', 'openvino', 'tensorflow',
         'tf2onnx'},
    ),
    'training': Layer.of(
        'data networks tasks training',
        {CORE, INFERENCE, 'keras', 'yaml'},
        {'jax', 'matplotlib', 'optuna', 'tensorboard', 'tensorflow'},
    ),
    'cli': Layer.of(' '.join(p.name for p in PACKAGE.iterdir()), {CORE, INFERENCE}),
}  # fmt: skip


def modules(folder: str) -> list[Module]:
    """Modules of one folder and those inside of it."""
    prefix = f'rs_ml_training.{folder}'
    return [m for m in MODULES if m.name == prefix or m.name.startswith(f'{prefix}.')]


def test_there_is_a_rule_for_every_folder():
    folders = {p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.glob('*.py'))}
    assert folders == set(LAYERS)


@pytest.mark.parametrize(
    ('folder', 'source', 'expected'),
    [
        ('data', '', []),
        ('data', 'from rs_ml_perception.core.errors import InputError', []),
        ('data', 'from rs_ml_perception.ros import node', ['rs_ml_perception.ros.node']),
        ('data', 'from rs_ml_training.tasks import task', ['rs_ml_training.tasks.task']),
        ('data', 'from rs_ml_training.trained import load', []),
        ('metrics', 'def f():\n    import keras', ['keras']),
        ('tasks', 'import rs_ml_training.training.session', ['rs_ml_training.training.session']),
        ('export', 'import tensorflow', ['tensorflow']),
        ('export', 'def f():\n    import tensorflow', []),
        ('cli', 'from rs_ml_perception.cli import main', ['rs_ml_perception.cli.main']),
        ('cli', 'import benchmarks.training', ['benchmarks.training']),
    ],
)
def test_the_rules_bite(folder, source, expected):
    assert offences(PACKAGE, source, LAYERS[folder]) == expected


@pytest.mark.parametrize('folder', LAYERS)
def test_layers_import_only_to_the_left(folder):
    found = {m.name: offences(PACKAGE, m.source, LAYERS[folder]) for m in modules(folder)}
    assert {name: names for name, names in found.items() if names} == {}


def test_only_ros_free_modules_of_the_robot_side_are_imported():
    shared = {CORE, INFERENCE, RECORDINGS}
    names = {name for module in MODULES for name, _ in imports(module.tree)}
    robot = {'.'.join(n.split('.')[:2]) for n in names if n.startswith('rs_ml_perception')}
    assert robot == shared
    assert not {name for name in names if name.startswith('benchmarks')}


def test_the_robot_side_never_imports_training():
    names = [n for m in modules_of('rs_ml_perception', ROOT) for n, _ in imports(m.tree)]
    assert not [name for name in names if name.split('.')[0] == 'rs_ml_training']


def test_modules_and_functions_stay_small():
    assert too_long(MODULES) == []


def test_no_circle_of_imports():
    assert circles(GRAPH) == []


@pytest.mark.parametrize('depth', [1, 2])
def test_no_two_folders_import_each_other(depth):
    assert mutual_folders(GRAPH, depth) == []


def test_a_small_module_has_several_users():
    assert lonely_modules(MODULES, GRAPH) == []


def test_no_module_is_called_utils():
    assert [m.name for m in MODULES if m.path.stem.startswith('util')] == []
