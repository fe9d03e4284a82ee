"""`rs-ml models`: output and exit code."""

import json
import shutil

import pytest
from rs_ml_perception.cli.command import CommandParser
from rs_ml_perception.cli.main import main
from rs_ml_perception.cli.models_command import add_models


def rs_ml(*words):
    parser = CommandParser()
    add_models(parser.add_subparsers(required=True))
    args = parser.parse_args(['models', *words])
    return args.run(args)


def test_list_without_any_file(capsys, monkeypatch):
    monkeypatch.delenv('RS_ML_MODEL_PATH', raising=False)
    assert rs_ml('list', '--json') == 0
    rows = {row['name']: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows['yolov8n']['license'] == 'AGPL-3.0'
    assert 'set RS_ML_MODEL_PATH' in rows['yolov8n']['state']
    assert 'models download ssd_mobilenet_v2_coco' in rows['ssd_mobilenet_v2_coco']['state']


def test_list_with_files(capsys, model_files):
    assert rs_ml('list') == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines['nyu_mobilenet_unet'].split() == [
        'nyu_mobilenet_unet',
        'mono_depth',
        'tflite',
        'ready',
    ]


@pytest.mark.usefixtures('litert')
def test_check_compares_with_the_golden_output(capsys, model_files):
    assert rs_ml('check', 'person_cat_dog_ssd_tflite', '--backend', 'litert') == 0
    assert 'litert cpu float32: boxes off by 0.00' in capsys.readouterr().out


def test_check_of_a_model_without_golden_output(capsys, model_files):
    assert rs_ml('check', 'yolov8n') == 0
    assert 'it has no golden output' in capsys.readouterr().out


@pytest.mark.usefixtures('litert')
def test_check_refuses_inaccurate_models(capsys, manifest_of, tmp_path):
    folder = tmp_path / 'model'
    shutil.copytree(manifest_of('person_cat_dog_ssd_tflite').directory, folder)
    text = (folder / 'manifest.yaml').read_text()
    (folder / 'manifest.yaml').write_text(text.replace('float32: 0.001', 'float32: 1.0e-9'))
    assert rs_ml('check', str(folder)) == 1
    assert '(1e-09 is allowed): do not use this backend' in capsys.readouterr().err
    assert rs_ml('check', str(folder), '--record-golden') == 0
    assert 'golden.npz' in capsys.readouterr().out
    assert 'first frame of recordings/synthetic_room' in (folder / 'manifest.yaml').read_text()


@pytest.mark.usefixtures('litert')
def test_one_failure_does_not_stop_the_others(capsys, model_files):
    assert rs_ml('check', 'nothing', 'person_cat_dog_ssd_tflite') == 1
    output = capsys.readouterr()
    assert "no model 'nothing'" in output.err
    assert 'person_cat_dog_ssd_tflite' in output.out
    assert 'Traceback' not in output.err


@pytest.mark.usefixtures('litert')
def test_tune_prints_a_table_and_remembers(capsys, model_files, private_cache):
    assert rs_ml('tune', 'person_cat_dog_ssd_tflite', '--runs', '3', '--threads', '1') == 0
    assert 'saved litert' in capsys.readouterr().out
    assert (private_cache / 'tune.json').is_file()


def test_download_without_a_url(capsys, model_files, monkeypatch):
    monkeypatch.delenv('RS_ML_MODEL_PATH')
    assert rs_ml('download', 'yolov8n') == 1
    assert 'names no url' in capsys.readouterr().err


def test_download_of_present_files_fetches_nothing(capsys, model_files):
    assert rs_ml('download', 'deeplabv3_mnv2_pascal_quant') == 0
    assert str(model_files) in capsys.readouterr().out


@pytest.mark.parametrize('runs', ['0', '-3'])
def test_tuning_without_runs_is_a_usage_error(runs, capsys):
    assert main(['models', 'tune', 'detection', '--runs', runs]) == 2
    assert f'--runs must be at least 1, got {runs}' in capsys.readouterr().err
