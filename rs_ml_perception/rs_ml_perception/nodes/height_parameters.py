"""Parameters of height_node."""

from __future__ import annotations

from dataclasses import dataclass

from rs_ml_perception.core.options import option
from rs_ml_perception.nodes.distances import farthest_m, farthest_option, nearest_option
from rs_ml_perception.ros.common_parameters import StreamParameters
from rs_ml_perception.tasks.height import HeightOptions, HeightPipelineOptions


@dataclass(frozen=True)
class HeightParameters(StreamParameters):
    """All of them, and what they mean to the pipeline."""

    classes: tuple[str, ...] = option(('person',), 'names of the classes that are measured')
    gravity_frame: str = option(
        '', 'TF frame whose z is up; empty: accelerometer, else the floor, else the image'
    )
    range_min_m: float = nearest_option('measure persons at least this far [m]')
    range_max_m: float = farthest_option(
        'measure persons at most this far; 1000: any, also those without depth [m]'
    )

    max_people: int = option(
        HeightOptions.max_people,
        'measure the best so many; the others are listed as NOT_MEASURED',
        low=1,
        high=1000,
    )

    @property
    def pipeline_options(self) -> HeightPipelineOptions:
        height = HeightOptions(
            range_min_m=self.range_min_m,
            range_max_m=farthest_m(self.range_max_m),
            max_people=self.max_people,
        )
        return HeightPipelineOptions(height, self.classes)
