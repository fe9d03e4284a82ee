"""Several data sets in one file."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.data.augment.presets import preset
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.mix import formats_of
from rs_ml_training.data.sample_codec import pack, unpack


@pytest.fixture
def mix(tmp_path):
    """Entries -> the opened mix."""

    def open_entries(entries):
        file = tmp_path / 'mix.yaml'
        file.write_text(entries if isinstance(entries, str) else yaml.safe_dump(entries))
        return open_data(f'mix:{file}')

    return open_entries


def test_lists_options_and_repetition(mix, miniature, tmp_path):
    path = miniature('nyu-labelled')
    (tmp_path / 'two.txt').write_text('0002\n0003\n')
    reader = mix(
        [
            {'source': f'nyu-rgbd:{path}', 'list_file': 'two.txt', 'classes': 'indoor'},
            {'source': f'nyu-rgbd:{path}', 'classes': 'indoor', 'repeat': 2},
        ]
    )
    assert len(reader) == 2 + 2 * 6
    assert len(reader.labels) == 14
    assert reader.read(13).name == reader.name(7) == '0012'
    assert reader.scene(2) == reader.scene(8)
    assert reader.scene(0) != reader.scene(2)


@pytest.mark.parametrize(
    ('entries', 'expected'),
    [
        (None, ('camvid',)),
        ([{'source': 'camvid:a'}], ('camvid',)),
        ([{'source': 'yolo:a'}, {'source': 'coco:b'}, {'source': 'yolo:c'}], ('yolo', 'coco')),
    ],
)
def test_formats(entries, expected, tmp_path):
    file = tmp_path / 'mix.yaml'
    file.write_text(yaml.safe_dump(entries))
    assert formats_of(f'mix:{file}' if entries else 'camvid:x') == expected


def test_another_focal_length(mix, miniature):
    source = f'nyu-labelled:{miniature("nyu-labelled")}'
    reader = mix([{'source': source}, {'source': source, 'focal_px': 100.0}])
    before, after = reader.read(0), reader.read(6)
    assert after.intrinsics.fx == pytest.approx(100.0)
    ratio = 100.0 / before.intrinsics.fx
    assert after.depth_m.max() == pytest.approx(ratio * before.depth_m.max())


def test_a_list_in_the_folder_of_the_data(mix, miniature):
    path = miniature('nyu-labelled')
    assert len(mix([{'source': f'nyu-labelled:{path}', 'list_file': 'val.txt'}])) == 1


@pytest.mark.parametrize(
    'entries',
    [
        '',
        '[]',
        'a: {',
        'source: camvid:x',
        '- camvid:x',
        '- {path: x}',
        '- {source: "camvid:x", repeat: 0}',
    ],
)
def test_files_that_are_no_list(mix, entries):
    with pytest.raises(ConfigError, match=r'mix\.yaml'):
        mix(entries)


def test_classes_must_agree(mix, miniature):
    entries = [{'source': f'camvid:{miniature("camvid") / "val"}'}]
    entries += [{'source': f'nyu-labelled:{miniature("nyu-labelled")}'}]
    with pytest.raises(InputError, match='different classes'):
        mix(entries)


def test_classes_that_one_of_them_does_not_mark(mix, miniature):
    """A class that stands for nothing is there, but unmarked; augmentation keeps that in mind."""
    path = miniature('yolo')
    names = open_data(f'yolo:{path}').labels
    only = {names[0]: names[0]} | {name: [] for name in names[1:]}
    entries = [{'source': f'yolo:{path}'}, {'source': f'yolo:{path}', 'classes': only}]
    reader = mix(yaml.safe_dump(entries, sort_keys=False))
    assert reader.labels == names
    whole, part = reader.read(0), reader.read(len(reader) // 2)
    assert (whole.marked, part.marked) == (None, (0,))
    assert set(part.boxes.class_ids.tolist()) <= {0}
    assert unpack(pack(part)).marked == (0,)
    changed = preset('detection-mixed', (64, 32), cutouts=reader)
    for seed in range(6):
        assert changed(part, np.random.default_rng(seed)).marked == (0,)
