"""The loop of the task commands: inputs, outputs, rejections and exit status."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr

import cv2
import numpy as np
import pytest
from rs_ml_perception.cli.task_options import DepthRunOptions, add_run_flags
from rs_ml_perception.cli.task_output import TaskResult
from rs_ml_perception.cli.task_run import run_task
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.flags import FlagParser, from_flags
from rs_ml_perception.recordings.pictures import write_picture
from rs_ml_perception.recordings.videos import VideoInfo, video_info
from rs_ml_perception.tasks.blur import Blurrer


def arguments(out, *words):
    parser = FlagParser()
    add_run_flags(parser, DepthRunOptions, task='detection', out='out')
    return parser.parse_args([*map(str, words), '--out', str(out)])


def describe(_):
    """A task that reports its input."""

    def task(image):
        rgb = image.frame.rgb
        fields = {'size': list(rgb.shape), 'depth': image.frame.depth is not None}
        grey = np.zeros(rgb.shape[:2], np.uint8)
        return TaskResult(
            fields, 2, files={'_grey.png': grey}, pictures={'_annotated.png': lambda shown: shown}
        )

    return task


def run(out, *words, prepare=describe, **changes):
    options = {'noun': 'thing', 'keep_results': True, **changes}
    args = arguments(out, *words)
    return run_task(args, from_flags(DepthRunOptions, args), prepare, **options)


def results(out):
    return [json.loads(line) for line in (out / 'results.jsonl').read_text().splitlines()]


def names(out):
    return sorted(path.name for path in out.iterdir())


def test_single_image(write_pictures, capsys):
    folder = write_pictures('a.png')
    assert run(folder / 'out', folder / 'a.png') == 0
    assert names(folder / 'out') == ['a_annotated.png', 'a_grey.png', 'results.jsonl']
    assert results(folder / 'out') == [{'image': 'a.png', 'size': [36, 48, 3], 'depth': False}]
    assert '1 image, 2 things' in capsys.readouterr().out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ('more', 'expected'), [([], '0/2'), (['--max-frames', '1'], '0/1'), (['--json'], '')]
)
def test_a_terminal_shows_the_progress(more, expected, write_pictures, capsys):
    pytest.importorskip('tqdm')
    folder = write_pictures('in/a.png', 'in/b.png')
    with redirect_stderr(Terminal()) as shown:
        assert run(folder / 'out', folder / 'in', *more) == 0
    assert expected in shown.getvalue()
    assert bool(expected) == ('image/s' in shown.getvalue())


def test_folder_in_order_of_names(write_pictures):
    folder = write_pictures('in/b.jpg', 'in/a.png', 'in/c.bmp')
    (folder / 'in' / 'notes.txt').write_text('no picture')
    assert run(folder / 'out', folder / 'in') == 0
    assert [r['image'] for r in results(folder / 'out')] == ['a.png', 'b.jpg', 'c.bmp']


def test_recording_brings_depth_and_numbers_its_frames(bag, tmp_path):
    assert run(tmp_path / 'out', bag, needs_depth=True) == 0
    assert [r['image'] for r in results(tmp_path / 'out')] == [
        f'kitchen_{number:06d}' for number in range(3)
    ]
    assert all(r['depth'] for r in results(tmp_path / 'out'))


def test_no_result_overwrites_another(write_pictures):
    folder = write_pictures('x/a.png', 'y/a.png', 'y/a.jpg')
    assert run(folder / 'out', folder / 'x', folder / 'y', '--no-pictures') == 0
    assert names(folder / 'out') == [
        'a-2_grey.png',
        'a-3_grey.png',
        'a_grey.png',
        'results.jsonl',
    ]


def test_json_goes_to_stdout_and_the_summary_to_stderr(write_pictures, capsys):
    folder = write_pictures('a.png', 'b.png')
    assert run(folder / 'out', folder / 'a.png', folder / 'b.png', '--json') == 0
    printed = capsys.readouterr()
    assert [json.loads(line)['image'] for line in printed.out.splitlines()] == ['a.png', 'b.png']
    assert '2 images' in printed.err


def test_results_are_kept_only_where_wanted(write_pictures):
    folder = write_pictures('a.png')
    assert run(folder / 'out', folder / 'a.png', keep_results=False) == 0
    assert names(folder / 'out') == ['a_annotated.png', 'a_grey.png']


def test_max_frames(bag, tmp_path):
    assert run(tmp_path / 'out', bag, '--max-frames', '2') == 0
    assert len(results(tmp_path / 'out')) == 2


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_truncated_picture_among_others_is_counted_and_named(suffix, write_pictures, capsys):
    folder = write_pictures(f'in/a{suffix}', f'in/b{suffix}', f'in/c{suffix}')
    cut = folder / 'in' / f'b{suffix}'
    cut.write_bytes(cut.read_bytes()[:-300])
    assert run(folder / 'out', folder / 'in') == 0
    assert [r['image'] for r in results(folder / 'out')] == [f'a{suffix}', f'c{suffix}']
    printed = capsys.readouterr()
    assert f'1 rejected (b{suffix})' in printed.out
    assert 'is truncated' in printed.err


@pytest.mark.parametrize('content', [b'', b'hello', b'\xff\xd8\xff\xd9', b'\x89PNG\r\nIEND'])
def test_nothing_but_broken_pictures_is_status_2(content, tmp_path, capsys):
    (tmp_path / 'a.png').write_bytes(content)
    assert run(tmp_path / 'out', tmp_path / 'a.png') == 2
    assert 'rejected a.png' in capsys.readouterr().err


def test_an_unexpected_exception_costs_one_frame(write_pictures, capsys):
    folder = write_pictures('in/a.png', 'in/b.png', 'in/c.png')

    def prepare(_):
        def task(image):
            if image.name == 'b.png':
                raise ZeroDivisionError('unforeseen')
            return TaskResult({}, 1)

        return task

    assert run(folder / 'out', folder / 'in', prepare=prepare) == 0
    said = capsys.readouterr()
    assert 'rejected b.png: unexpected ZeroDivisionError: unforeseen' in said.err
    assert '2 images, 2 things' in said.out


def test_no_result_replaces_an_input(write_pictures):
    folder = write_pictures('a.png', 'a_grey.png')
    before = (folder / 'a_grey.png').read_bytes()
    with pytest.raises(ConfigError, match=r'a_grey.png would replace an input'):
        run(folder, folder)
    assert (folder / 'a_grey.png').read_bytes() == before


def test_no_result_replaces_the_depth_that_is_read(write_pictures):
    folder = write_pictures('a.png', 'depth/a_grey.png')
    before = (folder / 'depth' / 'a_grey.png').read_bytes()
    cv2.imwrite(str(folder / 'depth' / 'a.png'), np.ones((36, 48), np.uint16))
    with pytest.raises(ConfigError, match=r'a_grey.png would replace an input'):
        run(folder / 'depth', folder / 'a.png', '--depth', folder / 'depth')
    assert (folder / 'depth' / 'a_grey.png').read_bytes() == before


def test_no_video_replaces_the_one_that_is_read(tmp_path):
    video = tmp_path / 'walk.mp4'
    video.write_bytes(b'a film')
    with pytest.raises(ConfigError, match=r'walk.mp4 would replace an input'):
        run(tmp_path / 'out', video, '--video', video)
    assert video.read_bytes() == b'a film'


def test_results_may_lie_next_to_the_inputs(write_pictures):
    folder = write_pictures('a.png')
    assert run(folder, folder / 'a.png') == 0
    assert (folder / 'a_grey.png').is_file()


def test_the_camera_of_a_recording_is_chosen_and_reported(write_two_cameras, tmp_path, capsys):
    bag = write_two_cameras('/front', '/rear')
    assert run(tmp_path / 'out', bag, '--camera', '/rear') == 0
    assert 'camera /rear is used; --camera chooses another: /front' in capsys.readouterr().err
    assert run(tmp_path / 'out', bag) == 0
    assert 'camera /front is used' in capsys.readouterr().err


def test_an_unknown_camera_is_refused(write_two_cameras, tmp_path):
    bag = write_two_cameras('/front', '/rear')
    with pytest.raises(InputError, match='pass one of /front, /rear'):
        run(tmp_path / 'out', bag, '--camera', '/left')


def test_a_camera_without_a_recording_is_refused(write_pictures):
    folder = write_pictures('a.png')
    with pytest.raises(InputError, match='camera /front is chosen, and no input is a recording'):
        run(folder / 'out', folder / 'a.png', '--camera', '/front')


def test_a_frame_the_task_refuses_is_counted(write_pictures, capsys):
    def prepare(_):
        def task(_):
            raise InputError('not this one')

        return task

    folder = write_pictures('a.png')
    assert run(folder / 'out', folder / 'a.png', prepare=prepare) == 2
    assert 'rejected a.png: not this one' in capsys.readouterr().err


def test_inputs_are_looked_at_before_the_model_is_loaded(tmp_path):
    def prepare(_):
        raise AssertionError('loaded too early')

    with pytest.raises(InputError, match='does not exist'):
        run(tmp_path / 'out', tmp_path / 'nothing', prepare=prepare)


@pytest.mark.parametrize(
    ('make', 'reason'),
    [
        (lambda folder: folder / 'nothing', 'does not exist'),
        (lambda folder: folder / 'empty', 'holds no images'),
        (lambda folder: folder, 'has no metadata.yaml'),
        (lambda folder: folder / 'notes.txt', 'no known kind of file'),
        (lambda folder: folder / 'false.mcap', 'cannot be read'),
    ],
)
def test_inputs_that_are_none(make, reason, tmp_path):
    (tmp_path / 'empty').mkdir()
    for name in ('notes.txt', 'false.mcap'):
        (tmp_path / name).write_text('hello')
    with pytest.raises(InputError, match=reason):
        run(tmp_path / 'out', make(tmp_path))


def test_out_that_cannot_be_written(write_pictures):
    folder = write_pictures('a.png')
    (folder / 'file').write_text('')
    with pytest.raises(ConfigError, match='--out'):
        run(folder / 'file' / 'out', folder / 'a.png')


def test_depth_of_pictures(write_pictures):
    folder = write_pictures('in/a.png', 'in/b.png', 'in/c.png')
    (folder / 'depth').mkdir()
    write_picture(folder / 'depth' / 'a.png', np.full((36, 48), 1000, np.uint16))
    write_picture(folder / 'depth' / 'b_depth.png', np.full((36, 48), 25, np.uint8))
    words = ['--depth', folder / 'depth', '--intrinsics', '40,40,24,18']
    seen = {}

    def prepare(_):
        def task(image):
            seen[image.stem] = image.frame
            return TaskResult({}, 0)

        return task

    # A float32 picture is metres, unless a unit is given for all.
    cv2.imwrite(str(folder / 'depth' / 'c.tif'), np.full((36, 48), 1.5, np.float32))
    assert run(folder / 'out', folder / 'in', *words, prepare=prepare) == 0
    assert np.all(seen['a'].depth.depth_m == 1.0)
    assert np.all(seen.pop('c').depth.depth_m == 1.5)
    (folder / 'depth' / 'c.tif').unlink()
    assert run(folder / 'out', folder / 'in', *words, '--depth-unit', '0.04', prepare=prepare) == 0
    assert set(seen) == {'a', 'b'}  # c has no depth
    assert np.all(seen['a'].depth.depth_m == np.float32(40.0))
    assert np.allclose(seen['b'].depth.depth_m, 1.0)
    assert (seen['a'].camera.width, seen['a'].camera.cx) == (48, 24.0)


@pytest.mark.parametrize(
    ('words', 'reason'),
    [
        ([], '--depth DIR'),
        (['--depth', '{folder}'], '--intrinsics fx,fy,cx,cy'),
        (['--depth', '{folder}/none', '--intrinsics', '1,1,1,1'], 'depth folder'),
    ],
)
def test_missing_depth_is_reported_once(words, reason, write_pictures):
    folder = write_pictures('a.png')
    words = [word.format(folder=folder) for word in words]
    with pytest.raises((ConfigError, InputError), match=reason):
        run(folder / 'out', folder / 'a.png', *words, needs_depth=True)


def test_depth_of_another_size_is_rejected(write_pictures, capsys):
    folder = write_pictures('a.png')
    (folder / 'depth').mkdir()
    write_picture(folder / 'depth' / 'a.png', np.zeros((18, 24), np.uint16))
    assert run(folder / 'out', folder / 'a.png', '--depth', folder / 'depth') == 2
    assert 'must be aligned' in capsys.readouterr().err


@pytest.mark.parametrize('text', ['1,2', 'a,b,c,d', '0,1,2,3', '1,2,3,4,5', ''])
def test_wrong_intrinsics_are_a_usage_error(text, tmp_path):
    with pytest.raises(SystemExit) as caught:
        arguments(tmp_path, 'a.png', '--intrinsics', text)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ('more', 'files'),
    [
        ([], ['results.jsonl', 'v.mp4']),
        (['--frames'], ['a_annotated.png', 'a_grey.png', 'results.jsonl', 'v.mp4']),
    ],
)
def test_video_in_place_of_files_for_each_frame(more, files, write_pictures):
    folder = write_pictures('in/a.png', 'in/b.png')
    video = folder / 'out' / 'v.mp4'
    assert run(folder / 'out', folder / 'in', '--video', video, '--fps', '5', *more) == 0
    assert video_info(video) == VideoInfo(5.0, 2)
    assert [name for name in names(folder / 'out') if not name.startswith('b')] == files


def test_frames_that_cannot_be_blurred_are_dropped_and_counted(
    write_pictures, monkeypatch, capsys
):
    class Broken:
        def __call__(self, rgb):
            raise InputError('people are not blurred, so it is dropped: no reason')

        def close(self):
            pass

    monkeypatch.setattr(Blurrer, 'load', lambda options: Broken())
    folder = write_pictures('in/a.png')
    assert run(folder / 'out', folder / 'in', '--blur', 'people') == 2
    assert names(folder / 'out') == ['results.jsonl']
    assert results(folder / 'out') == []
    assert '1 rejected (a.png)' in capsys.readouterr().out


@pytest.mark.parametrize('more', [[], ['--intrinsics', '60,60,31.5,23.5']])
def test_images_without_intrinsics_fail_once(more, write_pictures):
    folder = write_pictures('in/a.png', 'in/b.png')
    if more:
        assert run(folder / 'out', folder / 'in', *more, needs_camera=True) == 0
        return
    with pytest.raises(ConfigError, match='pass --intrinsics'):
        run(folder / 'out', folder / 'in', needs_camera=True)
