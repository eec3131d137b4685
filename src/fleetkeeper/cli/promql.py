"""`fleetkeeper promql`: ask the fleet's telemetry in PromQL."""

import math
from contextlib import nullcontext
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, print_table
from fleetkeeper.errors import InvalidInputError
from fleetkeeper.settings import get_settings
from fleetkeeper.telemetry.promql.engine import Engine
from fleetkeeper.telemetry.promql.errors import PromqlError
from fleetkeeper.telemetry.promql.fleet_source import FleetSource
from fleetkeeper.telemetry.promql.formatting import format_number
from fleetkeeper.telemetry.promql.labels import label_text
from fleetkeeper.telemetry.promql.parameters import Parameters
from fleetkeeper.telemetry.promql.queries import Answer, Query
from fleetkeeper.telemetry.promql.rendering import render
from fleetkeeper.telemetry.promql.service import limits_of, now_us

DEFAULT_STEPS = 60


def promql(
    query: Annotated[str, typer.Argument(help="PromQL expression")],
    at: Annotated[
        str,
        typer.Option(help="Evaluation time, such as 2026-11-27T16:00:00Z, or epoch seconds; default: now"),
    ] = "",
    start: Annotated[str, typer.Option("--from", help="Start of the range")] = "",
    end: Annotated[str, typer.Option("--to", help="End of the range; default: now")] = "",
    last: Annotated[str, typer.Option(help="Range that ends now, such as 6h")] = "",
    step: Annotated[
        str, typer.Option(help="Step of the range, such as 30s; default: 1/60 of the range")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Evaluate PromQL at one time, or over a range with --from or --last."""
    texts = {"time": at, "start": start, "end": end, "last": last, "step": step}
    parameters = Parameters({name: [text] for name, text in texts.items() if text})
    settings = get_settings().promql
    engine = Engine(limits_of(settings))

    async def ask(session: AsyncSession) -> Answer:
        source = FleetSource(
            lambda: nullcontext(session), command_actor(), settings.max_series, settings.max_samples
        )
        return await engine.answer(_read(query, parameters, settings.max_points), source)

    try:
        answer = with_session(ask)
    except PromqlError as error:
        raise InvalidInputError(str(error)) from None
    if as_json:
        typer.echo(render(answer).decode())
    elif answer.kind == "string":
        typer.echo(answer.text)
    else:
        _print_many(answer) if answer.kind == "matrix" else _print_one_each(answer)


def _read(query: str, parameters: Parameters, max_points: int) -> Query:
    if not parameters.text("start") and not parameters.text("last"):
        return Query.instant(query, parameters.time("time", now_us()))
    end = parameters.time("end", now_us())
    start = end - parameters.duration("last") if parameters.text("last") else parameters.time("start")
    if end <= start:
        raise InvalidInputError("--to must be later than --from.")
    step = parameters.duration("step") if parameters.text("step") else 0
    if step <= 0:
        step = max(1, math.ceil((end - start) / DEFAULT_STEPS / 1_000_000)) * 1_000_000
    return Query.over_range(query, start, end, step, max_points)


def _print_one_each(answer: Answer) -> None:
    rows = [(label_text(series.labels), format_number(float(series.values[0]))) for series in answer.series]
    print_table(("Series", "Value"), rows)


def _print_many(answer: Answer) -> None:
    rows = []
    for series in answer.series:
        values = series.values.tolist()
        numbers = [value for value in values if not math.isnan(value)] or [math.nan]
        shown = (values[0], values[-1], min(numbers), max(numbers))
        rows.append((label_text(series.labels), len(values), *map(format_number, shown)))
    print_table(("Series", "Points", "First", "Last", "Minimum", "Maximum"), rows)
