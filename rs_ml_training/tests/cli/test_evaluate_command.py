"""rs-ml-evaluate from end to end, and what it says to wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rs_ml_training.cli import predict
from rs_ml_training.cli.evaluate import main
from rs_ml_training.data.formats import open_data
from rs_ml_training.metrics.depth import DepthMetrics
from rs_ml_training.prediction.predictor import PredictOptions
from rs_ml_training.tasks.registry import predictor_of

pytestmark = pytest.mark.usefixtures('kept_networks')

DATA = {
    'depth': 'nyu-labelled',
    'segmentation': 'camvid',
    'denoise': 'intel-denoise',
    'detection': 'nyu-labelled',
}
METRICS = {
    'depth': 'silog abs_rel log10 rms sq_rel log_rms d1 d2 d3',
    'segmentation': 'miou dice pixel_accuracy iou_Sky',
    'denoise': 'rmse_m mae_m coverage hole_coverage removed plane_rms_m',
    'detection': 'ap50 ap50_95 ap50_person',
}


def _source(task: str, miniature) -> str:
    path = miniature(DATA[task])
    return f'{DATA[task]}:{path / "train" if DATA[task] == "camvid" else path}'


def _run(*words) -> int:
    return main([str(word) for word in words])


@pytest.mark.parametrize(
    'task',
    ['depth', 'segmentation', 'denoise', pytest.param('detection', marks=pytest.mark.slow)],
)
def test_a_network_is_measured(task, random_run, miniature, tmp_path, capsys) -> None:
    json_file = tmp_path / 'figures.json'
    words = ['--data', _source(task, miniature), '--batch-size', 2, '--json', json_file]
    assert _run(task, '--model', random_run(task), *words, '--limit', 3, '--worst', 1) == 0
    found = json.loads(json_file.read_text())
    assert (found['task'], found['count']) == (task, 3 if task != 'denoise' else found['count'])
    assert set(METRICS[task].split()) <= set(found['metrics'])
    assert found['seconds_per_image'] > 0
    table = capsys.readouterr().out
    assert all(name in table for name in METRICS[task].split())


def test_predictions_in_files_give_the_same_figures(random_run, miniature, tmp_path) -> None:
    source, out = _source('depth', miniature), tmp_path / 'out'
    run = str(random_run('depth'))
    assert predict.main([run, source, '--out', str(out), '--depth-encoding', 'kitti']) == 0
    figures = []
    for subject in (('--model', run), ('--predictions', out, '--encoding', 'kitti')):
        json_file = tmp_path / f'{len(figures)}.json'
        assert _run('depth', *subject, '--data', source, '--json', json_file) == 0
        figures.append(json.loads(json_file.read_text())['metrics'])
    # Files hold steps of 4 mm.
    assert figures[1] == pytest.approx(figures[0], rel=0.01, abs=0.004)


def test_the_truth_itself_as_masks_is_perfect(miniature, tmp_path, capsys) -> None:
    path = miniature('camvid') / 'train'
    words = ('--predictions', path / 'gt', '--data', f'camvid:{path}')
    assert _run('segmentation', *words, '--json', tmp_path / 'a.json') == 0
    metrics = json.loads((tmp_path / 'a.json').read_text())['metrics']
    assert (metrics['miou'], metrics['coverage']) == (1.0, 1.0)


def test_detections_in_a_file(miniature, tmp_path) -> None:
    path = miniature('nyu-labelled')
    names = [p.stem for p in sorted((path / 'rgb').iterdir())]
    person = {'label': 'person', 'score': 0.9, 'box': [32, 0, 48, 48]}
    lines = [{'image': n, 'detections': [person] if n == '0003' else []} for n in names]
    (tmp_path / 'results.jsonl').write_text('\n'.join(map(json.dumps, lines)))
    words = ('--predictions', tmp_path, '--data', f'nyu-labelled:{path}')
    assert _run('detection', *words, '--json', tmp_path / 'a.json') == 0
    metrics = json.loads((tmp_path / 'a.json').read_text())['metrics']
    assert metrics['ap50_person'] == pytest.approx(1.0)


def test_raw_depth_is_a_baseline(miniature, tmp_path) -> None:
    source, json_file = _source('denoise', miniature), tmp_path / 'a.json'
    assert _run('denoise', '--baseline', '--data', source, '--json', json_file) == 0
    found = json.loads(json_file.read_text())
    assert found['model'] == 'raw depth'
    assert found['metrics']['removed'] == 0
    assert found['metrics']['hole_coverage'] in (0, None)


def test_kitti_is_judged_at_its_full_size(random_run, miniature, tmp_path, capsys) -> None:
    source, run = f'kitti-list:{miniature("kitti-list")}', random_run('depth')
    words = ('--data', source, '--limit', 1, '--json', tmp_path / 'a.json')
    assert _run('depth', '--model', run, *words) == 0
    out = capsys.readouterr().out
    assert 'crop garg, min_depth_m 0.001, max_depth_m 80.0, pooled False, kb_crop True' in out
    found = json.loads((tmp_path / 'a.json').read_text())['metrics']
    expected = _kitti_by_hand(source, run)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def _kitti_by_hand(source: str, run: Path) -> dict[str, float]:
    """Metrics of the first picture: the network sees the crop, Garg's part of the whole counts."""
    from rs_ml_training import trained

    sample = open_data(source, kb_crop=False).read(0)
    predictor = predictor_of(trained.load(run), PredictOptions(kb_crop=True))
    metrics = DepthMetrics(1e-3, 80.0, 'garg')
    metrics.update(sample.depth_m, predictor(sample).depth_m)
    return metrics.result()


def test_curves_of_trainings(tmp_path, capsys) -> None:
    pytest.importorskip('matplotlib')
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'history.csv').write_text('epoch,loss\n1,2.0\n2,1.0\n')
    assert _run('curves', tmp_path / 'a', tmp_path / 'b', '--out', tmp_path / 'c.png') == 0
    assert (tmp_path / 'c.png').stat().st_size > 1000
    assert _run('curves', tmp_path / 'x', '--out', tmp_path / 'd.png') == 2
    assert 'cannot be read' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['depth'], '--data is missing'),
        (['depth', '--data', '{data}'], 'one of --model, --predictions must be given'),
        (['denoise', '--data', '{data}'], '--baseline must be given, got none'),
        (['depth', '--data', '{data}', '--model', 'a', '--predictions', 'b'], '--model and'),
        (['depth', '--data', 'x:y', '--model', '{depth}'], "'x:y' is not FORMAT:PATH"),
        (['depth', '--data', 'camvid:nowhere', '--model', '{depth}'], 'nowhere does not exist'),
        (['depth', '--data', '{data}', '--model', 'nowhere'], 'model.yaml is missing'),
        (['segmentation', '--data', '{data}', '--model', '{depth}'], 'evaluate it as depth'),
        (['depth', '--data', '{data}', '--model', '{depth}', '--crop', 'x'], '--crop must be one'),
        (
            ['depth', '--data', '{data}', '--model', '{depth}', '--max-depth', '0.0005'],
            '--max-depth must be at least',
        ),
        (['depth', '--data', '{data}', '--predictions', '{empty}'], 'has no prediction for 0002'),
        (
            ['depth', '--data', '{data}', '--predictions', '{empty}', '--flip'],
            '--flip is for --model',
        ),
        (
            ['denoise', '--data', '{data}', '--baseline', '--min-confidence', '0.5'],
            '--min-confidence is for --model: it would change nothing of --baseline',
        ),
        (['depth', '--data', '{data}', '--model', '{depth}', '--json', 'no/a.json'], 'no is no'),
        (['denoise', '--data', '{data}', '--baseline'], '0002 has no measured depth'),
        (['segmentation', '--data', '{data}', '--model', '{segmentation}'], 'no class in common'),
    ],
)
def test_wrong_input_is_one_sentence(
    random_run, miniature, tmp_path, capsys, words, message
) -> None:
    places = {
        'data': f'nyu-labelled:{miniature("nyu-labelled")}',
        'depth': random_run('depth'),
        'segmentation': random_run('segmentation'),
        'empty': tmp_path,
    }
    assert _run(*(word.format(**places) for word in words)) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith('error: ')
    assert message in error
