"""Which samples are trained on and which validate."""

from __future__ import annotations

import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.tasks.options import TrainOptions, name_values
from rs_ml_training.training.spec import Joined, open_sources


def _names(reader) -> list[str]:
    return [reader.name(i) for i in range(len(reader))]


def test_the_lists_of_the_folder_are_its_split(miniature):
    training, validation = open_sources(
        TrainOptions(data=(f'nyu-labelled:{miniature("nyu-labelled")}',))
    )
    assert _names(training) == ['0002', '0003', '0004', '0009', '0010']
    assert _names(validation) == ['0012']


def test_the_folders_train_and_val_are_its_split(miniature):
    training, validation = open_sources(TrainOptions(data=(f'camvid:{miniature("camvid")}',)))
    assert (len(training), len(validation)) == (16, 5)


def test_else_a_share_is_split_off_by_scene(miniature):
    path = miniature('camvid') / 'train'
    options = TrainOptions(data=(f'camvid:{path}',), validation_share=0.3)
    training, validation = open_sources(options)
    assert len(training) + len(validation) == 16
    scenes = [{r.scene(i) for i in range(len(r))} for r in (training, validation)]
    assert not scenes[0] & scenes[1]


def test_given_lists_win(miniature, tmp_path):
    path = miniature('nyu-labelled')
    lists = [tmp_path / 'a.txt', tmp_path / 'b.txt']
    for file, name in zip(lists, ('0002', '0003'), strict=True):
        file.write_text(f'{name}\n')
    options = TrainOptions(
        data=(f'nyu-labelled:{path}',), list_file=lists[0], validation_list=lists[1]
    )
    assert [_names(r) for r in open_sources(options)] == [['0002'], ['0003']]


def test_joined_data(miniature):
    path = miniature('camvid')
    sources = (f'camvid:{path / "train"}', f'camvid:{path / "val"}')
    options = TrainOptions(data=sources, validation_data=(sources[1],))
    joined, validation = open_sources(options)
    assert isinstance(joined, Joined)
    assert len(joined) == 21
    assert joined.read(20).name == joined.name(20) == validation.name(4)
    assert joined.scene(20).startswith('1/')


def test_data_named_twice_lie_on_one_side_of_a_split(miniature):
    source = f'camvid:{miniature("camvid") / "train"}'
    options = TrainOptions(data=(source, source), validation_share=0.3)
    sides = [{r.name(i) for i in range(len(r))} for r in open_sources(options)]
    assert all(sides)
    assert not sides[0] & sides[1]


def test_classes_must_agree(miniature):
    sources = (f'camvid:{miniature("camvid") / "val"}', f'cityscapes:{miniature("cityscapes")}')
    with pytest.raises(InputError, match='different classes'):
        open_sources(TrainOptions(data=sources, validation_data=sources))


def test_name_values():
    given = ('a=1', 'b=0.5', 'c=true', 'd=text', 'e=[1, 2]')
    assert name_values(given) == {'a': 1, 'b': 0.5, 'c': True, 'd': 'text', 'e': [1, 2]}
    assert name_values(()) == {}
    with pytest.raises(ConfigError, match="'a' is not NAME=VALUE"):
        name_values(('a',))
