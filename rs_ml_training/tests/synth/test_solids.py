"""Meshes: where they are, which way they look."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.synth.mesh import Mesh, joined
from rs_ml_training.synth.solids import (
    box,
    cushion,
    cylinder,
    lathe,
    sheet,
    sphere,
    tube,
    wall_with_holes,
)

PATH = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.3, 0.0, 1.5]])
SOLIDS = {
    'box': (box((1, 2, 3)), (1, 2, 3)),
    'cylinder': (cylinder(0.5, 2.0, sides=64), (1, 1, 2)),
    'cushion': (cushion((1.0, 0.6, 0.3)), (1.0, 0.6, 0.3)),
    'sphere': (sphere(0.5), (1, 1, 1)),
    'lathe': (lathe([(0.2, 0), (0.4, 1), (0.1, 2)], sides=64), (0.8, 0.8, 2)),
    'tube': (tube(PATH, 0.1, sides=32), (0.45, 0.2, 1.65)),
}


def surface_area(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


@pytest.mark.parametrize('name', SOLIDS)
def test_solids_have_their_size_and_look_outwards(name):
    mesh, size = SOLIDS[name]
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), size, atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-5)
    corners = mesh.vertices[mesh.faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    smooth = mesh.normals[mesh.faces].mean(axis=1)
    large = np.linalg.norm(flat, axis=1) > 1e-9
    assert ((flat * smooth).sum(axis=1)[large] > 0).mean() > 0.99
    # The divergence theorem: a closed surface that looks outwards has a positive volume.
    assert (corners[:, 0] * flat).sum() / 6 > 0


def test_nothing_joined_is_an_empty_mesh():
    mesh = joined([])
    assert mesh.vertices.shape == (0, 3)
    assert mesh.faces.shape == (0, 3)


def test_normals_of_another_mesh_are_refused():
    with pytest.raises(InputError, match='3 vertices'):
        Mesh(np.zeros((3, 3)), np.zeros((2, 3)), np.zeros((3, 2)), np.zeros((1, 3)))


@pytest.mark.parametrize(
    ('holes', 'area'),
    [
        ([], 6.0),
        ([(1.0, 0.5, 2.0, 1.5)], 5.0),
        ([(0.0, 0.0, 1.0, 2.0), (2.0, 0.5, 2.5, 1.0)], 3.75),
    ],
)
def test_holes_are_left_out_of_a_wall(holes, area):
    assert surface_area(wall_with_holes(3.0, 2.0, holes)) == pytest.approx(area, abs=1e-5)


def test_moving_and_stretching_keep_the_surface_coordinates():
    mesh = sheet(np.stack(np.meshgrid(np.arange(3.0), np.arange(4.0), [0.0]), -1)[:, :, 0])
    turned = mesh.moved(np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]), (1, 2, 3))
    np.testing.assert_allclose(turned.vertices[:, 2], 3)
    np.testing.assert_array_equal(turned.uv, mesh.uv)
    assert mesh.stretched(2, 1, 1).vertices[:, 0].max() == 4
