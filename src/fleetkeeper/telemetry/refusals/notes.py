"""What a web process refused since it last wrote that down: noted with requests, written apart from them.

The number of notes is bounded, and each is cut to a size, so that no flood of bad samples costs more than these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.periodic import Periodic
from fleetkeeper.kit.text import spelled_out
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.refusals import queries

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 10.0
# Past this, devices and departments are no longer told apart until the next flush.
MAX_NOTES = 2000
MAX_SENTENCE_LENGTH = 500
MAX_EXAMPLE_LENGTH = 300
NATIVE = "native"


class Origin(NamedTuple):
    """The device that samples were for, or whose key was used; else the departments of the token, None for all."""

    device_id: UUID | None = None
    departments: frozenset[UUID] | None = None


class NoteKey(NamedTuple):
    """What is counted together."""

    protocol: str
    reason: Reason
    origin: Origin


@dataclass(slots=True)
class Note:
    """How many samples, and what the newest of them were like. The texts are as long as they came."""

    samples: int
    first_seen: datetime
    last_seen: datetime
    sentence: str
    example: str
    token_id: UUID | None

    def add(self, newer: "Note") -> None:
        """Count what came later; an example stays until there is another."""
        self.samples += newer.samples
        self.last_seen, self.sentence, self.token_id = newer.last_seen, newer.sentence, newer.token_id
        self.example = newer.example or self.example


@dataclass
class RefusalNotes:
    """The notes of one web process."""

    database: Database
    _notes: dict[NoteKey, Note] = field(default_factory=dict)
    _writer: Periodic = field(init=False)

    def __post_init__(self) -> None:
        self._writer = Periodic("refused samples", FLUSH_SECONDS, self.flush)

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    async def stop(self) -> None:
        """Write once more and end."""
        await self._writer.stop()
        await self.flush()

    def note(
        self,
        protocol: str,
        reason: Reason,
        samples: int,
        origin: Origin,
        *,
        sentence: str = "",
        example: str = "",
        token_id: UUID | None = None,
    ) -> None:
        """Keep in mind that samples were refused, until the next flush."""
        now = utc_now()
        kept = Note(
            samples,
            now,
            now,
            sentence[:MAX_SENTENCE_LENGTH] or reason.sentence,
            example[:MAX_EXAMPLE_LENGTH],
            token_id,
        )
        self._keep(NoteKey(protocol, reason, origin), kept)

    def _keep(self, key: NoteKey, note: Note) -> None:
        known = self._notes.get(key)
        if known is None and len(self._notes) >= MAX_NOTES:
            # Who sees everything sees these; the example may belong to a department.
            key, note.example = key._replace(origin=Origin()), ""
            known = self._notes.get(key)
        if known is None:
            self._notes[key] = note
        else:
            known.add(note)

    async def flush(self) -> None:
        """Write what was noted; what cannot be written waits for the next time."""
        notes, self._notes = self._notes, {}
        if not notes:
            return
        try:
            await self._write(notes)
        except (SQLAlchemyError, OSError) as error:
            log.warning("refused samples were not written down", reason=str(error).splitlines()[:1])
            newer, self._notes = self._notes, notes
            for key, note in newer.items():
                self._keep(key, note)

    async def _write(self, notes: Mapping[NoteKey, Note]) -> None:
        async with self.database.session(product_context("job", "telemetry.note_refusals")) as session:
            limits = {key.origin.departments for key in notes}
            homes = {one: await queries.only_topmost(session, one) for one in limits}
            rows = [
                queries.Refused(
                    department_id=homes[key.origin.departments],
                    protocol=key.protocol,
                    reason=key.reason,
                    samples=note.samples,
                    first_seen=note.first_seen,
                    last_seen=note.last_seen,
                    sentence=spelled_out(note.sentence)[:MAX_SENTENCE_LENGTH],
                    example=spelled_out(note.example)[:MAX_EXAMPLE_LENGTH],
                    device_id=key.origin.device_id,
                    token_id=note.token_id,
                )
                for key, note in notes.items()
            ]
            await queries.add(session, rows)
