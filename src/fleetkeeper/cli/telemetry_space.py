"""`fleetkeeper telemetry space`: what telemetry takes, and whether it keeps up."""

import asyncio
import json
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from fleetkeeper.cli.running import command_actor, command_context, reachable_url
from fleetkeeper.cli.tables import AsJson
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
    measure: Annotated[bool, typer.Option("--measure", help="Count anew, before showing")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what telemetry takes by tier, group and device, what arrives, and what waits."""
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
    console, found = Console(), report.space
    if found.measured_at is None:
        console.print("Not measured yet. Totals are updated hourly, or with `--measure`.")
    else:
        tiers = Table(
            "Tier",
            "Samples",
            "Size",
            "Bytes per sample",
            title=f"Measured {found.measured_at:%Y-%m-%d %H:%M} UTC",
        )
        for tier in found.tiers:
            rate = "-" if tier.bytes_per_sample is None else f"{tier.bytes_per_sample:.2f}"
            tiers.add_row(tier.tier, f"{tier.samples:,}", size_text(tier.size_bytes), rate)
        tiers.add_row("all", f"{found.samples:,}", size_text(found.size_bytes), "")
        console.print(tiers)
        console.print(
            f"{found.arrived_since:,} samples arrived since. Next measurement at {found.next_measurement_at:%H:%M} UTC."
        )
        groups = Table("Metric group", "Samples", "Size")
        for group in found.groups:
            groups.add_row(escape(group.metric_type), f"{group.samples:,}", size_text(group.size_bytes))
        console.print(groups)
        devices = Table("Device", "Samples", "Size", "Channels")
        for device in report.devices:
            devices.add_row(
                _safe(device.name),
                f"{device.samples:,}",
                size_text(device.size_bytes),
                f"{device.channels:,}",
            )
        console.print(devices)
    console.print(_health(report.health))
    channels = report.cardinality
    console.print(
        f"{channels.channels:,} channels of {channels.metrics:,} metrics; a device may have "
        f"{channels.max_channels_per_device:,}, and {channels.devices_near_limit:,} are near that."
    )


def _health(health: Health) -> Table:
    table = Table("", "Waiting", "Oldest", title=f"{health.samples_per_second:,.1f} samples/s arrive")
    for name, backlog in (
        ("Sealing", health.sealing),
        ("Rollups", health.rollups),
        ("Merging", health.merging),
    ):
        table.add_row(name, f"{backlog.waiting:,}", _oldest(backlog))
    for one in health.arrived:
        if one.outcome in {"rejected", "refused"}:
            unit = "requests" if one.outcome == "refused" else "samples"
            table.add_row(f"{_safe(one.protocol)} {one.outcome}", f"{one.number:,} {unit}", _safe(one.reason))
    return table


def _oldest(backlog: Backlog) -> str:
    return "-" if backlog.oldest is None else f"{backlog.oldest:%Y-%m-%d %H:%M} UTC"


def _safe(text: str) -> str:
    # Control characters from outside must not reach the terminal.
    return escape("".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text))
