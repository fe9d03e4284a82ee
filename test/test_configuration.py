"""Files that repeat the code agree with it."""

from pathlib import Path

import pytest
import yaml

pytest.importorskip('rclpy', reason='rclpy is not installed')
pytestmark = pytest.mark.ros

from rs_ml_perception.cli.main import main  # noqa: E402
from rs_ml_perception.cli.parameters_command import BEGIN, END, updated_pages  # noqa: E402
from rs_ml_perception.core.errors import ConfigError  # noqa: E402
from rs_ml_perception.core.options import walk  # noqa: E402
from rs_ml_perception.nodes.parameter_files import read_parameters  # noqa: E402
from rs_ml_perception.nodes.table import NODES, camera_inputs  # noqa: E402

REPO = Path(__file__).resolve().parent.parent
PARAMETER_FILE = REPO / 'config' / 'perception.yaml'


def test_the_parameter_file_lists_every_parameter(capsys):
    assert main(['parameters', '--format', 'yaml']) == 0
    assert PARAMETER_FILE.read_text() == capsys.readouterr().out


def test_the_pages_of_the_nodes_list_every_parameter():
    for path, text in updated_pages(REPO / 'docs' / 'nodes').items():
        assert path.read_text() == text, 'run: rs-ml parameters --pages docs/nodes'


def test_tables_are_written_where_a_page_has_their_place(tmp_path, capsys):
    assert main(['parameters', '--pages', str(tmp_path)]) == 2
    assert 'detection.md cannot be read' in capsys.readouterr().err
    for page in (REPO / 'docs' / 'nodes').iterdir():
        (tmp_path / page.name).write_text('no place')
    assert main(['parameters', '--pages', str(tmp_path)]) == 2
    assert 'has no place for a table' in capsys.readouterr().err
    for page in tmp_path.iterdir():
        page.write_text(f'above\n{BEGIN}outdated{END}\nbelow\n')
    assert main(['parameters', '--pages', str(tmp_path)]) == 0
    text = (tmp_path / 'detection.md').read_text()
    assert text.startswith(f'above\n{BEGIN}\n\n| detection: parameter')
    assert text.endswith(f'{END}\nbelow\n')
    assert 'outdated' not in text


@pytest.mark.parametrize('name', NODES)
def test_uncommented_values_are_the_defaults(name, tmp_path):
    text = PARAMETER_FILE.read_text().replace('    # ', '    ')
    everything = tmp_path / 'all.yaml'
    everything.write_text(text)
    parameters_type = NODES[name].node_class().parameters_type
    block = yaml.safe_load(text)[f'/**/{name}']['ros__parameters']
    assert set(block) == {leaf.name for leaf in walk(parameters_type)}
    assert read_parameters(parameters_type, name, str(everything)) == parameters_type()


@pytest.mark.parametrize('name', NODES)
def test_the_preset_for_two_cores_limits_every_network(name):
    path = REPO / 'config' / 'perception_2_cores.yaml'
    parameters = read_parameters(NODES[name].node_class().parameters_type, name, str(path))
    assert (parameters.max_rate_hz > 0) == NODES[name].has_network
    assert getattr(parameters, 'threads', 1) == 1


@pytest.mark.parametrize(
    ('text', 'sentence'),
    [
        ('/**/detection: {ros__parameters: {max_rate: 1.0}}', 'did you mean max_rate_hz'),
        ('detection: {ros__parameters: {zzz: 1.0}}', "has no parameter 'zzz'"),
        ('/**: {ros__parameters: {score_threshold: abc}}', 'must be of type float'),
        ('- 1', 'must map node names'),
    ],
)
def test_errors_in_a_parameter_file_are_named(tmp_path, text, sentence):
    path = tmp_path / 'params.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        read_parameters(NODES['detection'].node_class().parameters_type, 'detection', str(path))


def test_a_node_ignores_parameters_of_other_nodes(tmp_path):
    path = tmp_path / 'params.yaml'
    block = 'ros__parameters: {use_sim_time: true}'
    path.write_text(
        f'/**: {{{block.replace("use_sim_time", "zzz")}}}\n/rs_ml/detection: {{{block}}}'
    )
    parameters_type = NODES['detection'].node_class().parameters_type
    assert read_parameters(parameters_type, 'detection', str(path)) == parameters_type()


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
