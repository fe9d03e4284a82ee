"""The table of what can be measured."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Section:
    """One part of the benchmark.

    Attributes:
        title: above its lines.
        module: with measure(options, logs) and rows(result).
    """

    title: str
    module: str

    def load(self) -> ModuleType:
        """Import it, and with it what it measures."""
        return importlib.import_module(f'benchmarks.speed.{self.module}')


SECTIONS: dict[str, Section] = {
    'models': Section('The shipped networks alone, two threads', 'model_speed'),
    'graph': Section('Graph rate / rate of the bare models one after another', 'graph_rate'),
    'costs': Section('Cost per frame apart from inference', 'frame_costs'),
    'layouts': Section('One process for all nodes / one process per node', 'layouts'),
    'delivery': Section('1280x720 images at 30 Hz between two processes', 'delivery'),
    'seeds': Section("The seeds' way / ours, per frame", 'seeds_comparison'),
    'startup': Section('Start, memory, CPU of the graph', 'start_up'),
    'backends': Section('Untuned / tuned models', 'backend_choice'),
}
