"""Weekly demand as bars with its forecast beside them, in a field of 1000 by 100. Pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from fleetkeeper.console.contexts.space import Area, Chart
from fleetkeeper.console.space_charts import HEIGHT, WIDTH
from fleetkeeper.replenishment.schemas import ForecastRead, StockForecast, WeekRead

# Weeks that the forecast is drawn for.
AHEAD = 8
_WEEK = timedelta(days=7)
_TEXT = "Fitted and issued in each week; beside it what is expected, with an error in each direction."
_EMPTY = "No week is complete yet: demand counts from the first movement on, by weeks from Monday to Sunday."


def demand_chart(told: StockForecast) -> Chart:
    """The chart of a part at a location; without a complete week it says so."""
    if not told.series:
        return Chart("demand", "Weekly demand", _TEXT, "", (), "", None, None, _EMPTY)
    expected = told.forecast
    ahead = AHEAD if expected is not None else 0
    most = max(one.quantity for one in told.series)
    highest = max(most, expected.high_per_week if expected is not None else 0.0)
    step = WIDTH / (len(told.series) + ahead)
    last = told.series[-1].quantity
    areas = [_bars(told.series, step, highest, f"{_number(last)} in the last week")]
    said = f"Demand in {len(told.series)} weeks, {_number(most)} at most"
    if expected is not None:
        areas.append(_band(expected, step * len(told.series), highest))
        said += f"; {areas[1].value} expected"
    end = told.series[-1].week + (1 + ahead) * _WEEK
    return Chart(
        "demand",
        "Weekly demand",
        _TEXT,
        f"{said}.",
        tuple(areas),
        _number(highest),
        _moment(told.series[0].week),
        _moment(end),
        _EMPTY,
    )


def _bars(series: Sequence[WeekRead], step: float, highest: float, value: str) -> Area:
    corners = []
    for number, one in enumerate(series):
        y = _height(one.quantity, highest)
        corners += [f"{number * step:.1f} {y:.2f}", f"{(number + 1) * step:.1f} {y:.2f}"]
    line = "M" + "L".join(corners)
    return Area("Demand", value, 1, line, f"{line}L{len(series) * step:.1f} {HEIGHT}L0.0 {HEIGHT}Z")


def _band(expected: ForecastRead, start: float, highest: float) -> Area:
    mean = _height(expected.mean_per_week, highest)
    high, low = _height(expected.high_per_week, highest), _height(expected.low_per_week, highest)
    spread = f"{_number(expected.low_per_week)} to {_number(expected.high_per_week)}"
    value = f"{_number(expected.mean_per_week)} a week, {spread}"
    fill = f"M{start:.1f} {high:.2f}L{WIDTH} {high:.2f}L{WIDTH} {low:.2f}L{start:.1f} {low:.2f}Z"
    return Area("Forecast", value, 2, f"M{start:.1f} {mean:.2f}L{WIDTH} {mean:.2f}", fill)


def _height(quantity: float, highest: float) -> float:
    return HEIGHT - (quantity * HEIGHT / highest if highest else 0.0)


def _number(quantity: float) -> str:
    return f"{quantity:,.2f}".rstrip("0").rstrip(".")


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
