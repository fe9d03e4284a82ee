"""The U-Nets hold what every network holds."""

import pytest


@pytest.mark.parametrize(('name', 'options'), [('unet-light', {}), ('unet-light', {'width': 8})])
def test_contract(check_network, name, options):
    check_network(name, **options)
