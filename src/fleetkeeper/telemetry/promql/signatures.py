"""The functions of Prometheus 2.42 with the types of their arguments and of what they give."""

from dataclasses import dataclass

from fleetkeeper.telemetry.promql.expressions import Kind

_OF_ONE: dict[Kind, str] = {
    "vector": (
        "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_count histogram_sum "
        "ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh timestamp"
    ),
    "matrix": (
        "absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time "
        "max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time"
    ),
}


@dataclass(frozen=True)
class Signature:
    """What a function takes. The last `optional` arguments may be absent; with `repeats` the last may come often."""

    function: str
    arguments: tuple[Kind, ...]
    gives: Kind = "vector"
    optional: int = 0
    repeats: bool = False


def _signatures() -> dict[str, Signature]:
    found = [
        Signature("clamp", ("vector", "scalar", "scalar")),
        Signature("clamp_max", ("vector", "scalar")),
        Signature("clamp_min", ("vector", "scalar")),
        Signature("histogram_fraction", ("scalar", "scalar", "vector")),
        Signature("histogram_quantile", ("scalar", "vector")),
        Signature("holt_winters", ("matrix", "scalar", "scalar")),
        Signature("label_join", ("vector", "string", "string", "string"), optional=1, repeats=True),
        Signature("label_replace", ("vector", "string", "string", "string", "string")),
        Signature("pi", (), "scalar"),
        Signature("predict_linear", ("matrix", "scalar")),
        Signature("quantile_over_time", ("scalar", "matrix")),
        Signature("round", ("vector", "scalar"), optional=1),
        Signature("scalar", ("vector",), "scalar"),
        Signature("time", (), "scalar"),
        Signature("vector", ("scalar",)),
    ]
    found += [Signature(name, ("vector",)) for name in _OF_ONE["vector"].split()]
    found += [Signature(name, ("matrix",)) for name in _OF_ONE["matrix"].split()]
    dates = "day_of_month day_of_week day_of_year days_in_month hour minute month year"
    found += [Signature(name, ("vector",), optional=1) for name in dates.split()]
    by_name = {item.function: item for item in found}
    # Newer versions call it so.
    return by_name | {"double_exponential_smoothing": by_name["holt_winters"]}


FUNCTIONS = _signatures()
