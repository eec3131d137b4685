"""Names of other worlds as series have them here: as they are, but for OpenTelemetry's dotted ones. Pure.

Two names that differ must not become one. So what is no plain name is kept, not cleaned: `{"温度"}` is a metric's name
as good as any. Only OpenTelemetry's names of words with dots are mapped as its specification maps them. Where two
become one all the same, what their sender calls them tells them apart (`sent_as`).
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_NOT_LABEL = re.compile(r"[^a-zA-Z0-9_]")
# Words with single dots or underscores between them.
_DOTTED = re.compile(r"[a-zA-Z0-9:]+(?:[._][a-zA-Z0-9:]+)*")
_PARTING = re.compile(r"[\\ /,{}*]")
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


def sent_as(name: str, renamed: Iterable[str]) -> str:
    """What a sender calls a series: its metric, and those of its labels that are called otherwise here."""
    labels = ",".join(sorted(map(escaped, renamed)))
    return f"{name}{{{labels}}}" if labels else name


def escaped(text: str) -> str:
    """A name as part of what a sender calls a series, where some characters part it from others."""
    return _PARTING.sub(r"\\\g<0>", text)


def label_name(text: str) -> str:
    """A label's name as it is; names that Prometheus keeps for itself get a word in front."""
    return f"key{text}" if text.startswith("__") else text


@lru_cache(maxsize=10_000)
def otlp_label_name(text: str) -> str:
    """An attribute's name: dots become underscores where nothing but letters, digits and dots stand in it."""
    if not re.fullmatch(r"[a-zA-Z0-9_.]+", text):
        return label_name(text)
    name = text.replace(".", "_")
    if name[0].isdigit():
        return f"key_{name}"
    return f"key{name}" if name[0] == "_" else name


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
    """The name that OpenTelemetry's specification gives a metric in Prometheus: unit and `_total` as suffixes.

    Dots between words become underscores. A name with anything else than words is kept, and gets its suffixes.
    """
    main, per = _unit_parts(unit)
    is_ratio = is_gauge and unit == "1"
    if not _DOTTED.fullmatch(name):
        if not name:
            return ""
        last = "total" if is_counter else "ratio" if is_ratio else ""
        more = [word for word in (main, per and f"per_{per}", last) if word and not name.endswith(word)]
        return "_".join((name, *more))
    parts = re.split("[._]", name)
    if main and main not in parts:
        parts.append(main)
    if per and not (len(parts) > 1 and parts[-2:] == ["per", per]):
        parts += ["per", per]
    if is_counter:
        parts = [word for word in parts if word != "total"] + ["total"]
    if is_ratio:
        parts = [word for word in parts if word != "ratio"] + ["ratio"]
    result = "_".join(parts)
    return f"_{result}" if result[:1].isdigit() else result


def _unit_parts(unit: str) -> tuple[str, str]:
    """A unit's words before and behind `per`; either may be empty."""
    words = unit_words(unit)
    if words.startswith("per_"):
        return "", words.removeprefix("per_")
    main, _, per = words.partition("_per_")
    return main, per
