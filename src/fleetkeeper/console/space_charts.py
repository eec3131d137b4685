"""Series over time as paths in a field of 1000 by 100. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from fleetkeeper.console.contexts.space import Area, Chart

WIDTH, HEIGHT = 1000, 100


def stacked_chart(
    chart_id: str,
    title: str,
    text: str,
    moments: Sequence[datetime],
    series: Mapping[str, Sequence[float]],
    unit: Callable[[float], str],
    empty: str,
) -> Chart:
    """Series on top of each other, the first at the bottom; fewer than two moments are no chart yet."""
    if len(moments) < 2:
        return Chart(chart_id, title, text, "", (), "", None, None, empty)
    tops = [0.0] * len(moments)
    floors: list[list[float]] = []
    for values in series.values():
        floors.append(tops)
        tops = [top + value for top, value in zip(tops, values, strict=True)]
    highest = max(tops)
    first, last = moments[0].timestamp(), moments[-1].timestamp()
    places = [WIDTH * (at.timestamp() - first) / (last - first) for at in moments]
    areas = []
    for number, ((label, values), floor) in enumerate(zip(series.items(), floors, strict=True), 1):
        upper = [value + base for value, base in zip(values, floor, strict=True)]
        line = _path(places, upper, highest)
        back = _path(places[::-1], floor[::-1], highest)
        areas.append(Area(label, unit(values[-1]), number, line, f"{line}L{back.removeprefix('M')}Z"))
    said = ", ".join(f"{area.label} {area.value}" for area in areas)
    return Chart(
        chart_id,
        title,
        text,
        f"{title}, now: {said}. Highest: {unit(highest)}.",
        tuple(areas),
        unit(highest),
        moments[0],
        moments[-1],
        empty,
    )


def _path(places: Sequence[float], values: Sequence[float], highest: float) -> str:
    scale = HEIGHT / highest if highest else 0
    points = (f"{x:.1f} {HEIGHT - y * scale:.2f}" for x, y in zip(places, values, strict=True))
    return "M" + "L".join(points)
