"""Which values a parameter file gives to which node."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.nodes.parameter_files import (
    NO_BLOCKS,
    ParameterBlocks,
    given_values,
    matches,
    read_blocks,
)


@pytest.fixture
def blocks_of(tmp_path):
    def read(text: str) -> ParameterBlocks:
        path = tmp_path / 'params.yaml'
        path.write_text(text)
        return read_blocks(path)

    return read


P = 'ros__parameters'


@pytest.mark.parametrize(
    ('text', 'values'),
    [
        ('', {}),
        ('/**: {}', {}),
        (f'/**: {{{P}: }}', {'/**': {}}),
        (f'detection: {{{P}: {{a: 1}}}}', {'/detection': {'a': 1}}),
        (f'/rs_ml/detection: {{{P}: {{a: {{b: 1, c: 2}}}}}}',
         {'/rs_ml/detection': {'a.b': 1, 'a.c': 2}}),
        (f'rs_ml: {{detection: {{{P}: {{a: 1}}}}}}', {'/rs_ml/detection': {'a': 1}}),
    ],
)  # fmt: skip
def test_blocks_are_read(blocks_of, text, values):
    assert blocks_of(text).values == values


@pytest.mark.parametrize(
    ('key', 'node', 'is_match'),
    [
        ('/**', '/rs_ml/detection', True),
        ('/**/detection', '/rs_ml/detection', True),
        ('/**/detection', '/detection', True),
        ('/*/detection', '/rs_ml/detection', True),
        ('/*/detection', '/rs_ml/front/detection', False),
        ('/rs_ml/**', '/rs_ml/front/detection', True),
        ('/detection', '/rs_ml/detection', False),
        ('/rs_ml/detection', '/rs_ml/detection', True),
        ('/rs_ml/detectio.', '/rs_ml/detection', False),
    ],
)
def test_names_match_as_in_rcl(key, node, is_match):
    assert matches(key, node) == is_match


def test_later_blocks_win(blocks_of):
    blocks = blocks_of(f'/rs_ml/d: {{{P}: {{a: 1, b: 1}}}}\n/**: {{{P}: {{a: 2}}}}')
    assert blocks.of('/rs_ml/d') == {'a': 2, 'b': 1}


@pytest.mark.parametrize(
    ('text', 'sentence'),
    [
        ('a: [', 'cannot be read'),
        ('- 1', 'must map node names'),
        ('a: 1', 'must map node names'),
        (f'a: {{{P}: 3}}', 'must map node names'),
    ],
)
def test_other_files_are_refused(blocks_of, text, sentence):
    with pytest.raises(ConfigError, match=sentence):
        blocks_of(text)


@pytest.mark.parametrize('name', ['', 'missing.yaml'])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    with pytest.raises(ConfigError, match=f'{tmp_path / name} cannot be read'):
        read_blocks(tmp_path / name)


def test_a_follow_up_file_repeats_lists_without_references():
    shared = ['x y 0 0 0 0 0 0 1']
    text = NO_BLOCKS.follow_up({'/a': {'t': shared}, '/b': {'t': shared}, '/c': {}})
    assert '&' not in text
    assert yaml.safe_load(text) == {name: {P: {'t': shared}} for name in ('/a', '/b')}


PRINTING = """
import rclpy, sys
from rclpy.node import Node
rclpy.init(args=sys.argv)
for namespace in ('/rs_ml', '/rs_ml/rear'):
    node = Node('detection', namespace=namespace)
    found = {name: p.value for name, p in node._parameter_overrides.items()}
    print(' '.join(f'{name}={found[name]}' for name in sorted(found)))
"""


@pytest.mark.ros
@pytest.mark.parametrize(
    'text',
    [
        f'/**: {{{P}: {{a: 1, b: 1}}}}',
        f'/rs_ml/detection: {{{P}: {{a: 1}}}}\n/**: {{{P}: {{a: 2, b: 1}}}}',
        f'/**/detection: {{{P}: {{a: 1}}}}\n/rs_ml: {{detection: {{{P}: {{b: 1}}}}}}',
        f'/rs_ml/detection: {{{P}: {{a: 1, b: 1}}}}\n/**/rs_ml/detection: {{{P}: {{a: 1, b: 1}}}}',
    ],
)
def test_rcl_prefers_the_follow_up_file(tmp_path, text):
    pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
    first, second = tmp_path / 'first.yaml', tmp_path / 'second.yaml'
    first.write_text(text)
    blocks = read_blocks(first)
    node = '/rs_ml/detection'
    second.write_text(blocks.follow_up({node: {'a': 2}}))
    command = [sys.executable, '-c', PRINTING, '--ros-args']
    command += ['--params-file', str(first), '--params-file', str(second)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ours, other = done.stdout.splitlines()
    assert ours == 'a=2 b=1'
    said = blocks.of('/rs_ml/rear/detection')
    assert other == ' '.join(f'{name}={said[name]}' for name in sorted(said))


@pytest.mark.parametrize(
    ('key', 'is_meant'),
    [
        ('/**', True),
        ('/rs_ml/detection', True),
        ('rs_ml/detection', True),
        ('/rs_ml/**', True),
        ('/rs_ml/*', True),
        ('/*/detection', True),
        ('/**/detection', True),
        ('/robot/front/detection', True),
        ('/*', False),
        ('/rs_ml/height', False),
        ('/rs_ml/*/detection2', False),
        ('/other/**', False),
    ],
)
def test_a_key_is_meant_for_the_node(tmp_path, key, is_meant):
    path = tmp_path / 'parameters.yaml'
    path.write_text(f'{key}:\n  ros__parameters: {{diagnostics: {{max_image_age_ms: 5.0}}}}\n')
    expected = {'diagnostics.max_image_age_ms': 5.0} if is_meant else {}
    assert given_values('detection', str(path)) == expected


def test_later_blocks_win_offline(tmp_path):
    path = tmp_path / 'parameters.yaml'
    path.write_text(
        '/**:\n  ros__parameters: {a: 1, b: 1}\n/rs_ml/x:\n  ros__parameters: {b: 2, c: [u, v]}\n'
    )
    values = given_values('x', str(path))
    assert values == {'a': 1, 'b': 2, 'c': ['u', 'v']}
    assert given_values('x', '') == {}
    with pytest.raises(ConfigError, match='cannot be read'):
        given_values('x', str(tmp_path / 'none.yaml'))
