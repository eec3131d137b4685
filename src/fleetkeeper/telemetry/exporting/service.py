"""Exports: which samples, for whom, and that the audit log knows of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.telemetry.candidates import NAME
from fleetkeeper.telemetry.explore.queries import attributes_of
from fleetkeeper.telemetry.exporting.batches import sample_batches
from fleetkeeper.telemetry.exporting.formats import FORMATS, written
from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.resample import SECOND
from fleetkeeper.telemetry.selection import FleetSeries, find_series
from fleetkeeper_protocol.metrics import parse_channel

MAX_SERIES = 5_000_000


@dataclass(frozen=True)
class Export:
    """A chosen export: series with their devices' names, a range of time (microseconds), and a format."""

    series: list[FleetSeries]
    names: dict[UUID, str]
    start_us: int
    end_us: int
    file_format: str

    def file(self, sessions: Any) -> AsyncIterator[tuple[bytes, float]]:
        """The file's bytes as they come, each with the part of the work that is done.

        `sessions` opens a session that sees the devices.
        """
        pieces = sample_batches(sessions, self.series, self.names, self.start_us, self.end_us)
        return written(pieces, self.file_format)


async def begin_export(
    session: AsyncSession,
    actor: Actor,
    *,
    metrics: Sequence[str],
    devices: Sequence[UUID],
    start: datetime,
    end: datetime,
    file_format: str,
) -> Export:
    """Choose what to export, of all metrics and devices that the actor may see if none is given, and note it.

    Raises InvalidInputError.
    """
    problems = []
    if end <= start:
        problems.append(FieldError("to", "Must be later than `from`"))
    if file_format not in FORMATS:
        problems.append(FieldError("format", f"is one of {', '.join(FORMATS)}"))
    if problems:
        raise InvalidInputError("The export is wrong.", fields=problems)
    sets = [_matchers(text) for text in metrics] or [[Matcher(NAME, "!=", "")]]
    series = await find_series(session, actor, sets, limit=MAX_SERIES, devices=devices or None)
    found = sorted({item.device_id for item in series})
    names = {key: value["name"] for key, value in (await attributes_of(session, found)).items()}
    await record_event(
        session,
        "telemetry.exported",
        "telemetry",
        None,
        None,
        details={
            "metrics": list(metrics),
            "devices": len(found),
            "from": start.isoformat(),
            "to": end.isoformat(),
            "format": file_format,
        },
    )
    return Export(
        series, names, round(start.timestamp() * SECOND), round(end.timestamp() * SECOND), file_format
    )


def _matchers(text: str) -> list[Matcher]:
    try:
        name, labels = parse_channel(text)
    except ValueError as error:
        raise InvalidInputError("The export is wrong.", fields=[FieldError("metric", str(error))]) from None
    return [Matcher(NAME, "=", name), *(Matcher(key, "=", value) for key, value in labels.items())]
