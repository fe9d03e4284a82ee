"""Kinds of props in the rooms of each side; no kind is in both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np

from rs_ml_training.synth import fittings, objects, seating, tables
from rs_ml_training.synth.body import Outfit
from rs_ml_training.synth.materials import MaterialMaker
from rs_ml_training.synth.mesh import Mesh
from rs_ml_training.synth.options import Side
from rs_ml_training.synth.props import Piece, Prop

Builder = Callable[[np.random.Generator, MaterialMaker], Prop]
Hole = tuple[float, float, float, float]
WindowBuilder = Callable[[np.random.Generator, MaterialMaker, Hole], list[Piece]]
DraperyBuilder = Callable[[np.random.Generator, float, float, float, float], Mesh]


@dataclass(frozen=True)
class Families:
    """Builders of one side.

    Attributes:
        chairs: for people to sit on, with a front.
        tables: high enough to sit at, or low before a sofa.
        sofas: with their back to a wall.
        beds: with their head to a wall.
        storage: cupboards and shelves.
        televisions: that stand on something.
        small: objects for tables and boards.
        large: objects for the floor.
        pictures: on walls.
        doors: on walls.
        windows: in holes of walls.
        draperies: before windows.
        outfits: of people.
    """

    chairs: tuple[Builder, ...]
    tables: tuple[Builder, ...]
    sofas: tuple[Builder, ...]
    beds: tuple[Builder, ...]
    storage: tuple[Builder, ...]
    televisions: tuple[Builder, ...]
    small: tuple[Builder, ...]
    large: tuple[Builder, ...]
    pictures: tuple[Builder, ...]
    doors: tuple[Builder, ...]
    windows: tuple[WindowBuilder, ...]
    draperies: tuple[DraperyBuilder, ...]
    outfits: tuple[Outfit, ...]

    def kinds(self) -> frozenset[object]:
        """Everything a room of this side may hold."""
        return frozenset(kind for field in fields(self) for kind in getattr(self, field.name))


FAMILIES: Mapping[Side, Families] = MappingProxyType(
    {
        Side.TRAIN: Families(
            chairs=(seating.four_leg_chair, seating.office_chair),
            tables=(tables.leg_table, tables.drawer_desk, tables.coffee_table),
            sofas=(seating.block_sofa,),
            beds=(seating.box_bed,),
            storage=(tables.cabinet, tables.book_shelf),
            televisions=(tables.flat_tv,),
            small=(
                objects.carton,
                objects.bottle,
                objects.mug,
                objects.book_stack,
                objects.screen_on_foot,
            ),
            large=(
                objects.ball,
                objects.crate,
                objects.plant,
                objects.floor_lamp,
                objects.bin_,
                objects.backpack,
                objects.cables,
            ),
            pictures=(fittings.framed_picture,),
            doors=(fittings.panel_door,),
            windows=(fittings.cross_window,),
            draperies=(fittings.curtain,),
            outfits=(Outfit.SHIRT_AND_TROUSERS, Outfit.SHORTS, Outfit.SKIRT),
        ),
        Side.TEST: Families(
            chairs=(seating.cantilever_chair, seating.shell_chair),
            tables=(tables.round_table, tables.trestle_table),
            sofas=(seating.round_sofa,),
            beds=(seating.post_bed,),
            storage=(tables.ladder_shelf, tables.glass_cabinet, tables.mirror_wardrobe),
            televisions=(tables.tube_tv,),
            small=(
                objects.jug,
                objects.goblet,
                objects.laptop,
                objects.bowl_of_fruit,
                objects.leaning_books,
            ),
            large=(
                objects.suitcase,
                objects.cactus,
                objects.toy,
                objects.drum,
                objects.arc_lamp,
                objects.umbrella,
            ),
            pictures=(fittings.wall_clocks,),
            doors=(fittings.double_door,),
            windows=(fittings.row_window,),
            draperies=(fittings.blind,),
            outfits=(Outfit.COAT, Outfit.DRESS, Outfit.HOODED),
        ),
    }
)
"""Builders by side."""
