"""Operators between numbers, and between a vector and a number."""

import numpy as np

from fleetkeeper.telemetry.promql.labels import without_name
from fleetkeeper.telemetry.promql.mathematics import ARITHMETIC, COMPARISONS, DROPS_NAME
from fleetkeeper.telemetry.promql.matrices import Matrix, Scalars, unique_series
from fleetkeeper.telemetry.promql.samples import Flags
from fleetkeeper.telemetry.resample import Values


def apply(op: str, left: Values, right: Values, *, return_bool: bool) -> tuple[Values, Flags | None]:
    """The operator's values, and which of them a comparison keeps (None: all)."""
    if op in ARITHMETIC:
        return ARITHMETIC[op](left, right), None
    kept = COMPARISONS[op](left, right)
    if return_bool:
        return kept.astype(np.float64), None
    return left, kept


def between_scalars(op: str, left: Scalars, right: Scalars) -> Scalars:
    """An operator between two numbers per step."""
    return apply(op, left, right, return_bool=True)[0]


def with_scalar(op: str, vector: Matrix, scalar: Scalars, *, swapped: bool, return_bool: bool) -> Matrix:
    """An operator between a vector and a number per step; `swapped` when the number stands on the left."""
    left, right = (scalar, vector.values) if swapped else (vector.values, scalar)
    values, kept = apply(op, np.broadcast_to(left, vector.values.shape), right, return_bool=return_bool)
    if kept is not None:
        # A comparison keeps the vector's value, wherever it stands.
        values = vector.values
    present = vector.present if kept is None else vector.present & kept
    if op in DROPS_NAME or return_bool:
        return unique_series(Matrix([without_name(item) for item in vector.labels], values, present))
    return Matrix(vector.labels, values, present).packed()
