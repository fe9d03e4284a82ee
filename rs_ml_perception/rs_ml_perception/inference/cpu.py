"""The CPU of this machine: its instruction sets and cores."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

CPUINFO = Path('/proc/cpuinfo')
_BFLOAT16 = frozenset({'avx512_bf16', 'amx_bf16'})


@dataclass(frozen=True)
class Cpu:
    """A processor.

    Attributes:
        name: '' if the system gives none, as on arm64.
        features: words of the kernel for its instruction sets.
    """

    name: str = ''
    features: frozenset[str] = frozenset()

    @property
    def has_bfloat16(self) -> bool:
        """Whether it multiplies bfloat16 by AVX512_BF16 or AMX.

        That of Arm does not count: OpenVINO has no kernels for it.
        """
        return bool(self.features & _BFLOAT16)


def this_cpu() -> Cpu:
    """The first processor of this machine."""
    if not CPUINFO.is_file():
        return Cpu(platform.processor())
    return parse_cpuinfo(CPUINFO.read_text(encoding='utf-8', errors='replace'))


def parse_cpuinfo(text: str) -> Cpu:
    """The first processor in a text like /proc/cpuinfo."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(':')
        fields.setdefault(key.strip(), value.strip())
    words = fields.get('flags') or fields.get('Features') or ''
    return Cpu(fields.get('model name', ''), frozenset(words.split()))


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))
