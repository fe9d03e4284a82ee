import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.data import tiling
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.stereo_frames import IntelDenoise


class Frames(Reader):
    """Intel-like frames with noise in every pixel, depth in whole millimetres."""

    def __init__(self, count: int, size: tuple[int, int]) -> None:
        self.count, self.size = count, size

    def __len__(self) -> int:
        return self.count

    def name(self, index: int) -> str:
        return str(index + 1)

    def read(self, index: int) -> Sample:
        rng = np.random.default_rng(index)
        shape = self.size[::-1]
        raw_m = rng.integers(0, 60000, shape).astype(np.float32) * np.float32(0.001)
        gt_m = rng.integers(1, 60000, shape).astype(np.float32) * np.float32(0.001)
        infrared = rng.integers(0, 256, shape, np.uint8)
        return Sample(self.name(index), raw_depth_m=raw_m, depth_m=gt_m, infrared=infrared)


@pytest.mark.parametrize(
    ('size', 'side', 'overlap', 'count', 'last'),
    [
        ((848, 480), 128, 0, 28, (768, 384)),
        ((848, 480), 480, 0, 2, (480, 0)),
        ((848, 480), None, 0, 1, (0, 0)),
        ((848, 480), 480, 112, 2, (368, 0)),
        ((64, 48), 128, 0, 1, (0, 0)),
        ((1, 1), 1, 0, 1, (0, 0)),
    ],
)
def test_grid(size, side, overlap, count, last):
    tiles = tiling.grid(size, side, overlap)
    assert len(tiles) == count
    assert (tiles[-1].x, tiles[-1].y) == last
    assert [t.index for t in tiles] == list(range(count))
    assert [(t.x, t.y) for t in tiles] == sorted((t.x, t.y) for t in tiles)


def test_published_name_and_back():
    tile = tiling.grid((848, 480), 128)[5]
    name = tile.name('res-12')
    assert name == 'res-12_005_row_128_col_128_width128_height128'
    assert tiling.place_of(name) == ('res-12', tile)


@pytest.mark.parametrize('name', ['', 'res-12', 'res-12_005_row_x_col_128_width1_height1'])
def test_other_names_are_refused(name):
    with pytest.raises(InputError, match='is not <stem>'):
        tiling.place_of(name)


def test_beyond_the_border_is_zero():
    tiles = tiling.tile_sample(Frames(1, (100, 60)).read(0), 64)
    assert [t.size for t in tiles] == [(64, 64)] * 2
    assert not tiles[1].depth_m[60:].any()
    assert not tiles[1].infrared[:, 36:].any()


@pytest.mark.parametrize('size', [(848, 480), (100, 60), (64, 64), (129, 257)])
@pytest.mark.parametrize(('side', 'overlap'), [(64, 0), (64, 16), (480, 112)])
def test_stitching_gives_every_pixel_back(size, side, overlap):
    sample = Frames(1, size).read(0)
    tiles = tiling.tile_sample(sample, side, overlap)
    depth_m = tiling.stitch([t.raw_depth_m for t in tiles], size, overlap, unknown=0)
    np.testing.assert_allclose(depth_m, sample.raw_depth_m, rtol=1e-6)
    infrared = tiling.stitch([t.infrared[..., None] for t in tiles], size, overlap)
    np.testing.assert_array_equal(infrared[..., 0], sample.infrared)


def test_overlap_is_blended_and_unknown_does_not_count():
    tiles = [np.full((8, 8), 1.0), np.full((8, 8), 3.0)]
    mixed = tiling.stitch(tiles, (12, 8), overlap=4)
    assert (np.diff(mixed[0, 3:9]) > 0).all()
    assert mixed[:, :4].max() == 1
    assert mixed[:, 8:].min() == 3
    tiles[0][:, 5:] = 0
    known = tiling.stitch(tiles, (12, 8), overlap=4, unknown=0)
    np.testing.assert_allclose(known[:, 5:], 3)


def test_wrong_number_of_tiles():
    with pytest.raises(InputError, match='needs 2 tiles of 480 px, got 1'):
        tiling.stitch([np.zeros((480, 480))], (848, 480))
    with pytest.raises(InputError, match='no tiles'):
        tiling.stitch([], (848, 480))


@pytest.mark.parametrize(('side', 'overlap'), [(0, 0), (64, 64), (64, -1)])
def test_bad_grids(side, overlap):
    with pytest.raises(ConfigError, match='cannot overlap'):
        tiling.grid((100, 100), side, overlap)


def test_written_tiles_are_a_data_set_and_stitch_to_the_images(tmp_path):
    reader, out = Frames(2, (150, 100)), tmp_path / 'tiles'
    assert tiling.write_tiles(reader, out, 64) == 2 * 6
    back = IntelDenoise(out)
    assert len(back) == 12
    first = tiling.tile_sample(reader.read(0), 64)[0]
    assert back.name(0) == first.name
    np.testing.assert_array_equal(back.read(0).raw_depth_m, first.raw_depth_m)
    np.testing.assert_array_equal(back.read(0).infrared, first.infrared)
    mm = tiling.read_stitched(sorted(out.glob('gt-2_*.png')), (150, 100))
    np.testing.assert_array_equal(mm, np.rint(reader.read(1).depth_m * 1000))


def test_a_folder_for_each_image(tmp_path):
    tiling.write_tiles(Frames(2, (40, 30)), tmp_path / 'out', 32, by_source=True)
    assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == ['1', '2']


def test_tiles_of_several_images_or_with_a_gap_are_refused(tmp_path):
    out = tmp_path / 'tiles'
    tiling.write_tiles(Frames(2, (150, 100)), out, 64)
    with pytest.raises(InputError, match='one image'):
        tiling.read_stitched(list(out.glob('gt-*.png')), (150, 100))
    with pytest.raises(InputError, match='missing'):
        tiling.read_stitched(sorted(out.glob('gt-1_*.png'))[1:], (150, 100))


def test_existing_files_are_not_touched_and_a_failure_leaves_nothing(tmp_path):
    class Broken(Frames):
        def read(self, index: int) -> Sample:
            if index:
                raise InputError('frame 2 is damaged')
            return super().read(index)

    (tmp_path / 'used').mkdir()
    (tmp_path / 'used' / 'mine.txt').write_text('keep')
    with pytest.raises(ConfigError, match='holds files'):
        tiling.write_tiles(Frames(1, (40, 30)), tmp_path / 'used', 32)
    with pytest.raises(InputError, match='damaged'):
        tiling.write_tiles(Broken(2, (40, 30)), tmp_path / 'new', 32)
    assert sorted(p.name for p in tmp_path.iterdir()) == ['used']
