"""Bodies: as tall as they say, on what they rest on."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.synth.body import Outfit, person
from rs_ml_training.synth.frame import Posture
from rs_ml_training.synth.materials import MaterialMaker


def body(seed, stature_m, posture, outfit=Outfit.SHIRT_AND_TROUSERS, **options):
    rng = np.random.default_rng(seed)
    return person(rng, MaterialMaker(rng), stature_m, posture, outfit, **options)


def ends_m(one) -> tuple[float, float]:
    meshes = [piece.mesh for piece in one.prop.pieces]
    return min(m.bottom_m for m in meshes), max(m.top_m for m in meshes)


@pytest.mark.parametrize('stature_m', [0.9, 1.4, 1.75, 2.05])
@pytest.mark.parametrize('outfit', list(Outfit))
def test_a_standing_person_has_exactly_the_given_stature(stature_m, outfit):
    for seed in range(3):
        one = body(seed, stature_m, Posture.STANDING, outfit)
        low, high = ends_m(one)
        assert low == pytest.approx(0, abs=1e-6)
        assert high == pytest.approx(stature_m, abs=1e-4)
        assert one.top_m == high


@pytest.mark.parametrize(
    ('posture', 'low', 'high'),
    [
        (Posture.WALKING, 0.90, 1.0),
        (Posture.SITTING, 0.55, 0.90),
        (Posture.BENT, 0.25, 1.0),
        (Posture.LYING, 0.10, 0.55),
    ],
)
def test_other_postures_are_lower(posture, low, high):
    for seed in range(12):
        one = body(seed, 1.75, posture, seat_m=0.0 if posture is Posture.LYING else 0.45)
        assert low < one.top_m / 1.75 < high
        assert one.top_m == ends_m(one)[1]
        if posture is not Posture.SITTING:
            assert ends_m(one)[0] == pytest.approx(0, abs=1e-6)


def test_a_person_on_a_higher_seat_is_higher():
    tops = [body(1, 1.75, Posture.SITTING, seat_m=seat).top_m for seat in (0.4, 0.5)]
    assert tops[1] - tops[0] == pytest.approx(0.1, abs=1e-4)


def test_a_lying_person_rests_on_the_surface():
    low, _ = ends_m(body(0, 1.7, Posture.LYING, seat_m=0.5))
    assert low == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize('stature_m', [0.2, 3.0])
def test_impossible_statures(stature_m):
    with pytest.raises(ConfigError, match=str(stature_m)):
        body(0, stature_m, Posture.STANDING)
