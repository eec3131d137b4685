"""A whole simulation, from options to the summary: enrollment, inventories, the past, the present."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from fleetkeeper.simulation.delivery import Clock
from fleetkeeper.simulation.encoding import Compression
from fleetkeeper.simulation.enrolment import SimulationError, check_answers, enrol, request_enrolment_token
from fleetkeeper.simulation.fleet import Fleet
from fleetkeeper.simulation.http import Address
from fleetkeeper.simulation.player import Player, Tempo
from fleetkeeper.simulation.relating import MOST_DEVICES, Relating
from fleetkeeper.simulation.state import FleetState
from fleetkeeper.simulation.tally import Tally

TokenSource = Callable[[int], Awaitable[str | None]]
"""Returns an enrollment token for so many devices, or None when it has none to give."""
ApiTokenSource = Callable[[], Awaitable[str | None]]
"""Returns an API token that may enter devices and their relationships, or None when it has none to give."""


@dataclass(frozen=True)
class Options:
    """What to simulate, and where. Durations in seconds."""

    server: str
    state_folder: Path
    devices: int = 1000
    seed: int = 1
    backfill_seconds: float = 0.0
    duration_seconds: float | None = None
    """Length of the live phase; None means until it is stopped, 0 none at all."""
    enrolment_token: str | None = None
    api_token: str | None = None
    tempo: Tempo = field(default_factory=Tempo)
    compression: Compression = Compression.ZSTD


class Display(Protocol):
    """Where progress is shown."""

    def progress(self, title: str, total: int) -> "contextlib.AbstractContextManager[Callable[[int], None]]":
        """Show a bar for `total` steps; the context gives the function that advances it."""
        ...

    def status(self, text: str) -> None:
        """Show the state of the live phase."""
        ...


async def simulate_fleet(
    options: Options,
    clock: Clock,
    display: Display,
    local_token: TokenSource,
    local_api_token: ApiTokenSource,
) -> dict[str, Any]:
    """Play the fleet and return the summary: counts by phase.

    Raises SimulationError or StateError, with a message for people. Ends early, with a summary, on SIGINT and
    SIGTERM.
    """
    address = Address.parse(options.server)
    fleet = Fleet(options.seed, options.devices)
    state = FleetState.load(options.state_folder, options.server.rstrip("/"), options.seed)
    summary: dict[str, Any] = {
        "devices": options.devices,
        "seed": options.seed,
        "interval_seconds": options.tempo.interval_seconds,
        "broken_clocks": int((fleet.skew_seconds != 0).sum()),
    }
    missing = len(state.missing(fleet))
    await check_answers(address, options.server)
    if missing:
        token = await _find_token(options, missing, address, clock, local_token)
        with display.progress("Enrolling", missing) as advance, _Phase(summary, "enrolment") as phase:
            phase.tally = await enrol(fleet, state, address, token, clock, on_progress=advance)
    await _relate(options, fleet, state, address, clock, display, summary, local_api_token)
    player = Player(fleet, state, address, clock, tempo=options.tempo, compression=options.compression)
    with _stop_on_signals():
        try:
            with (
                display.progress("Inventories", options.devices) as advance,
                _Phase(summary, "inventory") as phase,
            ):
                phase.tally = await player.send_inventories(advance)
            if options.backfill_seconds > 0:
                end = clock.now()
                start = end - options.backfill_seconds
                total = player.count_backfill(start, end)
                with display.progress("Backfill", total) as advance, _Phase(summary, "backfill") as phase:
                    await player.backfill(start, end, phase.tally, advance)
            if options.duration_seconds != 0:
                length = options.duration_seconds
                with _Phase(summary, "live") as phase:
                    await player.live(
                        float("inf") if length is None else clock.now() + length,
                        phase.tally,
                        lambda: display.status(phase.tally.line(phase.seconds)),
                    )
        except asyncio.CancelledError:
            summary["stopped"] = True
    return summary


async def _relate(
    options: Options,
    fleet: Fleet,
    state: FleetState,
    address: Address,
    clock: Clock,
    display: Display,
    summary: dict[str, Any],
    local_api_token: ApiTokenSource,
) -> None:
    if state.related >= min(fleet.count, MOST_DEVICES):
        return
    api_token = options.api_token or await local_api_token()
    if api_token is None:
        return
    relating = Relating(fleet, state, address, api_token, clock)
    with (
        display.progress("Relationships", relating.total) as advance,
        _Phase(summary, "relationships") as phase,
    ):
        phase.tally = relating.tally
        await relating.run(on_progress=advance)


async def _find_token(
    options: Options, missing: int, address: Address, clock: Clock, local_token: TokenSource
) -> str:
    if options.enrolment_token:
        return options.enrolment_token
    if options.api_token:
        return await request_enrolment_token(address, options.api_token, missing, clock)
    token = await local_token(missing)
    if token is None:
        raise SimulationError(
            f"{missing} devices are to be enrolled: give --token (an enrollment token) or --api-token."
        )
    return token


class _Phase:
    """Counts and times one phase, and enters it in the summary even when it ends early."""

    def __init__(self, summary: dict[str, Any], name: str) -> None:
        self._summary = summary
        self._name = name
        self.tally = Tally()

    @property
    def seconds(self) -> float:
        """How long the phase has taken so far."""
        return time.monotonic() - self._begin

    def __enter__(self) -> Self:
        self._begin = time.monotonic()
        self._cpu = time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        counts = self.tally.as_dict(self.seconds)
        counts["generator_cpu_seconds"] = round(time.process_time() - self._cpu, 3)
        self._summary[self._name] = counts


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[None]:
    """Cancel the running task on the first SIGINT or SIGTERM, where the event loop can."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    added = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, task.cancel)
            added.append(number)
    try:
        yield
    finally:
        for number in added:
            loop.remove_signal_handler(number)
