"""How golden outputs are recorded, read and judged."""

import pickle
import shutil
import zipfile

import cv2
import numpy as np
import pytest
import yaml
from rs_ml_perception.core.errors import InputError, ModelError
from rs_ml_perception.core.files import file_sha256
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.inference.golden import (
    picture_inputs,
    read_arrays,
    require_golden,
    verify_golden,
    write_golden,
)
from rs_ml_perception.inference.golden_recording import record_golden
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.output_errors import judged_outputs
from rs_ml_perception.inference.preprocess import InputSpec
from rs_ml_perception.tasks.options import ModelOptions

RGB = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
FRAME = Frame(
    rgb=RGB,
    depth=DepthImage(np.full((24, 32), 1500, np.uint16), 0.001),
    infrared=np.full((24, 32), 80, np.uint8),
)
COMMENT = '# The graph takes any size'
OLD_TOLERANCE = {'float32': 0.001}


@pytest.fixture
def folder(manifest_of, tmp_path):
    """A model directory of our own; its weights are those of the test data."""
    return shutil.copytree(manifest_of('centernet_mnv3_coco').directory, tmp_path / 'model')


def edited(folder, **changes):
    """The golden section with changes."""
    path = folder / 'manifest.yaml'
    values = yaml.safe_load(path.read_text())
    values['golden'] |= changes
    path.write_text(yaml.safe_dump(values))


@pytest.mark.parametrize(
    ('spec', 'shape', 'value'),
    [
        (InputSpec('image', (32, 24)), (1, 24, 32, 3), None),
        (InputSpec('image'), (1, 48, 64, 3), None),
        (InputSpec('x', (32, 24), layout='NCHW', dtype='float32'), (1, 3, 24, 32), None),
        (InputSpec('raw_depth', (8, 6), dtype='float32', color='GRAY'), (1, 6, 8, 1), 1.5),
        (InputSpec('infrared', (8, 6), color='GRAY'), (1, 6, 8, 1), 80),
    ],
)
def test_inputs_are_made_as_a_task_makes_them(spec, shape, value):
    (array,) = picture_inputs([spec], FRAME, model='m').values()
    assert (array.shape, array.dtype) == (shape, spec.dtype)
    assert value is None or np.allclose(array, value)


def test_missing_images_are_named():
    with pytest.raises(InputError, match="m: its input 'depth' needs depth, which the image"):
        picture_inputs([InputSpec('depth', dtype='float32')], Frame(rgb=RGB), model='m')


@pytest.mark.parametrize(
    ('output', 'error'),
    [
        (np.random.default_rng(1).uniform(2, 9, (1, 480, 640, 1)).astype(np.float32), 7 / 2**13),
        (np.full((1, 4, 4, 1), 3.1, np.float32), 0),
        (np.arange(16, dtype=np.int64).reshape(1, 4, 4), 0),
        (np.float32([[0, 7, 3, 1, 5, 3]]), 0),
        (np.zeros((1, 0), np.float32), 0),
    ],
)
def test_outputs_are_kept_to_a_fraction_of_their_range(tmp_path, output, error):
    path = tmp_path / 'golden.npz'
    write_golden(path, {'image': np.zeros(3, np.uint8)}, {'depth': output})
    with np.load(path) as archive:
        assert set(archive.files) == {'input/image', 'output/depth'}
        kept = archive['output/depth']
    assert np.abs(kept.astype(float) - output).max(initial=0) <= error * 1.01
    assert path.stat().st_size < 0.8 * output.nbytes + 1000


def test_a_recording_replaces_the_section_and_nothing_else(folder):
    with load_model(folder, backend='openvino') as model:
        path = record_golden(model, Frame(rgb=RGB), 'blocks.png')
    manifest = read_manifest(folder)
    assert COMMENT in (folder / 'manifest.yaml').read_text()
    assert manifest.golden.picture == 'blocks.png'
    assert manifest.golden.file.sha256 == file_sha256(path)
    assert manifest.golden.tolerance['scores'].limits == {'float32': 0.001, 'bfloat16': 0.15}
    with load_model(folder, backend='openvino') as model:
        assert verify_golden(model).is_reproduced
        require_golden(model)


def test_a_manifest_without_golden_outputs_gets_them(folder):
    path = folder / 'manifest.yaml'
    before = path.read_text().partition('golden:')[0].rstrip('\n')
    path.write_text(before)
    with load_model(folder, backend='openvino') as model:
        record_golden(model, Frame(rgb=RGB), 'blocks.png')
    tolerance = read_manifest(folder).golden.tolerance
    assert {n: (t.measure, t.limits['float32']) for n, t in tolerance.items()} == {
        'boxes': ('absolute', 0.01),
        'scores': ('absolute', 0.01),
    }


def test_another_network_is_refused_by_name(folder):
    """Boxes are all right, scores are not: each has its own tolerance."""
    tolerance = yaml.safe_load((folder / 'manifest.yaml').read_text())['golden']['tolerance']
    edited(folder, tolerance={**tolerance, 'scores': {'measure': 'absolute', 'float32': 1e-9}})
    said = 'openvino in float32 does not reproduce .*boxes off .*scores off .*choose another'
    with pytest.raises(ModelError, match=f'centernet_mnv3_coco 1: {said}'):
        ModelOptions(str(folder), 'openvino').load()
    edited(folder, tolerance={n: {'measure': 'absolute', 'float16': 0} for n in tolerance})
    ModelOptions(str(folder), 'openvino').load().close()  # nobody says what is allowed


@pytest.mark.parametrize(
    ('tolerance', 'said'),
    [
        (OLD_TOLERANCE, 'one tolerance for all .*check .*model --record-golden PICTURE'),
        ({'boxes': {'measure': 'absolute'}}, r"must name \['boxes', 'scores'\], got \['boxes'\]"),
        (
            {n: {'measure': 'taste'} for n in ('boxes', 'scores')},
            "measure must be one of .*'taste'",
        ),
        ({n: {'measure': 'absolute', 'f32': 1} for n in ('boxes', 'scores')}, 'unknown key'),
    ],
)
def test_wrong_tolerances_are_refused(folder, tolerance, said):
    edited(folder, tolerance=tolerance)
    with pytest.raises(ModelError, match=said):
        ModelOptions(str(folder), 'openvino').load()


def test_an_old_recording_can_be_made_again(folder):
    edited(folder, tolerance=OLD_TOLERANCE)
    with load_model(folder, backend='openvino') as model:
        assert model.manifest.golden.tolerance == {}
        record_golden(model, Frame(rgb=RGB), 'blocks.png')
    with ModelOptions(str(folder), 'openvino').load() as model:
        assert set(model.manifest.golden.tolerance) == judged_outputs(model.manifest.outputs)


@pytest.mark.parametrize('part', ['input/image_tensor', 'output/boxes'])
def test_a_file_that_does_not_fit_the_manifest(folder, part):
    with np.load(folder / 'golden.npz') as archive:
        arrays = {name: archive[name] for name in archive.files if name != part}
    np.savez(folder / 'golden.npz', **arrays)
    edited(folder, sha256=file_sha256(folder / 'golden.npz'))
    with pytest.raises(ModelError, match=r'golden\.npz holds (in|out)puts .*the model has'):
        ModelOptions(str(folder), 'openvino').load()


def test_an_image_file_suffices(folder, tmp_path):
    from rs_ml_perception.recordings.inputs import example_frame

    path = tmp_path / 'picture.png'
    assert cv2.imwrite(str(path), RGB[..., ::-1])
    np.testing.assert_array_equal(example_frame(path).rgb, RGB)


def test_a_recording_gives_colour_depth_and_infrared():
    from rs_ml_perception.recordings.inputs import example_frame
    from rs_ml_perception.recordings.open_recording import shipped_recording

    frame = example_frame(shipped_recording())
    assert all(part is not None for part in (frame.rgb, frame.depth, frame.infrared))


def packed(path, name, data):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return path


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }"


@pytest.mark.parametrize(
    ('name', 'data', 'said'),
    [
        ('a.npy', bytes(1001), 'unpacks to 1001 bytes, at most 1000'),
        ('a.npy', b'no array', 'a is none'),
        ('a.npy', b'\x93NUMPY\x01\0\x76\0' + HUGE.ljust(117).encode() + b'\n', 'damaged'),
        ('a.npy', pickle.dumps(print), 'is none'),
    ],
)
def test_untrusted_arrays(tmp_path, monkeypatch, name, data, said):
    monkeypatch.setattr('rs_ml_perception.inference.golden.MAX_GOLDEN_BYTES', 1000)
    with pytest.raises(ModelError, match=said):
        read_arrays(packed(tmp_path / 'golden.npz', name, data))


def test_other_files_than_archives(tmp_path):
    (tmp_path / 'golden.npz').write_bytes(b'text')
    with pytest.raises(ModelError, match=r'is no \.npz of arrays'):
        read_arrays(tmp_path / 'golden.npz')
