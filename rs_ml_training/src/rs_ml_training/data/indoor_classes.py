"""The 14 classes of rooms: the 13 of indoor RGB-D work, and people apart from objects.

The 13 are those of Couprie et al. (arXiv 1301.3572); which of NYU40's classes becomes which is the
table that A. Handa published with SceneNet. It counts people among the objects; here they are a
class of their own, after the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INDOOR_LABELS = (
    'bed',
    'books',
    'ceiling',
    'chair',
    'floor',
    'furniture',
    'objects',
    'picture',
    'sofa',
    'table',
    'tv',
    'wall',
    'window',
    'person',
)
"""Names by class id, 0 to 13."""

INDOOR_COLORS = (
    (0, 0, 255),
    (233, 89, 48),
    (0, 218, 0),
    (149, 0, 240),
    (222, 241, 24),
    (255, 206, 206),
    (0, 224, 229),
    (106, 136, 204),
    (117, 29, 41),
    (240, 35, 235),
    (0, 167, 156),
    (249, 139, 0),
    (225, 229, 194),
    (255, 0, 0),
)
"""(red, green, blue) by class id: the colours of SceneNet, people pure red."""

NYU40_TO_INDOOR: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        'bed': ('bed',),
        'books': ('books',),
        'ceiling': ('ceiling',),
        'chair': ('chair',),
        'floor': ('floor', 'floor mat'),
        'furniture': (
            'cabinet',
            'bookshelf',
            'counter',
            'shelves',
            'dresser',
            'refrigerator',
            'night stand',
            'other furniture',
        ),
        'objects': (
            'pillow',
            'mirror',
            'clothes',
            'paper',
            'towel',
            'shower curtain',
            'box',
            'whiteboard',
            'toilet',
            'sink',
            'lamp',
            'bathtub',
            'bag',
            'other structure',
        ),
        'picture': ('picture',),
        'sofa': ('sofa',),
        'table': ('table', 'desk'),
        'tv': ('television',),
        'wall': ('wall', 'door'),
        'window': ('window', 'blinds', 'curtain'),
        'person': ('person',),
    }
)
"""New name -> names of `nyu.LABELS`. "Other prop" is stored as unlabelled and ignored."""

COCO_TO_INDOOR: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        'bed': ('bed',),
        'books': ('book',),
        'ceiling': (),
        'chair': ('chair',),
        'floor': (),
        'furniture': ('refrigerator', 'oven'),
        'objects': (
            'backpack',
            'handbag',
            'suitcase',
            'bottle',
            'wine glass',
            'cup',
            'fork',
            'knife',
            'spoon',
            'bowl',
            'banana',
            'apple',
            'sandwich',
            'orange',
            'broccoli',
            'carrot',
            'hot dog',
            'pizza',
            'donut',
            'cake',
            'potted plant',
            'toilet',
            'laptop',
            'mouse',
            'remote',
            'keyboard',
            'cell phone',
            'microwave',
            'toaster',
            'sink',
            'clock',
            'vase',
            'scissors',
            'teddy bear',
            'hair drier',
            'toothbrush',
        ),
        'picture': (),
        'sofa': ('couch',),
        'table': ('dining table',),
        'tv': ('tv',),
        'wall': (),
        'window': (),
        'person': ('person',),
    }
)
"""New name -> names of COCO's 80 classes. Outdoor classes are left out."""

CLASS_TABLES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {'indoor': NYU40_TO_INDOOR, 'indoor-coco': COCO_TO_INDOOR}
)
"""Tables that `--data-option classes=NAME` knows by name."""
