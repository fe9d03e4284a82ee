import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

tf = pytest.importorskip('tensorflow')

from rs_ml_training.data.sequence import SampleSequence  # noqa: E402
from rs_ml_training.data.tf_pipeline import dataset  # noqa: E402


class Numbers(Reader):
    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def name(self, index: int) -> str:
        return str(index)

    def read(self, index: int) -> Sample:
        return Sample(str(index), depth_m=np.full((2, 3), index, np.float32))


def fit(sample: Sample, rng: np.random.Generator) -> tuple[dict, dict]:
    noise = np.float32(rng.random())
    target = {'depth_m': sample.depth_m, 'weight': np.float32(2)}
    return {'image': sample.depth_m[..., None] + noise}, target


@pytest.mark.parametrize(
    ('count', 'batch_size', 'shuffle', 'sizes'),
    [
        (7, 3, True, [3, 3]),
        (7, 3, False, [3, 3, 1]),
        (2, 5, True, [2]),
        (1, 1, False, [1]),
    ],
)
def test_batches_are_those_of_the_sequence(count, batch_size, shuffle, sizes):
    sequence = SampleSequence(Numbers(count), fit, batch_size, shuffle=shuffle, seed=5)
    batches = dataset(Numbers(count), fit, batch_size, shuffle=shuffle, seed=5, workers=3)
    assert len(batches) == len(sizes)
    for epoch in range(2):
        sequence.start_epoch(epoch)
        found = list(batches)
        assert [len(inputs['image']) for inputs, _ in found] == sizes
        for index, (inputs, targets) in enumerate(found):
            wanted_inputs, wanted_targets = sequence[index]
            np.testing.assert_array_equal(inputs['image'], wanted_inputs['image'])
            for name, array in wanted_targets.items():
                np.testing.assert_array_equal(targets[name], array)


def test_a_training_that_goes_on_sees_the_epochs_that_are_left():
    whole = dataset(Numbers(6), fit, 2, shuffle=True, seed=1)
    epochs = [[b[0]['image'].numpy() for b in whole] for _ in range(3)]
    rest = dataset(Numbers(6), fit, 2, shuffle=True, seed=1, first_epoch=2)
    np.testing.assert_array_equal([b[0]['image'].numpy() for b in rest], epochs[2])
    assert not np.array_equal(epochs[0], epochs[1])


def test_shapes_are_known_and_a_strategy_takes_it():
    batches = dataset(Numbers(4), fit, 2, shuffle=True)
    inputs, targets = batches.element_spec
    assert inputs['image'].shape == (2, 2, 3, 1)
    assert targets['weight'].shape == (2,)
    strategy = tf.distribute.MirroredStrategy(['CPU:0'])
    shared = strategy.experimental_distribute_dataset(batches)
    assert sum(len(inputs['image']) for inputs, _ in shared) == 4


def test_nothing_to_read_is_refused():
    with pytest.raises(InputError, match='no samples'):
        dataset(Numbers(0), fit, 2, shuffle=True)
