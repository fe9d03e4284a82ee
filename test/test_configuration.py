"""Files that repeat what the code says are checked against it."""

from pathlib import Path

import pytest
import yaml

pytest.importorskip('rclpy', reason='rclpy is not installed')
pytestmark = pytest.mark.ros

from rs_ml_perception.cli.main import main  # noqa: E402
from rs_ml_perception.core.options import walk  # noqa: E402
from rs_ml_perception.nodes.parameter_file import read_parameters  # noqa: E402
from rs_ml_perception.nodes.table import NODES, camera_inputs, camera_prefix  # noqa: E402

REPO = Path(__file__).resolve().parent.parent
PARAMETER_FILE = REPO / 'config' / 'perception.yaml'


def test_the_parameter_file_lists_every_parameter(capsys):
    assert main(['parameters', '--format', 'yaml']) == 0
    assert PARAMETER_FILE.read_text() == capsys.readouterr().out


@pytest.mark.parametrize('name', NODES)
def test_with_every_comment_removed_it_gives_the_defaults(name, tmp_path):
    text = PARAMETER_FILE.read_text().replace('    # ', '    ')
    everything = tmp_path / 'all.yaml'
    everything.write_text(text)
    parameters_type = NODES[name].node_class().parameters_type
    block = yaml.safe_load(text)[f'/**/{name}']['ros__parameters']
    assert set(block) == {leaf.name for leaf in walk(parameters_type)}
    assert read_parameters(parameters_type, name, str(everything)) == parameters_type()


@pytest.mark.parametrize(
    ('namespace', 'name', 'expected'),
    [
        ('camera', 'camera', '/camera/camera'),
        ('', 'camera', '/camera'),
        ('/', 'camera', '/camera'),
        ("''", 'camera', '/camera'),
        ('robot/front/', '/d435', '/robot/front/d435'),
        ('', '', ''),
    ],
)
def test_camera_prefix(namespace, name, expected):
    assert camera_prefix(namespace, name) == expected


def test_rviz_shows_topics_that_exist():
    config = yaml.safe_load((REPO / 'config' / 'rviz' / 'perception.rviz').read_text())
    topics = [
        display['Topic']['Value']
        for display in config['Visualization Manager']['Displays']
        if 'Topic' in display
    ]
    known = {
        f'/rs_ml/{name}/{output.topic}'
        for name, spec in NODES.items()
        for output in spec.node_class().outputs
    }
    ours = {topic for topic in topics if topic.startswith('/rs_ml/')}
    assert ours
    assert ours <= known
    assert camera_inputs()[0] == 'color/image_raw'


def test_the_readme_is_short_and_its_links_lead_somewhere():
    import re

    text = (REPO / 'README.md').read_text()
    assert len(text.splitlines()) <= 120
    for link in re.findall(r'\]\(([^)]+)\)', text):
        assert (REPO / link).exists(), link
