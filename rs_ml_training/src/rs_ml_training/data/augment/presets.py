"""Augmentations by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.augment.chain import Augment, Chain, Maybe, OneOf
from rs_ml_training.data.augment.color import (
    Blur,
    Border,
    Equalize,
    Erase,
    GammaColor,
    Jitter,
    Jpeg,
)
from rs_ml_training.data.augment.depth_noise import (
    Farthest,
    FlyingPixels,
    Holes,
    InfraredGain,
    NoDepth,
    NoInfrared,
    OtherScale,
    Outliers,
    QuadraticNoise,
    Simulated,
    Speckle,
)
from rs_ml_training.data.augment.detection import CopyObjects, Mosaic, ScaledCrop
from rs_ml_training.data.augment.objects import (
    ObjectColor,
    PasteObjects,
    ReplaceBackground,
    Textures,
)
from rs_ml_training.data.augment.people import PERSON, PastePeople, figures_of
from rs_ml_training.data.augment.shape import (
    Flip,
    FlipVertically,
    Near,
    RandomCrop,
    RandomPart,
    Rescale,
    Resize,
    Roll,
    Rotate,
    RotatedCrop,
    Shift,
    Zoom,
)
from rs_ml_training.data.geometry import center_cropped, resized
from rs_ml_training.data.reader import CachedReader, Reader
from rs_ml_training.data.sample import Sample

Size = tuple[int, int]


def preset(
    name: str,
    size: Size | None = None,
    *,
    textures: Path | None = None,
    cutouts: Reader | None = None,
) -> Augment:
    """An augmentation by name.

    Args:
        name: key of PRESETS.
        size: (width, height) that every sample gets [px]; None: as large as it is.
        textures: folder of backgrounds for 'industrial'; None: patterns are drawn.
        cutouts: masks whose people 'indoor' puts into images; outlined objects, and images of
            mosaics, of 'detection-mixed'. None: nothing is put in.

    Raises:
        ConfigError: no such preset.
    """
    name = ALIASES.get(name, name)
    if name not in PRESETS:
        raise ConfigError(f'no augmentation {name!r}; there are {", ".join(PRESETS)}')
    if name == 'industrial':
        return _industrial(size, Textures(textures))
    if name == 'indoor':
        return _indoor(size, cutouts)
    if name == 'detection-mixed':
        return _detection_mixed(size, cutouts)
    return PRESETS[name](size)


def _none(size: Size | None) -> Augment:
    return Chain(_sized(size))


def _fastdepth(size: Size | None) -> Augment:
    """As FastDepth is trained: nearer, turned, the middle, mirrored, other light."""
    light = Jitter((0.6, 1.4), (0.6, 1.4), (0.6, 1.4))
    return Chain((Near(size), Rotate(-5, 5, size), Maybe(Flip()), light))


def _depth(size: Size | None) -> Augment:
    """Depth as a camera will see it: about the whole image, so that the scale stays true.

    FastDepth's factor of up to 1.5 makes training images a fifth nearer on average than those
    that are predicted, and a network that cannot notice is off by as much.
    """
    light = Jitter((0.7, 1.3), (0.7, 1.3), (0.7, 1.3))
    return Chain((Near(size, 1.0, 1.15), Rotate(-3, 3, size), Maybe(Flip()), light))


def _depth_strong(size: Size | None) -> Augment:
    """For few images: both nearer and farther, any part, other light and colours, erased parts.

    Factors below 1 balance those above, so that images are as near as those to be predicted.
    """
    part = (Near(size, 0.85, 1.25), _turned_part(size))
    return Chain((*part, Maybe(Flip()), *_strong_light(), Maybe(Erase(), 0.4)))


def _depth_zoom(size: Size | None) -> Augment:
    """Two images of six are zoomed, and their depth is divided by the zoom; three are whole.

    With depth in the units of one canonical camera a network learns scale down to arm's length.
    The border is drawn at random: NYU's is white, and a network trained on nothing else takes it
    for a sign of the scale (METER predicts 1.6 times as far once it is cut off).
    """
    whole = Chain(_sized(size))
    part = Chain((Near(size, 0.9, 1.15), _turned_part(size)))
    near = Chain((Zoom(size), _turned_part(size)))
    view = OneOf((whole, whole, whole, part, near, near))
    return Chain((view, Border(), Maybe(Flip()), *_strong_light(), Maybe(Erase(), 0.3)))


def _turned_part(size: Size | None) -> Augment:
    return RotatedCrop(-5, 5, size) if size else Rotate(-5, 5)


def _strong_light() -> tuple[Augment, ...]:
    light = GammaColor(gamma=(0.7, 1.4), brightness=(0.7, 1.3), color=(0.85, 1.15))
    colors = Jitter(contrast=(0.7, 1.3), saturation=(0.0, 1.6))
    return (light, Maybe(colors), Maybe(Blur(3, 5), 0.15), Maybe(Jpeg(30, 90), 0.15))


def _bts(size: Size | None, degrees: float, brightness: tuple[float, float]) -> Augment:
    """As BTS is trained: a crop at full resolution; size None leaves the crop out."""
    turn = RotatedCrop(-degrees, degrees, size) if size else Rotate(-degrees, degrees)
    return Chain((turn, Maybe(Flip()), Maybe(GammaColor(brightness=brightness))))


def _segmentation(size: Size | None) -> Augment:
    """Scale, JPEG, colour and mirror."""
    steps = (
        Maybe(Rescale(0.8, 1.2)),
        Maybe(Jpeg(30, 90), 0.2),
        Maybe(Jitter(saturation=(0.5, 1.5)), 0.2),
        Maybe(Jitter(offset=(-32, 32)), 0.2),
        Maybe(Jitter(contrast=(0.5, 1.0)), 0.2),
        Maybe(Flip()),
    )
    return Chain((*_sized(size), *steps))


def _segmentation_both_flips(size: Size | None) -> Augment:
    """Colour and mirror both ways."""
    steps = (
        Maybe(Jitter(saturation=(0.1, 0.8))),
        Maybe(Jitter(offset=(-25.5, 25.5))),
        Maybe(Jitter(contrast=(0.1, 0.8))),
        Maybe(Flip()),
        Maybe(FlipVertically()),
    )
    return Chain((*_sized(size), *steps))


def _segmentation_binary(size: Size | None) -> Augment:
    """Enlarge twice and crop, colour, mirror: for a single class."""
    light = Jitter(saturation=(0.5, 1.5), contrast=(0.5, 1.5), offset=(-12.75, 12.75))
    return Chain((*_sized(size), Maybe(Rescale(2.0, 2.0)), Maybe(light), Maybe(Flip())))


def _industrial(size: Size | None, textures: Textures | None = None) -> Augment:
    """Few labelled parts in many places: background, place, then light, one change of each."""
    textures = textures or Textures()
    behind = OneOf((ReplaceBackground(textures), PasteObjects(textures)))
    place = OneOf((Shift(0, 100), Rotate(10, 45, both_ways=True), RandomPart(0.6, 0.95, 4 / 3)))
    light = OneOf((Blur(3, 19), Jitter(offset=(50, 100)), Equalize(), ObjectColor()))
    return Chain((Maybe(behind), Maybe(place), *_sized(size), Maybe(light)))


def _indoor(size: Size | None, cutouts: Reader | None = None) -> Augment:
    """Rooms in colour and maybe depth: people put in, nearer or farther, other light and camera.

    Where depth was measured it gets the faults of a stereo camera, and of two images in five
    it is taken away.
    """
    people: tuple[Augment, ...] = ()
    if cutouts is not None:
        paste = PastePeople(figures_of(cutouts), cutouts.labels.index(PERSON))
        people = (Maybe(Chain((paste, Maybe(paste, 0.3))), 0.3),)
    crop = (RandomCrop(size),) if size else ()
    light = Jitter((0.65, 1.35), (0.65, 1.35), (0.5, 1.5))
    camera = (
        Maybe(light, 0.8),
        Maybe(GammaColor(), 0.3),
        Maybe(Blur(3, 5), 0.1),
        Maybe(Jpeg(), 0.1),
    )
    scale = Maybe(OtherScale(), 0.6)
    faults = (scale, FlyingPixels(), QuadraticNoise(0.001, 0.006), Maybe(Holes(high=0.2)))
    depth = OneOf(
        (*[Chain((*faults, Maybe(Speckle()), Maybe(Farthest(), 0.3)))] * 3, *[NoDepth()] * 2)
    )
    return Chain(
        (*_sized(size), *people, Near(size, 0.75, 1.4), *crop, Maybe(Flip()), *camera, depth)
    )


def _detection(size: Size | None) -> Augment:
    light = Jitter((0.7, 1.3), (0.7, 1.3), (0.6, 1.4))
    return Chain((Maybe(CopyObjects(), 0.3), ScaledCrop(size), Maybe(Flip()), Maybe(light, 0.8)))


def _detection_mixed(size: Size | None, cutouts: Reader | None = None) -> Augment:
    """Few labelled objects in many places: put into other images, mosaics, every scale."""
    place: Augment = ScaledCrop(size, 0.6, 1.9)
    if cutouts is not None:
        cutouts = CachedReader(cutouts)
        pasted = Maybe(CopyObjects(cutouts, high=1.2, outlined=True), 0.5)
        place = OneOf((Chain((pasted, place)), Chain((pasted, place)), Mosaic(cutouts, size)))
    light = Jitter((0.5, 1.4), (0.6, 1.4), (0.0, 1.6))
    camera = (Maybe(light, 0.9), Maybe(GammaColor(), 0.4), Maybe(Blur(3, 5), 0.15))
    return Chain((place, Maybe(Flip()), *camera, Maybe(Jpeg(30, 90), 0.15)))


def _denoise(size: Size | None) -> Augment:
    """A crop with more faults than the camera made; all of them where nothing was measured.

    Most faults are rare: a matcher's own, which differ from frame to frame, are the lesson. A
    third of the crops come without infrared, for cameras that do not send it. Nothing is mirrored:
    areas hidden from the right imager lie left of objects, and the side of such a shadow shows
    which surface continues there.
    """
    crop = (RandomCrop(size),) if size else ()
    faults = (
        Simulated(Chain((FlyingPixels(), QuadraticNoise()))),
        Maybe(FlyingPixels(share=0.2, lost=0.1), 0.2),
        Maybe(QuadraticNoise(0.0, 0.002), 0.3),
        Maybe(Holes(most=4), 0.3),
        Maybe(Speckle(), 0.2),
        Maybe(Outliers(), 0.2),
        Maybe(InfraredGain()),
        Maybe(NoInfrared(), 0.3),
    )
    return Chain((*crop, *faults))


def _panorama(size: Size | None) -> Augment:
    light = Maybe(Jitter((0.8, 1.2), (0.8, 1.2), (0.8, 1.2)))
    return Chain((*_sized(size), Roll(), Maybe(Flip()), light))


def _sized(size: Size | None) -> tuple[Augment, ...]:
    return (Resize(size),) if size else ()


PRESETS: dict[str, Callable[[Size | None], Augment]] = {
    'none': _none,
    'depth': _depth,
    'depth-strong': _depth_strong,
    'depth-zoom': _depth_zoom,
    'fastdepth': _fastdepth,
    'bts-nyu': lambda size: _bts(size, 2.5, (0.75, 1.25)),
    'bts-kitti': lambda size: _bts(size, 1.0, (0.9, 1.1)),
    'segmentation': _segmentation,
    'segmentation-both-flips': _segmentation_both_flips,
    'segmentation-binary': _segmentation_binary,
    'industrial': _industrial,
    'indoor': _indoor,
    'denoise': _denoise,
    'detection': _detection,
    'detection-mixed': _detection_mixed,
    'panorama': _panorama,
}
"""Name -> maker of the augmentation for a (width, height)."""

ALIASES = {'segmentation-april': 'segmentation-both-flips'}
"""Former names, which run folders and commands may still use."""

CROPPING = frozenset(('bts-nyu', 'bts-kitti', 'denoise'))
"""Those that cut their size out of an image as it is, where the others shrink the whole of it."""


def fitted(sample: Sample, name: str, size: Size) -> Sample:
    """A sample at (width, height) as the preset shows it, but nothing changed at random."""
    if name in CROPPING:
        return center_cropped(sample, size)
    return resized(sample, size)
