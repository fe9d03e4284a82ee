"""Layouts of YOLO and COCO sets as tools write them, and what in them belongs to nothing."""

import json
import logging
import shutil

import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.data.formats import open_data
from rs_ml_training.tasks.options import TrainOptions
from rs_ml_training.training.spec import open_sources


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'set'


@pytest.fixture
def yolo(miniatures, folder):
    """A set in the common layout: 1, 2 and 10, the last without a label file."""
    return miniatures.yolo(folder)


@pytest.fixture
def coco(miniatures, folder):
    """The same pictures as COCO's."""
    return miniatures.coco(folder)


@pytest.fixture
def add_picture(miniatures):
    """Call with a path."""
    return lambda path: miniatures.save(path, miniatures.image(1))


def names(reader):
    return [reader.name(i) for i in range(len(reader))]


def moved(root, *pairs):
    for source, target in pairs:
        (root / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(root / source, root / target)
    return root


@pytest.fixture
def splits(yolo):
    """train/images and train/labels, valid/images and valid/labels, data.yaml next to them."""
    return moved(
        yolo,
        ('images/10.jpg', 'valid/images/10.jpg'),
        ('images', 'train/images'),
        ('labels', 'train/labels'),
        ('train/labels/2.txt', 'valid/labels/10.txt'),
    )


@pytest.mark.parametrize(
    ('source', 'options', 'found'),
    [
        ('', {}, ['train_1', 'train_2', 'valid_10']),
        ('', {'split': 'train'}, ['1', '2']),
        ('', {'split': 'valid'}, ['10']),
        ('/valid', {}, ['10']),
    ],
)
def test_yolo_with_splits_around(splits, source, options, found):
    reader = open_data(f'yolo:{splits}{source}', **options)
    assert names(reader) == found
    assert len(reader.read(len(reader) - 1).boxes) == (1 if '10' in found[-1] else 0)


def test_a_training_validates_on_the_split_of_the_folder(splits):
    training, validation = open_sources(TrainOptions(data=(f'yolo:{splits}',)))
    assert (names(training), names(validation)) == (['1', '2'], ['10'])


def test_yolo_without_such_a_split(splits):
    with pytest.raises(InputError, match=r'lacks images/test and test/images .*train, valid'):
        open_data(f'yolo:{splits}', split='test')


def test_files_without_partner_are_counted_and_reported(yolo, folder, caplog):
    (folder / 'labels/77.txt').write_text('0 0.5 0.5 1 1\n')
    (folder / 'labels/78.txt').write_text('')
    (folder / 'labels/classes.txt').write_text('person\n')
    (folder / 'labels/1.xml').write_text('<annotation/>')
    for name in ('3.HEIC', '4.heic', '5.gif', '._1.jpg'):
        (folder / 'images' / name).write_bytes(b'x')
    with caplog.at_level(logging.WARNING):
        reader = open_data(f'yolo:{folder}')
    assert names(reader) == ['1', '2', '10']
    assert [note.split(' (')[0] for note in reader.notes] == [
        'not read: 2 label files without image',
        'taken as empty: 1 image without label file',
        'not read: 1 file of .HEIC in images/',
        'not read: 1 file of .gif in images/',
        'not read: 1 file of .heic in images/',
        'not read: 1 file of .xml in labels/',
    ]
    assert [f'yolo:{folder}: {note}' for note in reader.notes] == caplog.messages


def test_complete_sets_have_no_notes(miniatures, tmp_path, caplog):
    yolo, coco = miniatures.yolo(tmp_path / 'yolo'), miniatures.coco(tmp_path / 'coco')
    (yolo / 'labels/10.txt').touch()
    open_data(f'yolo:{yolo}')
    open_data(f'coco:{coco}')
    assert caplog.messages == []


@pytest.mark.parametrize('second', ['1.png', '1.jpeg'])
def test_two_images_of_one_stem(yolo, folder, add_picture, second):
    add_picture(folder / 'images' / second)
    with pytest.raises(InputError, match='have one name, 1: rename or remove one'):
        open_data(f'yolo:{folder}')


def test_two_images_with_one_name_by_their_folders(yolo, folder, add_picture):
    add_picture(folder / 'images/a/b.jpg')
    add_picture(folder / 'images/a_b.jpg')
    with pytest.raises(InputError, match='have one name, a_b'):
        open_data(f'yolo:{folder}')


@pytest.mark.parametrize('place', ['images/train2017', 'train2017/images', 'images', '.'])
def test_images_of_coco_in_common_places(coco, folder, place):
    moved(folder, ('train2017', 'pictures'))
    moved(folder, *[(p.relative_to(folder), f'{place}/{p.name}') for p in folder.rglob('*.jpg')])
    shutil.rmtree(folder / 'pictures')
    reader = open_data(f'coco:{folder}')
    assert len(reader) == 3
    assert reader.read(0).image is not None


@pytest.mark.parametrize(('source', 'options'), [('', {'split': 'train'}), ('/train', {})])
def test_coco_with_the_file_next_to_its_images(coco, folder, source, options):
    moved(
        folder,
        ('train2017', 'train'),
        ('annotations/instances_train2017.json', 'train/_annotations.coco.json'),
    )
    assert len(open_data(f'coco:{folder}{source}', **options)) == 3


def rewritten(folder, change):
    file = folder / 'annotations/instances_train2017.json'
    content = json.loads(file.read_text())
    change(content['images'])
    file.write_text(json.dumps(content))
    return folder


def test_images_of_coco_that_are_not_listed_or_not_read(coco, folder, caplog):
    rewritten(folder, lambda images: images[2].update(file_name='10.gif'))
    (folder / 'train2017/10.gif').write_bytes(b'GIF89a')
    reader = open_data(f'coco:{folder}')
    assert len(reader) == 2
    assert reader.notes == (
        'not read: 1 image of .gif',
        'not listed and not read: 1 image (000000000010.jpg first)',
    )
    assert len(caplog.messages) == 2


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda images: images[1].update(id=images[0]['id']), 'two images have the same id'),
        (lambda images: images[1].update(file_name='000000000001.png'), 'have one name'),
        (lambda images: [i.update(file_name=f'no{i["id"]}.jpg') for i in images], '2 other image'),
        (lambda images: images[1].update(file_name=7), 'not an instances file'),
    ],
)
def test_faults_of_coco(coco, folder, add_picture, change, said):
    rewritten(folder, change)
    add_picture(folder / 'train2017/000000000001.png')
    with pytest.raises(InputError, match=said):
        open_data(f'coco:{folder}')


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('a: &a [x, x]\nnames: [*a, *a]\n', r'\*a is an alias'),
        ('names: ["person\\e[2J"]\n', 'control characters'),
        ('[' * 5000, 'nested deeper'),
    ],
)
def test_class_names_of_strangers(yolo, folder, text, said):
    (folder / 'data.yaml').write_text(text)
    with pytest.raises(InputError, match=said):
        open_data(f'yolo:{folder}')
