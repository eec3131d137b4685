"""Functions from number to number, and the arithmetic of operators, as Go computes them at the edges."""

from collections.abc import Callable

import numpy as np

from fleetkeeper.telemetry.promql.samples import Flags
from fleetkeeper.telemetry.resample import Values


def sign(values: Values) -> Values:
    """-1, 0 or 1; NaN and both zeros stay what they are."""
    return np.where(values < 0, -1.0, np.where(values > 0, 1.0, values))


def larger(left: Values, right: Values) -> Values:
    """The larger of two; +Inf wins over NaN, NaN over all else."""
    result = np.maximum(left, right)
    return np.where((left == np.inf) | (right == np.inf), np.inf, result)


def smaller(left: Values, right: Values) -> Values:
    """The smaller of two; -Inf wins over NaN, NaN over all else."""
    result = np.minimum(left, right)
    return np.where((left == -np.inf) | (right == -np.inf), -np.inf, result)


def rounded(values: Values, nearest: Values) -> Values:
    """The nearest multiple; halves go up."""
    inverse = 1.0 / nearest
    result: Values = np.floor(values * inverse + 0.5) / inverse
    return result


MATHEMATICS: dict[str, Callable[[Values], Values]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg": lambda values: values * 180 / np.pi,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "rad": lambda values: values * np.pi / 180,
    "sgn": sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}

ARITHMETIC: dict[str, Callable[[Values, Values], Values]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}

COMPARISONS: dict[str, Callable[[Values, Values], Flags]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}

# `atan2` is not among them in Prometheus 2.42.
DROPS_NAME = frozenset("+-*/%^")
