"""`fleetkeeper telemetry space`: what telemetry takes, and whether it keeps up."""

import asyncio
import json
from datetime import datetime
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from fleetkeeper.cli.running import command_actor, command_context, reachable_url
from fleetkeeper.cli.tables import AsJson, print_table
from fleetkeeper.database.engine import Database
from fleetkeeper.database.migrate import check_revision
from fleetkeeper.kit.sizes import size_text
from fleetkeeper.settings import get_settings
from fleetkeeper.telemetry.space import service
from fleetkeeper.telemetry.space.jobs import STEPS, measure_space
from fleetkeeper.telemetry.space.schemas import Backlog, Cardinality, DeviceSpace, Health, SpaceRead

STATEMENT_TIMEOUT_SECONDS = 3600
SHOWN_DEVICES = (("limit", "10"),)


class Report(BaseModel):
    """Everything that the command shows."""

    space: SpaceRead
    devices: list[DeviceSpace]
    health: Health
    cardinality: Cardinality


def space(
    *,
    measure: Annotated[bool, typer.Option("--measure", help="Measure again first")] = False,
    as_json: AsJson = False,
) -> None:
    """Show storage by tier, metric group and device, and the health of ingest."""
    url = reachable_url()
    check_revision(url)
    report = asyncio.run(_report(url, measure=measure, is_quiet=as_json))
    if as_json:
        typer.echo(json.dumps(report.model_dump(mode="json")))
    else:
        _show(report)


async def _report(url: str, *, measure: bool, is_quiet: bool) -> Report:
    database = Database(url, pool_size=2, statement_timeout_seconds=STATEMENT_TIMEOUT_SECONDS)
    limits = get_settings().telemetry
    try:
        if measure:
            await _measure(database, is_quiet=is_quiet)
        async with database.session(command_context()) as session:
            actor = command_actor()
            return Report(
                space=await service.read_space(session),
                devices=(await service.list_devices(session, actor, SHOWN_DEVICES)).results,
                health=await service.read_health(database, limits),
                cardinality=await service.read_cardinality(session, actor, limits),
            )
    finally:
        await database.close()


async def _measure(database: Database, *, is_quiet: bool) -> None:
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), disable=is_quiet, transient=True) as progress:
        counted = 0
        task = progress.add_task(f"Counting 1 of {len(STEPS)}", total=len(STEPS))

        async def tell(step: str) -> None:
            nonlocal counted
            counted += 1
            progress.update(task, advance=1, description=f"Counted {step}, {counted} of {len(STEPS)}")

        await measure_space(database, context=command_context(), progress=tell)


def _show(report: Report) -> None:
    found = report.space
    if found.measured_at is None:
        typer.echo("Not measured yet. Totals are updated hourly, or with `--measure`.")
    else:
        _show_measured(report, found.measured_at)
    _show_health(report.health)
    channels = report.cardinality
    typer.echo(
        f"\n{channels.channels:,} channels of {channels.metrics:,} metrics. A device may have "
        f"{channels.max_channels_per_device:,}; {channels.devices_near_limit:,} devices are near that limit."
    )


def _show_measured(report: Report, measured_at: datetime) -> None:
    found = report.space
    typer.echo(
        f"Measured {measured_at:%Y-%m-%d %H:%M} UTC; {found.arrived_since:,} samples arrived since. "
        f"Next measurement at {found.next_measurement_at:%H:%M} UTC.\n"
    )
    tiers = [
        (tier.tier, f"{tier.samples:,}", size_text(tier.size_bytes), _rate(tier.bytes_per_sample))
        for tier in found.tiers
    ]
    total = ("total", f"{found.samples:,}", size_text(found.size_bytes), None)
    print_table(("Tier", "Samples", "Size", "Bytes per sample"), (*tiers, total))
    typer.echo("")
    groups = [
        (group.metric_type, f"{group.samples:,}", size_text(group.size_bytes)) for group in found.groups
    ]
    print_table(("Metric group", "Samples", "Size"), groups)
    typer.echo("")
    devices = [
        (device.name, f"{device.samples:,}", size_text(device.size_bytes), f"{device.channels:,}")
        for device in report.devices
    ]
    print_table(("Device", "Samples", "Size", "Channels"), devices)
    typer.echo("")


def _rate(bytes_per_sample: float | None) -> str | None:
    return None if bytes_per_sample is None else f"{bytes_per_sample:.2f}"


def _show_health(health: Health) -> None:
    backlogs = (("Sealing", health.sealing), ("Rollups", health.rollups), ("Merging", health.merging))
    rows = [(name, f"{backlog.waiting:,}", _oldest(backlog)) for name, backlog in backlogs]
    for one in health.arrived:
        if one.outcome in {"rejected", "refused"}:
            unit = "requests" if one.outcome == "refused" else "samples"
            rows.append((f"{one.protocol} {one.outcome}", f"{one.number:,} {unit}", one.reason))
    typer.echo(f"Ingest: {health.samples_per_second:,.1f} samples/s")
    print_table(("Work", "Waiting", "Oldest"), rows)


def _oldest(backlog: Backlog) -> str:
    return "-" if backlog.oldest is None else f"{backlog.oldest:%Y-%m-%d %H:%M} UTC"
