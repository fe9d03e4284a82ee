"""The best one-to-one pairing, exactly and without scipy."""

from __future__ import annotations

import numpy as np


def best_pairs(gain: np.ndarray, min_gain: float) -> tuple[np.ndarray, np.ndarray]:
    """Pair rows with columns so that the sum of gains is greatest.

    Pairs nobody else competes for are taken at once; what is left goes to the Hungarian method.

    Args:
        gain: float (N, M), not negative.
        min_gain: pairs below are never made.

    Returns:
        Indices of the paired rows and columns, int64 (K,) each, ascending rows.
    """
    allowed = gain >= max(min_gain, np.finfo(float).tiny)
    alone = allowed & (allowed.sum(1, keepdims=True) == 1) & (allowed.sum(0) == 1)
    rows, columns = np.nonzero(alone)
    contested = allowed & ~alone
    left_rows = np.flatnonzero(contested.any(1))
    left_columns = np.flatnonzero(contested.any(0))
    if len(left_rows):
        cost = -np.where(contested, gain, 0.0)[np.ix_(left_rows, left_columns)]
        chosen = _min_cost_columns(cost)
        pairs = [(r, left_columns[c]) for r, c in zip(left_rows, chosen, strict=True) if c >= 0]
        pairs = [(r, c) for r, c in pairs if contested[r, c]]
        rows = np.append(rows, [r for r, _ in pairs]).astype(np.int64)
        columns = np.append(columns, [c for _, c in pairs]).astype(np.int64)
    order = np.argsort(rows)
    return rows[order], columns[order]


def _min_cost_columns(cost: np.ndarray) -> np.ndarray:
    """Column of each row, -1 for rows left over: int64 (N,)."""
    n, m = cost.shape
    if n > m:
        row_of = _min_cost_columns(cost.T)
        columns = np.full(n, -1)
        columns[row_of] = np.arange(m)
        return columns
    row_of = _augment_all(cost)
    columns = np.full(n, -1)
    columns[row_of[row_of >= 0]] = np.flatnonzero(row_of >= 0)
    return columns


def _augment_all(cost: np.ndarray) -> np.ndarray:
    """Row of each column, -1 for free ones.

    Shortest augmenting paths with potentials: R. Jonker and A. Volgenant, A shortest augmenting
    path algorithm for dense and sparse linear assignment problems, Computing 38, 1987.
    """
    n, m = cost.shape
    row_of, u, v = np.full(m, -1), np.zeros(n), np.zeros(m)
    for start in range(n):
        shortest, previous = np.full(m, np.inf), np.full(m, -1)
        done, row, column, reached = np.zeros(m, bool), start, -1, 0.0
        while True:
            through = reached + cost[row] - u[row] - v
            shorter = ~done & (through < shortest)
            shortest[shorter], previous[shorter] = through[shorter], column
            column = int(np.argmin(np.where(done, np.inf, shortest)))
            reached, row = shortest[column], row_of[column]
            if row < 0:
                break
            done[column] = True
        u[row_of[done]] += reached - shortest[done]
        u[start] += reached
        v[done] -= reached - shortest[done]
        _flip_path(row_of, previous, column, start)
    return row_of


def _flip_path(row_of: np.ndarray, previous: np.ndarray, column: int, start: int) -> None:
    """Hand each column on the path the row of the one before it, in place."""
    while previous[column] >= 0:
        row_of[column] = row_of[previous[column]]
        column = previous[column]
    row_of[column] = start
