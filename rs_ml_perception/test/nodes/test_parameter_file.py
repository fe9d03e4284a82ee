"""Which blocks of a parameter file are meant for a node."""

import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.nodes.parameter_file import given_values


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


def test_later_blocks_win(tmp_path):
    path = tmp_path / 'parameters.yaml'
    path.write_text(
        '/**:\n  ros__parameters: {a: 1, b: 1}\n/rs_ml/x:\n  ros__parameters: {b: 2, c: [u, v]}\n'
    )
    values = given_values('x', str(path))
    assert values == {'a': 1, 'b': 2, 'c': ['u', 'v']}
    assert given_values('x', '') == {}
    with pytest.raises(ConfigError, match='cannot be read'):
        given_values('x', str(tmp_path / 'none.yaml'))
