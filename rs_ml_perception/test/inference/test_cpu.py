"""What /proc/cpuinfo says about a processor."""

import pytest
from rs_ml_perception.inference import cpu
from rs_ml_perception.inference.cpu import Cpu, available_cores, parse_cpuinfo, this_cpu

X86 = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) {model}
flags\t\t: fpu avx2 avx512f {flags}
bugs\t\t: spectre_v1

processor\t: 1
model name\t: another
flags\t\t: fpu
"""
ARM = """processor\t: 0
BogoMIPS\t: 50.00
Features\t: fp asimd fphp asimdhp i8mm bf16
CPU implementer\t: 0x41

processor\t: 1
Features\t: fp
"""


@pytest.mark.parametrize(
    ('text', 'name', 'feature', 'has_bfloat16'),
    [
        ('', '', None, False),
        ('no colon\n: \n', '', None, False),
        (X86.format(model='6338', flags='avx512_vnni'), 'Intel(R) Xeon(R) 6338', 'avx2', False),
        (X86.format(model='8375', flags='avx512_bf16'), 'Intel(R) Xeon(R) 8375', 'avx2', True),
        (X86.format(model='8488', flags='amx_bf16'), 'Intel(R) Xeon(R) 8488', 'amx_bf16', True),
        (ARM, '', 'bf16', False),
    ],
)
def test_the_first_processor_of_a_text(text, name, feature, has_bfloat16):
    found = parse_cpuinfo(text)
    assert found.name == name
    assert feature is None or feature in found.features
    assert bool(found.features) == (feature is not None)
    assert found.has_bfloat16 == has_bfloat16


def test_a_system_without_the_file(monkeypatch, tmp_path):
    monkeypatch.setattr(cpu, 'CPUINFO', tmp_path / 'none')
    assert this_cpu() == Cpu(cpu.platform.processor())


def test_this_machine_has_cores():
    assert available_cores() >= 1
