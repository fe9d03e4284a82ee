"""All ways to read and train do the same work, and each has a row."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError

pytest.importorskip('keras')

from benchmarks.training import comparisons, datasets, published, workloads
from benchmarks.training.__main__ import main
from benchmarks.training.comparisons import compare, parse_sections
from benchmarks.training.workloads import count_images

SIZE = (64, 48)
TINY = {
    'rounds': 1,
    'images': 4,
    'frames': 1,
    'image_size': SIZE,
    'frame_size': SIZE,
    'fastdepth_size': (32, 32),
    'bts_size': (32, 32),
    'tile': 32,
    'batch': 2,
}


@pytest.fixture
def pairs(tmp_path):
    return datasets.write_pairs(tmp_path / 'pairs', 5, SIZE, None)


@pytest.fixture
def tiles(tmp_path):
    return datasets.write_tile_files(tmp_path / 'denoise', 1, SIZE, 32)


@pytest.fixture
def workload(request, pairs, tiles):
    if request.param == 'denoise':
        return workloads.denoise_workload(tiles, 32, 2)
    makers = {'fastdepth': workloads.fastdepth_workload, 'bts': workloads.bts_workload}
    return makers[request.param](pairs, (32, 32), 2)


@pytest.mark.parametrize('workload', ['fastdepth', 'bts', 'denoise'], indirect=True)
def test_all_ways_deliver_the_same_shapes(workload, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        ways = workloads.reading_epochs(workload, tmp_path / 'shards', pool, 2)
        found = {name: [_shapes(batch) for batch in epoch()] for name, epoch in ways.items()}
    wanted = found['published script, 1 thread']
    assert len(wanted) == len(workload.reader) // 2
    assert found == dict.fromkeys(found, wanted)
    assert len(found) >= 5


@pytest.mark.parametrize('index', [0, 4])
def test_scripts_read_the_same_as_the_reader(pairs, index):
    reader, files = pairs
    depth_m = published.read_depth_m(files[index][1])
    np.testing.assert_allclose(depth_m, reader.read(index).depth_m, atol=1e-6)
    assert files[index][0].stem == reader.name(index)


def test_tiles_of_a_script_are_those_of_the_reader(tiles):
    reader, files = tiles
    (inputs, targets), *rest = published.denoise_blocks(files, len(files))
    truth = np.stack([reader.read(i).depth_m for i in range(len(reader))])
    assert not rest
    # The script's normalisation is linear, and the reader sorts by number.
    order = [[f[2].stem for f in files].index(f'gt-{reader.name(i)}') for i in range(len(reader))]
    scaled = targets['depth_m'][order, ..., 0]
    assert np.corrcoef(scaled.ravel(), truth.ravel())[0, 1] == pytest.approx(1)
    assert inputs['infrared'].shape == inputs['depth_m'].shape


@pytest.mark.parametrize(
    ('count', 'batch', 'images'), [(0, 2, 0), (1, 2, 0), (4, 2, 4), (5, 2, 4)]
)
def test_scripts_skip_incomplete_batches(pairs, count, batch, images):
    files, rng = pairs[1][:count], np.random.default_rng(0)
    load = published.fastdepth_pair
    epoch = partial(published.read_batches, files, load, (16, 16), batch, rng)
    assert count_images(epoch) == images


def test_blocks_are_normalised_by_themselves(tiles):
    files = tiles[1]
    whole = [batch[1]['depth_m'] for batch in published.denoise_blocks(files, 2)]
    blocks = [batch[1]['depth_m'] for batch in published.denoise_blocks(files, 2, block=2)]
    assert len(whole) == len(blocks) == 2
    assert not np.allclose(whole[0], blocks[0])


def test_every_way_has_a_row(tmp_path, capsys, monkeypatch):
    options = comparisons.TrainingOptions(sections=('reading',), **TINY)
    book = comparisons.run_comparisons(options)
    lines = comparisons.format_table(book).splitlines()
    for row in book['rows']:
        assert sum(line.strip().startswith(f'{row["name"]}  ') for line in lines) == 3
        assert row['images_per_s'] > 0
    firsts = [row for row in book['rows'] if row['name'].startswith('published')]
    assert [row['ratio'] for row in firsts] == [1, 1, 1]
    comparisons.save(book, tmp_path / 'bench.json')
    assert json.loads((tmp_path / 'bench.json').read_text()) == book


def test_all_ways_of_training_train(pairs):
    class Counting:
        def __init__(self):
            self.images = 0

        def train_on_batch(self, inputs, targets):
            self.images += len(inputs['image'])

        def fit(self, sequence, **_):
            for i in range(len(sequence)):
                self.train_on_batch(*sequence[i])

    workload = workloads.fastdepth_workload(workloads.repeated(pairs, 2), (32, 32), 2)
    model = Counting()
    for name, work in workloads.training_epochs(workload, model, 2).items():
        before = model.images
        assert (work(), model.images - before) == (10, 10), name


def test_the_trained_network_has_the_given_size():
    model = workloads.trainee((32, 32))
    assert model.network.input['image'].shape == (None, 32, 32, 3)


@pytest.mark.parametrize(('is_warm', 'expected'), [(False, 'ababba'), (True, 'abba')])
def test_works_alternate_in_both_orders(is_warm, expected):
    order = []
    ways = {name: (lambda name=name: order.append(name) or 1) for name in 'ab'}
    rows = compare('title', ways, 2, is_warm=is_warm)
    assert ''.join(order) == expected
    assert [(row.section, row.name) for row in rows] == [('title', 'a'), ('title', 'b')]
    assert rows[0].ratio == 1


@pytest.mark.parametrize(
    ('call', 'complaint'),
    [
        (lambda: compare('title', {}, 0), 'got 0'),
        (lambda: parse_sections(['reeding']), "no section 'reeding'"),
    ],
)
def test_invalid_arguments_are_rejected(call, complaint):
    with pytest.raises(ConfigError, match=complaint):
        call()


def test_a_comparison_of_nothing_has_no_rows():
    assert compare('title', {}, 1) == []


def test_no_real_pictures_there(tmp_path, capsys):
    assert main(['--data', str(tmp_path), '--only', 'reading']) == 2
    assert 'holds no rgb/' in capsys.readouterr().err


def test_real_pictures(tmp_path, data_file):
    folder = data_file('nyu_v2')
    reader, files = datasets.write_pairs(tmp_path / 'pairs', 2, SIZE, folder.parent)
    assert len(reader) == len(files) == 2
    assert reader.read(0).size == (640, 480)


def _shapes(batch):
    return [{name: tuple(np.shape(a)) for name, a in arrays.items()} for arrays in _same(batch)]


def _same(batch):
    """Without targets that the published denoiser lacks."""
    inputs, targets = batch
    return inputs, {'depth_m': targets['depth_m']}
