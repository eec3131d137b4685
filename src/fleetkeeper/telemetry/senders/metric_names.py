"""Names of other worlds as OpenMetrics has them. Pure."""

import re
from functools import lru_cache

_NOT_METRIC = re.compile(r"[^a-zA-Z0-9_:]")
_NOT_LABEL = re.compile(r"[^a-zA-Z0-9_]")
_UNDERSCORES = re.compile(r"__+")

# OTLP units (UCUM) in the words of Prometheus, as the OpenTelemetry specification maps them
# (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/).
UNITS = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "%": "percent",
}
PER_UNITS = {
    "s": "second",
    "m": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}


@lru_cache(maxsize=10_000)
def metric_name(text: str) -> str:
    """A metric's name: other characters become underscores, and none of it begins with a digit."""
    name = _NOT_METRIC.sub("_", text)
    return f"_{name}" if name[:1].isdigit() else name


@lru_cache(maxsize=10_000)
def label_name(text: str) -> str:
    """A label's name, likewise; names that Prometheus keeps for itself get a word in front."""
    name = _NOT_LABEL.sub("_", text)
    if name[:1].isdigit():
        return f"key_{name}"
    if name.startswith("_") and not name.startswith("__"):
        return f"key{name}"
    return name if not name.startswith("__") else f"key{name}"


@lru_cache(maxsize=10_000)
def unit_words(unit: str) -> str:
    """A unit in Prometheus' words: `By/s` as `bytes_per_second`; nothing for `1` and for notes in braces."""
    unit = re.sub(r"\{[^}]*\}", "", unit).strip()
    if not unit:
        return ""
    over, slash, under = unit.partition("/")
    words = _clean(UNITS.get(over, over)) if over and over != "1" else ""
    if slash and under:
        per = _clean(PER_UNITS.get(under, under))
        return f"{words}_per_{per}".strip("_") if per else words
    return words


def _clean(text: str) -> str:
    return _UNDERSCORES.sub("_", _NOT_LABEL.sub("_", text)).strip("_")


@lru_cache(maxsize=10_000)
def otlp_metric_name(name: str, unit: str, *, is_counter: bool, is_gauge: bool) -> str:
    """The name that OpenTelemetry's specification gives a metric in Prometheus: unit and `_total` as suffixes."""
    parts = [word for word in re.split(r"[^a-zA-Z0-9:]", name) if word]
    words = unit_words(unit)
    main, _, per = words.partition("_per_") if "_per_" in words else (words, "", "")
    if words.startswith("per_"):
        main, per = "", words.removeprefix("per_")
    if main and main not in parts:
        parts.append(main)
    if per and not (len(parts) > 1 and parts[-2:] == ["per", per]):
        parts += ["per", per]
    if is_counter:
        parts = [word for word in parts if word != "total"] + ["total"]
    if is_gauge and unit == "1":
        parts = [word for word in parts if word != "ratio"] + ["ratio"]
    result = "_".join(parts)
    return f"_{result}" if result[:1].isdigit() else result
