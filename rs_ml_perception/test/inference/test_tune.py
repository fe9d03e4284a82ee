"""Tuning: only accurate combinations are eligible, and the best is stored."""

import json
from dataclasses import replace

import pytest
from rs_ml_perception.core.errors import BackendError, ModelError
from rs_ml_perception.inference.backends import BACKENDS
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.manifest import Tolerance
from rs_ml_perception.inference.tune import Trial, in_order, measure_in_turns, tune
from rs_ml_perception.inference.tuned import TunedChoice, recall, remember, tune_file

NAME = 'nyu_mobilenet_unet'


def test_the_fastest_faithful_choice_is_remembered(manifest_of):
    for backend in ('litert', 'openvino'):
        if not BACKENDS[backend].is_installed:
            pytest.skip(f'{backend} is not installed')
    manifest = manifest_of(NAME)
    trials = tune(manifest, runs=3)
    eligible = [t for t in trials if t.is_eligible]
    assert {t.choice.backend for t in eligible} >= {'litert', 'openvino'}
    assert all(t.error_ratio <= 1 for t in eligible)
    bf16 = [t for t in trials if t.choice.precision == 'bfloat16']
    assert bf16, 'bfloat16 is tried'
    assert all(t.is_eligible == (t.error_ratio <= 1) for t in bf16), (
        'and judged by the golden output, if the CPU has it'
    )
    assert all(t.choice.median_ms > 0 and t.choice.cpu_ms > 0 for t in eligible)
    assert recall(manifest) == eligible[0].choice


@pytest.mark.usefixtures('litert')
def test_load_model_takes_the_stored_choice(manifest_of):
    if not BACKENDS['openvino'].is_installed:
        pytest.skip('openvino is not installed')
    remember(manifest_of(NAME), TunedChoice('openvino', 1, 'float32', 1.0))
    assert load_model(NAME).backend_name == 'openvino'
    assert load_model(NAME, backend='litert').backend_name == 'litert'
    assert load_model('person_cat_dog_ssd_tflite').backend_name == 'litert'


def test_another_checksum_or_version_is_another_model(manifest_of):
    manifest = manifest_of(NAME)
    remember(manifest, TunedChoice('openvino', 1, 'float32', 1.0))
    file = replace(manifest.artifacts[0].file, sha256='0' * 64)
    changed = replace(manifest, artifacts=(replace(manifest.artifacts[0], file=file),))
    assert recall(manifest) is not None
    assert recall(changed) is None


@pytest.mark.parametrize('content', ['', 'nonsense', '[]', '{"a": 1}'])
def test_a_damaged_memory_is_no_memory(manifest_of, content):
    tune_file().parent.mkdir(parents=True)
    tune_file().write_text(content)
    manifest = manifest_of(NAME)
    assert recall(manifest) is None
    choice = TunedChoice('litert', 2, 'float32', 3.0)
    remember(manifest, choice)
    assert recall(manifest) == choice
    assert json.loads(tune_file().read_text())


def trial(name, wall_ms, cpu_ms=None, reason=''):
    return Trial(TunedChoice(name, 1, 'float32', wall_ms, cpu_ms), 0.1, reason)


@pytest.mark.parametrize(
    ('trials', 'expected'),
    [
        ([], ''),
        ([trial('a', 1.0, 1.0, 'not faithful'), trial('b', 5.0, 5.0)], 'ba'),
        ([trial('a', 3.0, 3.0), trial('b', 2.0, 4.0)], 'ba'),
        ([trial('a', 2.0, 4.0), trial('b', 2.1, 2.1), trial('c', 3.0, 1.0)], 'bac'),
        ([trial('a', 2.0, 4.0), trial('b', 2.3, 2.1)], 'ab'),
    ],
)
def test_of_similar_times_the_one_with_less_cpu_is_the_best(trials, expected):
    assert ''.join(t.choice.backend for t in in_order(trials)) == expected


class Recorder:
    """A model that notes its runs in a common list."""

    def __init__(self, name, log):
        self.name, self.log = name, log

    def __call__(self, inputs):
        self.log.append(self.name)


@pytest.mark.parametrize(('runs', 'order'), [(1, 'aabb'), (3, 'aaaabbbb'), (4, 'aaaabbbbbbaa')])
def test_candidates_take_turns(runs, order):
    log = []
    models = {name: Recorder(name, log) for name in 'ab'}
    measured = measure_in_turns(models, {}, runs)
    assert ''.join(log) == order
    assert all(wall_ms > 0 and cpu_ms >= 0 for wall_ms, cpu_ms in measured.values())


def test_nothing_faithful_is_an_error(manifest_of):
    manifest = manifest_of(NAME)
    impossible = {'depth': Tolerance('relative', {'float32': -1.0})}
    strict = replace(manifest, golden=replace(manifest.golden, tolerance=impossible))
    with pytest.raises(BackendError, match='nothing reproduces the golden outputs'):
        tune(strict, runs=1, threads=1)
    assert recall(manifest) is None


def test_without_golden_output_there_is_nothing_to_tune_by(manifest_of):
    with pytest.raises(ModelError, match='nothing to tune by'):
        tune(manifest_of('yolov8n'))
