"""Tables, host facts, and sections that fail."""

import json

import pytest
from rs_ml_perception.core.errors import ConfigError

from benchmarks.host import CPU_FLAGS, host_facts
from benchmarks.speed.__main__ import main
from benchmarks.speed.sections import (
    RESULT_FILE,
    SECTIONS,
    SpeedOptions,
    last_error,
    parse_sections,
)
from benchmarks.tables import Row, markdown_table, terminal_table


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('', list(SECTIONS)),
        ('predecessors,graph', ['graph', 'predecessors']),
        ('delivery', ['delivery']),
    ],
)
def test_sections_come_in_the_order_of_the_table(text, expected):
    assert parse_sections(text) == expected


def test_an_unknown_section_is_named():
    with pytest.raises(ConfigError, match="'gpu': choose from models, graph"):
        parse_sections('graph,gpu')


@pytest.mark.ros
@pytest.mark.parametrize('name', SECTIONS)
def test_every_section_measures_and_prints(name):
    pytest.importorskip('rclpy')
    pytest.importorskip('rs_ml_msgs')
    module = SECTIONS[name].load()
    assert callable(module.measure)
    assert callable(module.rows)


@pytest.mark.parametrize(
    ('rows', 'expected'),
    [
        ([], 'T\n-'),
        ([Row('a', '1'), Row('bcd', '2', '3', True)], 'T\n-\na    1\nbcd  2   goal 3: ok'),
        ([Row('a', '1', '2', False)], 'T\n-\na  1   goal 2: MISSED'),
    ],
)
def test_the_table_of_the_terminal(rows, expected):
    assert terminal_table('T', rows) == expected


def test_a_table_of_markdown():
    assert markdown_table(['a', 'b'], []) == '| a | b |\n|---|---|'
    assert markdown_table(['a', 'b'], [('1', '2')]).endswith('\n| 1 | 2 |')


def test_quick_is_less_of_everything():
    whole, quick = SpeedOptions('r'), SpeedOptions('r').quick()
    assert quick.recording == 'r'
    assert quick.rounds < whole.rounds
    assert quick.frames < whole.frames
    assert quick.delivery_frames < whole.delivery_frames


def test_host_facts_can_be_saved():
    facts = json.loads(json.dumps(host_facts()))
    assert facts['cores'] >= 1
    assert set(facts['cpu_flags']) == set(CPU_FLAGS)
    assert facts['versions']['numpy']


@pytest.mark.parametrize(
    ('library', 'expected'),
    [
        ('/x/tensorflow/libtensorflow_cc.so.2', True),
        ('/x/openvino/frontend/tensorflow/py_tensorflow_frontend.so', False),
        ('/x/openvino/libs/libopenvino_tensorflow_frontend.so', False),
    ],
)
def test_readers_of_tensorflow_models_are_not_tensorflow(library, expected):
    start_up = pytest.importorskip('benchmarks.speed.start_up', reason='needs rclpy')
    assert start_up.is_tensorflow(library) == expected


@pytest.mark.parametrize(
    ('log', 'expected'),
    [
        ('', ''),
        ('\n \n', ''),
        ('INFO: a delegate\nkilled\n', 'killed'),
        ('Traceback\n  File "x"\nValueError: 3\nINFO: bye\n', 'ValueError: 3'),
        ('onnxruntime.capi.NoSuchFile\na.b.XError: 3\nend', 'a.b.XError: 3'),
        (
            'section graph: no result from height\nsection done',
            'section graph: no result from height',
        ),
        (
            '[ERROR] [17.3] [rs_ml.height]: cannot configure\nfreed',
            '[ERROR] [17.3] [rs_ml.height]: cannot configure',
        ),
        ('cannot start: no node x\n\n', 'cannot start: no node x'),
    ],
)
def test_the_last_error_of_a_log(log, expected):
    assert last_error(log) == expected


@pytest.mark.ros
def test_a_failed_section_is_reported_and_sets_the_exit_status(tmp_path, capsys):
    pytest.importorskip('rs_ml_msgs')
    recording = tmp_path / 'none'
    arguments = ['--only', 'graph', '--quick', '--recording', str(recording)]
    assert main([*arguments, '--out', str(tmp_path / 'out')]) == 1
    book = json.loads((tmp_path / 'out' / RESULT_FILE).read_text())
    assert f'{recording} does not exist' in book['graph']['error']
    assert 'not measured' in capsys.readouterr().out
