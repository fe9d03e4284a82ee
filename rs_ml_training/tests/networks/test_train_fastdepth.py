"""FastDepth holds what every network holds."""

import pytest


@pytest.mark.parametrize(
    ('name', 'options'),
    [
        ('fastdepth', {'width': 0.25}),
        ('fastdepth', {'width': 0.25, 'skip': 'concat', 'head': 'exp'}),
        ('fastdepth', {'width': 0.25, 'skip': 'none', 'head': 'relu'}),
        ('fastdepth-pruned', {'max_depth_m': 80.0}),
    ],
)
def test_contract(check_network, name, options):
    check_network(name, **options)
