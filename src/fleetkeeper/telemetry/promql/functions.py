"""Calls of functions: which evaluates its arguments how, and what becomes of labels."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from fleetkeeper.telemetry.promql import over_time, rates
from fleetkeeper.telemetry.promql.dates import DATE_FUNCTIONS, date_part
from fleetkeeper.telemetry.promql.expressions import Call, Expression, Selector, Text, kind_of
from fleetkeeper.telemetry.promql.histograms import histogram_quantile
from fleetkeeper.telemetry.promql.label_functions import label_join, label_replace
from fleetkeeper.telemetry.promql.labels import NAME, Labels, make_labels, without_name
from fleetkeeper.telemetry.promql.mathematics import MATHEMATICS, larger, rounded, smaller
from fleetkeeper.telemetry.promql.matrices import Matrix, Scalars, Steps, unique_series
from fleetkeeper.telemetry.promql.samples import Flags
from fleetkeeper.telemetry.promql.windows import Windows
from fleetkeeper.telemetry.resample import Values

if TYPE_CHECKING:
    from fleetkeeper.telemetry.promql.evaluation import Evaluator

# Cells (series x steps) that a range function works on between two looks at the clock.
BLOCK_CELLS = 500_000

RANGE_FUNCTIONS = {
    "avg_over_time": over_time.mean,
    "changes": rates.changes,
    "count_over_time": over_time.count,
    "delta": rates.delta,
    "deriv": rates.deriv,
    "holt_winters": rates.holt_winters,
    "idelta": rates.idelta,
    "increase": rates.increase,
    "irate": rates.irate,
    "last_over_time": over_time.last,
    "max_over_time": over_time.largest,
    "min_over_time": over_time.smallest,
    "predict_linear": rates.predict_linear,
    "present_over_time": over_time.present,
    "quantile_over_time": over_time.quantile,
    "rate": rates.rate,
    "resets": rates.resets,
    "stddev_over_time": over_time.deviation,
    "stdvar_over_time": over_time.variance,
    "sum_over_time": over_time.total,
}
# These give another answer at each step, even when their argument has an @ modifier.
DEPEND_ON_STEP = DATE_FUNCTIONS | {"predict_linear", "time", "timestamp"}
_NATIVE_HISTOGRAMS = frozenset({"histogram_count", "histogram_sum", "histogram_fraction"})


def call(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix | Scalars:
    """The value of a function call. Raises PromqlError."""
    name = node.function
    if name in RANGE_FUNCTIONS:
        return _over_range(evaluator, node, steps)
    if name in MATHEMATICS:
        vector = evaluator.vector(node.arguments[0], steps)
        return _renamed(vector, MATHEMATICS[name](vector.values))
    if name in DATE_FUNCTIONS:
        return _date(evaluator, node, steps)
    if name in _NATIVE_HISTOGRAMS:
        return Matrix.empty(steps.count)
    return _OTHERS[name](evaluator, node, steps)


def _renamed(vector: Matrix, values: Values) -> Matrix:
    return unique_series(Matrix([without_name(item) for item in vector.labels], values, vector.present))


def _over_range(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    ranged = next(index for index, item in enumerate(node.arguments) if kind_of(item) == "matrix")
    found = evaluator.range_vector(node.arguments[ranged], steps)
    arguments = [
        evaluator.scalar(item, steps) for index, item in enumerate(node.arguments) if index != ranged
    ]
    samples, moments = found.samples, steps.times
    count = len(samples.labels)
    evaluator.check_size(count * steps.count)
    values = np.zeros((count, steps.count))
    present = np.zeros((count, steps.count), np.bool_)
    block = max(1, BLOCK_CELLS // steps.count)
    for start in range(0, count, block):
        evaluator.deadline.check()
        stop = min(count, start + block)
        some = samples.rows(start, stop)
        low, high = some.windows(found.starts, found.ends)
        windows = Windows(
            some,
            low,
            high,
            found.starts,
            found.ends,
            moments,
            found.range / 1_000_000,
            evaluator.deadline.check,
        )
        with np.errstate(all="ignore"):
            values[start:stop], present[start:stop] = RANGE_FUNCTIONS[node.function](windows, arguments)
    keeps_name = node.function == "last_over_time"
    labels = samples.labels if keeps_name else [without_name(item) for item in samples.labels]
    return unique_series(Matrix(labels, values, present), strict=True)


def _date(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    if not node.arguments:
        return _one_series(date_part(node.function, np.floor(steps.times / 1_000_000)))
    vector = evaluator.vector(node.arguments[0], steps)
    return _renamed(vector, date_part(node.function, vector.values))


def _one_series(values: Scalars, labels: Labels = (), present: Flags | None = None) -> Matrix:
    flags = np.ones(len(values), np.bool_) if present is None else present
    return Matrix([labels], values[None, :], flags[None, :]).packed()


def _time(_: "Evaluator", __: Call, steps: Steps) -> Scalars:
    return steps.times / 1_000_000


def _pi(_: "Evaluator", __: Call, steps: Steps) -> Scalars:
    return np.full(steps.count, np.pi)


def _vector(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    return _one_series(evaluator.scalar(node.arguments[0], steps))


def _scalar(evaluator: "Evaluator", node: Call, steps: Steps) -> Scalars:
    vector = evaluator.vector(node.arguments[0], steps)
    alone = vector.present.sum(axis=0) == 1
    chosen = np.where(vector.present, vector.values, 0.0)
    # With one series there, the sum over the others' zeros is its value.
    total = chosen.sum(axis=0) if len(vector.labels) else np.zeros(steps.count)
    return np.where(alone, total, np.nan)


def _timestamp(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    inner = node.arguments[0]
    if isinstance(inner, Selector):
        vector = evaluator.newest(inner, steps)
        return _renamed(vector, vector.values)
    vector = evaluator.vector(inner, steps)
    return _renamed(vector, np.broadcast_to(steps.times / 1_000_000, vector.values.shape).copy())


def _absent(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    vector = evaluator.vector(node.arguments[0], steps)
    gone: Flags = np.logical_not(vector.present.any(axis=0))
    return _one_series(np.ones(steps.count), _labels_of_absent(node.arguments[0]), gone)


def _absent_over_time(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    found = evaluator.range_vector(node.arguments[0], steps)
    there = np.zeros(steps.count, np.bool_)
    samples = found.samples
    block = max(1, BLOCK_CELLS // steps.count)
    for start in range(0, len(samples.labels), block):
        evaluator.deadline.check()
        low, high = samples.rows(start, min(len(samples.labels), start + block)).windows(
            found.starts, found.ends
        )
        there |= (high > low).any(axis=0)
    return _one_series(np.ones(steps.count), _labels_of_absent(node.arguments[0]), ~there)


def _labels_of_absent(node: Expression) -> Labels:
    """The labels that a selector asks for by `=`, each asked for once."""
    if not isinstance(node, Selector):
        return ()
    known: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in node.matchers:
        if matcher.name == NAME:
            continue
        if matcher.op == "=" and matcher.name not in seen:
            known[matcher.name] = matcher.value
            seen.add(matcher.name)
        else:
            known.pop(matcher.name, None)
    return make_labels(known)


def _clamp(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    vector = evaluator.vector(node.arguments[0], steps)
    low, high = (evaluator.scalar(item, steps) for item in node.arguments[1:])
    values = larger(np.broadcast_to(low, vector.values.shape), smaller(high, vector.values))
    return _renamed(Matrix(vector.labels, vector.values, vector.present & ~(high < low)), values)


def _clamp_min(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    vector = evaluator.vector(node.arguments[0], steps)
    return _renamed(vector, larger(evaluator.scalar(node.arguments[1], steps), vector.values))


def _clamp_max(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    vector = evaluator.vector(node.arguments[0], steps)
    return _renamed(vector, smaller(evaluator.scalar(node.arguments[1], steps), vector.values))


def _round(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    vector = evaluator.vector(node.arguments[0], steps)
    nearest = evaluator.scalar(node.arguments[1], steps) if len(node.arguments) > 1 else np.ones(steps.count)
    return _renamed(vector, rounded(vector.values, nearest))


def _sort(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    vector = evaluator.vector(node.arguments[0], steps)
    if steps.count > 1 or not vector.labels:
        return vector
    column = vector.values[:, 0]
    keys = -column if node.function == "sort_desc" else column
    # NaN comes last in both directions.
    return vector.take(np.argsort(keys, kind="stable"))


def _histogram_quantile(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    wanted = evaluator.scalar(node.arguments[0], steps)
    return histogram_quantile(wanted, evaluator.vector(node.arguments[1], steps))


def _texts(node: Call) -> tuple[str, ...]:
    return tuple(item.value for item in node.arguments if isinstance(item, Text))


def _label_replace(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    target, template, source, pattern = _texts(node)
    return label_replace(evaluator.vector(node.arguments[0], steps), target, template, source, pattern)


def _label_join(evaluator: "Evaluator", node: Call, steps: Steps) -> Matrix:
    target, separator, *sources = _texts(node)
    return label_join(evaluator.vector(node.arguments[0], steps), target, separator, tuple(sources))


_OTHERS: dict[str, Callable[["Evaluator", Call, Steps], Matrix | Scalars]] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "clamp": _clamp,
    "clamp_max": _clamp_max,
    "clamp_min": _clamp_min,
    "histogram_quantile": _histogram_quantile,
    "label_join": _label_join,
    "label_replace": _label_replace,
    "pi": _pi,
    "round": _round,
    "scalar": _scalar,
    "sort": _sort,
    "sort_desc": _sort,
    "time": _time,
    "timestamp": _timestamp,
    "vector": _vector,
}
