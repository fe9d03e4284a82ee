"""What the manifest says about pictures and cameras."""

import numpy as np
import pytest
import yaml
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.inference.golden import GOLDEN_NAME
from rs_ml_perception.inference.manifest import Tolerance
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_training.export.artifact import ExportedArtifact
from rs_ml_training.export.manifest import GoldenOutputs, training_camera, write_manifest
from rs_ml_training.export.serving import serving_of
from rs_ml_training.tasks.task import ServingOptions
from rs_ml_training.trained import ModelSpec

CAMERA = CameraModel(320, 240, 260.0, 260.0, 159.5, 119.5)


@pytest.mark.parametrize(
    ('values', 'size', 'expected'),
    [
        ({}, (320, 240), None),
        (
            {'intrinsics': CAMERA},
            (320, 240),
            {'width': 320, 'height': 240, 'fx': 260, 'fy': 260, 'cx': 159.5, 'cy': 119.5},
        ),
        (
            {'intrinsics': CAMERA},
            (160, 240),
            {'width': 160, 'height': 240, 'fx': 130, 'fy': 260, 'cx': 79.5, 'cy': 119.5},
        ),
        (  # trained on crops: another size sees another part, not another scale
            {'intrinsics': CAMERA, 'cropped': True},
            (160, 240),
            {'width': 160, 'height': 240, 'fx': 260, 'fy': 260, 'cx': 79.5, 'cy': 119.5},
        ),
        (  # the network sees the lower right quarter of pictures twice as large
            {'intrinsics': CAMERA, 'crop': (0.5, 0.5, 0.5, 0.5)},
            (320, 240),
            {'width': 640, 'height': 480, 'fx': 260, 'fy': 260, 'cx': 479.5, 'cy': 359.5},
        ),
        (
            {'reference_focal_px': 715.0873},
            (320, 240),
            {
                'width': 320,
                'height': 240,
                'fx': 715.0873,
                'fy': 715.0873,
                'cx': 159.5,
                'cy': 119.5,
            },
        ),
    ],
)
def test_training_camera(values, size, expected):
    assert training_camera(ModelSpec('depth', 'toy', (320, 240), **values), size) == expected


@pytest.mark.parametrize(
    ('task', 'spec', 'options', 'expected'),
    [
        (
            'depth',
            {'crop': (0.0, 0.25, 1.0, 0.5)},
            {},
            {
                'task': 'mono_depth',
                'decoder': 'depth',
                'depth': {'unit': 'm', 'range_m': [0.3, 10.0]},
                'license': 'none stated, internal use only',
            },
        ),
        (
            'segmentation',
            {'labels': tuple('abcde'), 'license': 'CC-BY-4.0'},
            {},
            {'decoder': 'class_map', 'labels': 'labels.txt', 'license': 'CC-BY-4.0'},
        ),
        ('segmentation', {}, {'scores': True}, {'decoder': 'softmax'}),
        ('denoise', {}, {}, {'task': 'denoise', 'decoder': 'depth'}),
        (
            'denoise',
            {},
            {'confidence_threshold': 0.4},
            {'decoder_options': {'confidence_threshold': 0.4}},
        ),
        (
            'detection',
            {},
            {},
            {'decoder': 'centernet', 'thresholds': {'score': 0.3, 'iou': 0.5}},
        ),
        ('detection', {}, {'score_threshold': 0.4}, {'thresholds': {'score': 0.4, 'iou': 0.5}}),
    ],
)
def test_manifest(toy, tmp_path, task, spec, options, expected):
    trained = toy(task, **spec)
    serving = serving_of(trained, ServingOptions(**options))
    for name in ('model.xml', 'model.bin', GOLDEN_NAME):
        (tmp_path / name).write_bytes(name.encode())
    artifact = ExportedArtifact('openvino', 'model.xml', ('model.bin',), {'image': 'x'})
    write_manifest(
        tmp_path,
        trained.spec,
        serving,
        [artifact],
        name='n',
        version='2',
        golden=GoldenOutputs(
            'a room',
            {name: np.zeros((1, 2), np.float32) for name in serving.outputs},
            {name: Tolerance('relative', {'float32': 1}) for name in serving.outputs},
        ),
    )
    values = yaml.safe_load((tmp_path / 'manifest.yaml').read_text())
    assert values | expected == values
    assert values['outputs'] == {
        name: {'tensor': name, 'shape': [1, 2], 'dtype': 'float32'} for name in serving.outputs
    }
    assert values['golden']['picture'] == 'a room'
    assert read_manifest(tmp_path).golden.tolerance.keys() == set(serving.outputs)
    assert [row['size'] for row in values['input']] == [[64, 48]] * len(serving.inputs)
    assert values['input'][0].get('crop') == (list(spec['crop']) if 'crop' in spec else None)
    assert values['input'][0]['resize'] == ('crop' if 'crop' in spec else 'stretch')
    if 'labels' in spec:
        assert (tmp_path / 'labels.txt').read_text().split() == list(spec['labels'])


@pytest.mark.parametrize('name', ['confidence_threshold', 'score_threshold'])
@pytest.mark.parametrize('threshold', [-0.1, 1.5])
def test_a_threshold_beyond_0_to_1_is_refused(name, threshold):
    with pytest.raises(ConfigError, match=rf'{name} must lie in \[0, 1\], got {threshold}'):
        ServingOptions(**{name: threshold})
