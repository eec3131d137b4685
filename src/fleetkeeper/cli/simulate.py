"""`fleetkeeper simulate`: a believable fleet, played against a server through the agents' own door."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fleetkeeper.cli.home import ADMINISTRATOR
from fleetkeeper.cli.running import make_api_token, make_enrollment_token, reachable_url
from fleetkeeper.errors import StartupError
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.settings import get_settings
from fleetkeeper.simulation.delivery import SystemClock
from fleetkeeper.simulation.durations import parse_duration
from fleetkeeper.simulation.encoding import Compression
from fleetkeeper.simulation.enrolment import SimulationError
from fleetkeeper.simulation.player import Tempo
from fleetkeeper.simulation.run import Options, simulate_fleet
from fleetkeeper.simulation.state import StateError


async def local_token(devices: int) -> str | None:
    """An enrollment token of this home's installation for that many machines; None when none runs here."""
    try:
        url = reachable_url()
    except StartupError:
        return None
    return await make_enrollment_token(url, "simulation", devices)


async def local_api_token() -> str | None:
    """An API token of this home's installation that may enter devices; None when it has no administrator to lend it."""
    permissions = (Permission.DEVICES_CREATE, Permission.DEVICES_READ, Permission.DEVICES_WRITE)
    try:
        return await make_api_token(reachable_url(), ADMINISTRATOR, "simulation", permissions)
    except StartupError:
        return None


async def no_api_token() -> str | None:
    """For another server than this home's."""
    return None


class RichDisplay:
    """Progress bars and a status line on the terminal; one line per status where there is none."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextlib.contextmanager
    def progress(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a bar for `total` steps; the context gives the function that advances it."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=False) as bar:
            task = bar.add_task(title, total=total)
            yield lambda steps: bar.advance(task, steps)

    def status(self, text: str) -> None:
        """Show the state of the live phase."""
        if self._console.is_terminal:
            self._console.print(f"\r\x1b[2K{text}", end="", highlight=False, markup=False, soft_wrap=True)
        else:
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _default_state() -> Path:
    return Path(os.environ.get("FLEETKEEPER_HOME", "./.fleetkeeper")) / "simulation"


def print_summary(console: Console, summary: dict[str, Any]) -> None:
    """Print what each phase sent and what became of it."""
    console.print()
    for name in ("enrolment", "relationships", "inventory", "backfill", "live"):
        counts = summary.get(name)
        if counts is None:
            continue
        console.print(
            f"[bold]{name.capitalize():13}[/] {counts['seconds']:,.1f} s, {counts['requests']:,} requests, "
            f"{counts['accepted']:,} accepted, {counts['duplicates']:,} duplicates, "
            f"{counts['samples_per_second'] or 0:,} samples/s, "
            f"p50 {counts['p50_ms']} ms, p99 {counts['p99_ms']} ms, "
            f"generator {counts['generator_cpu_seconds']:.1f} CPU s",
            highlight=False,
        )
        for label in ("rejected", "failures", "retries"):
            for reason, count in counts[label].items():
                console.print(f"  {label}: {count:,} x {reason}", highlight=False, markup=False)
        if counts["dropped_late"]:
            console.print(f"  dropped, as the server did not keep up: {counts['dropped_late']:,}")
    console.print(f"Devices with a broken clock: {summary['broken_clocks']}", highlight=False)


def simulate(
    devices: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of devices.")] = 1000,
    interval: Annotated[
        float,
        typer.Option(
            parser=_duration, metavar="DURATION", help="Time between two frames of a device, such as 10s."
        ),
    ] = "10s",  # type: ignore[assignment]
    seed: Annotated[
        int, typer.Option(help="Seed; the same one gives the same fleet with the same values.")
    ] = 1,
    server: Annotated[
        str | None, typer.Option(help="The server's address. Default: this installation's own.")
    ] = None,
    backfill: Annotated[
        float,
        typer.Option(
            parser=_duration, metavar="DURATION", help="How much past telemetry to send first, such as 7d."
        ),
    ] = "0",  # type: ignore[assignment]
    duration: Annotated[
        float | None,
        typer.Option(
            parser=_duration,
            metavar="DURATION",
            help="Length of the live phase; 0 for none. Without it the fleet runs until it is stopped.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="FLEETKEEPER_ENROLLMENT_TOKEN", help="Enrollment token."),
    ] = None,
    api_token: Annotated[
        str | None,
        typer.Option(
            envvar="FLEETKEEPER_API_TOKEN",
            help="API token that may create enrollment tokens, devices and relationships.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Folder for the devices' keys; a second run with it continues the same fleet."),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=1024, help="Connections to the server.")] = 16,
    frames_per_request: Annotated[
        int, typer.Option(min=1, max=2000, help="Frames in a request of the backfill.")
    ] = 60,
    slow_interval: Annotated[
        float,
        typer.Option(
            parser=_duration, metavar="DURATION", help="Time between two process lists of a device."
        ),
    ] = "60s",  # type: ignore[assignment]
    compression: Annotated[
        Compression, typer.Option(help="Compression of request bodies.")
    ] = Compression.ZSTD,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON on standard output.")
    ] = False,
) -> None:
    """Simulate a fleet of devices that sends telemetry to a server: past, present, or both."""
    console = Console(stderr=as_json)
    address = server or f"http://127.0.0.1:{get_settings().web.port}"
    if interval < 0.1:
        raise typer.BadParameter("a device reports at most ten times a second", param_hint="--interval")
    options = Options(
        server=address,
        state_folder=state or _default_state(),
        devices=devices,
        seed=seed,
        backfill_seconds=backfill,
        duration_seconds=duration,
        enrolment_token=token,
        api_token=api_token,
        tempo=Tempo(interval, slow_interval, frames_per_request, concurrency),
        compression=compression,
    )
    lend_api_token = local_api_token if server is None else no_api_token
    play = simulate_fleet(options, SystemClock(), RichDisplay(console), local_token, lend_api_token)
    try:
        summary = asyncio.run(play)
    except (SimulationError, StateError, ValueError) as error:
        raise StartupError(str(error)) from error
    if as_json:
        typer.echo(msgspec.json.encode(summary).decode())
    else:
        print_summary(console, summary)
