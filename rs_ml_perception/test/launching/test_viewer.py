"""The rviz configuration that is made."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from rs_ml_perception.launching.viewer import make_rviz_config, viewed_topics
from rs_ml_perception.nodes.parameter_files import ParameterBlocks

CONFIG = Path(__file__).resolve().parents[2] / 'config' / 'rviz' / 'perception.rviz'
POINTS = ParameterBlocks({'/**/mono_depth': {'publish_points': True}})


@pytest.fixture
def config_for(inputs_for):
    template = yaml.safe_load(CONFIG.read_text())
    return lambda *blocks, **given: make_rviz_config(template, inputs_for(*blocks, **given))


def shown(config) -> list[str]:
    displays = config['Visualization Manager']['Displays']
    return [display['Topic']['Value'] for display in displays if 'Topic' in display]


@pytest.mark.parametrize(
    ('blocks', 'given', 'topics'),
    [
        ((), {'nodes': 'height'}, ['/rs_ml/height/image_annotated', '/rs_ml/height/markers']),
        ((), {'nodes': 'height', 'namespace': '/'},
         ['/height/image_annotated', '/height/markers']),
        ((), {'nodes': 'mono_depth'}, ['/rs_ml/mono_depth/depth/image_color']),
        ((POINTS,), {'nodes': 'mono_depth'},
         ['/rs_ml/mono_depth/depth/image_color', '/rs_ml/mono_depth/points']),
        ((), {'nodes': 'segmentation', 'cameras': 'a,b'},
         ['/rs_ml/a/segmentation/image_annotated', '/rs_ml/b/segmentation/image_annotated']),
        ((), {'nodes': 'segmentation', 'camera_name': 'd435',
              'driver_arguments': {'pointcloud.enable': 'true'}},
         ['/rs_ml/segmentation/image_annotated', '/camera/d435/depth/color/points']),
    ],
)  # fmt: skip
def test_only_published_topics_are_shown(config_for, blocks, given, topics):
    assert shown(config_for(*blocks, **given)) == topics


def test_all_nodes_of_the_default_camera_give_the_template_but_for_points(config_for):
    template = yaml.safe_load(CONFIG.read_text())
    assert shown(config_for()) == [topic for topic in shown(template) if 'points' not in topic]


@pytest.mark.parametrize(
    ('given', 'frame'),
    [
        ({}, 'camera_color_optical_frame'),
        ({'camera_name': 'd435'}, 'd435_color_optical_frame'),
        ({'nodes': 'denoise'}, 'camera_depth_optical_frame'),
        ({'cameras': 'front,rear'}, 'front_color_optical_frame'),
    ],
)
def test_the_fixed_frame_is_that_of_the_images(config_for, given, frame):
    options = config_for(**given)['Visualization Manager']['Global Options']
    assert options['Fixed Frame'] == frame


def test_a_recording_brings_its_frame(config_for, recording_of):
    config = config_for(recording=recording_of('detection'), bag='x')
    assert config['Visualization Manager']['Global Options']['Fixed Frame'] == 'eye_optical'
    assert shown(config) == ['/rs_ml/detection/image_annotated', '/rs_ml/detection/markers']


def test_displays_that_are_switched_off_read_nothing(config_for):
    config = config_for(nodes='denoise')
    assert viewed_topics(config) == ('/rs_ml/denoise/depth/image_rect_raw',)
    assert len(shown(config)) == 2


def test_displays_of_several_cameras_have_different_names(config_for):
    config = config_for(nodes='height', cameras='a,b')
    names = [d['Name'] for d in config['Visualization Manager']['Displays'] if 'Topic' in d]
    assert len(set(names)) == len(names) == 4
    assert 'Heights, a' in names
