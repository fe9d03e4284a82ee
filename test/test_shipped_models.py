"""What comes with the package works without anything else: models, recording."""

import subprocess
from pathlib import Path

import pytest
from rs_ml_perception.inference.golden import verify_golden
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.model import load_model
from rs_ml_perception.inference.shelf import DEFAULT_MODELS, SHIPPED_MODELS, find_model, locate
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.shipped import shipped_recording

PROJECT = Path(__file__).resolve().parent.parent / 'rs_ml_perception'
MOST_MB, MOST_RECORDING_MB = 30, 6


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch):
    """Neither test data nor models of others."""
    for name in ('RS_ML_TEST_DATA', 'RS_ML_MODEL_PATH'):
        monkeypatch.delenv(name, raising=False)


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file()) / 1e6


def test_the_models_folder_holds_these_and_no_others():
    folders = {path.name for path in (PROJECT / 'models').iterdir() if path.is_dir()}
    assert folders == set(SHIPPED_MODELS)
    assert megabytes(PROJECT / 'models') < MOST_MB


@pytest.mark.parametrize('name', SHIPPED_MODELS)
def test_a_model_directory_is_whole(name):
    manifest = read_manifest(find_model(name))
    assert manifest.directory == PROJECT / 'models' / name
    assert manifest.name == name
    assert manifest.license
    (artifact,) = manifest.artifacts
    named = {locate(manifest, file).name for file in (artifact.file, manifest.golden.file)}
    others = {'manifest.yaml', 'README.md', 'LICENSE', 'labels.txt'}
    assert {path.name for path in manifest.directory.iterdir()} <= named | others
    card = (manifest.directory / 'README.md').read_text()
    for part in ('## Accuracy', '## Data and licence', 'rs-ml-train ', 'rs-ml-export '):
        assert part in card
    assert '/work' not in card
    if manifest.license != 'Apache-2.0':
        assert manifest.license in (manifest.directory / 'LICENSE').read_text()


@pytest.mark.parametrize('backend', ['litert', 'openvino'])
@pytest.mark.parametrize('name', SHIPPED_MODELS)
def test_runtimes_reproduce_the_golden_output(name, backend):
    pytest.importorskip({'litert': 'ai_edge_litert'}.get(backend, backend))
    with load_model(name, backend=backend) as model:
        assert verify_golden(model).is_reproduced


def test_nodes_take_them_by_default():
    assert set(DEFAULT_MODELS.values()) <= set(SHIPPED_MODELS)
    pytest.importorskip('rclpy')
    defaults = {getattr(n.node_class().parameters_type(), 'model', None) for n in NODES.values()}
    assert defaults - {None} == set(DEFAULT_MODELS.values())


def test_the_recording_is_small_and_has_what_every_node_needs():
    path = shipped_recording()
    assert path == PROJECT / 'recordings' / 'synthetic_room'
    assert megabytes(path) < MOST_RECORDING_MB
    with open_recording(path) as recording:
        topics = camera_topics(recording)
        first = next(frames(recording))
    assert all((topics.color, topics.depth, topics.infra, topics.accel))
    assert first.rgb is not None
    assert first.depth is not None


def test_git_keeps_every_file_of_them():
    """What .gitignore hid would be missing in a clone."""
    shipped = ['git', 'ls-files', '--others', '--ignored', '--exclude-standard', '--']
    done = subprocess.run(
        [*shipped, 'models', 'recordings'], cwd=PROJECT, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip('not a git checkout')
    assert done.stdout == ''
