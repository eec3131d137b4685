"""Checking the whole log against its seals, and naming what was touched, removed or added behind its back."""

from bisect import bisect_left
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit import queries
from fleetkeeper.audit.archive_files import ArchivedMonths
from fleetkeeper.audit.coverage import UNAUDITED
from fleetkeeper.audit.newest_seal import NotedSeal
from fleetkeeper.audit.seals import (
    LEAF_BYTES,
    NO_SEAL_BEFORE,
    Row,
    Seal,
    is_signed,
    leaf,
    merkle_root,
    seal_hash,
    split_leaves,
)
from fleetkeeper.database.base import Base

# More than this many findings say nothing new; the first one is what matters.
MAX_FINDINGS = 100
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was sealed, or not as the log needs it.

    `kind` is entry_changed, entry_removed, entry_added, seal_changed, seal_forged, seal_missing, archive_changed,
    archive_missing or triggers_off.
    """

    kind: str
    message: str
    seal: int | None = None
    entry: int | None = None
    timestamp: datetime | None = None
    action: str | None = None
    actor: str | None = None
    resource: str | None = None


@dataclass
class Report:
    """What a check found, in the order of the seals; `newest_hash` is what to keep elsewhere."""

    seals: int = 0
    entries: int = 0
    archived_entries: int = 0
    # Of months past their retention, whose files are gone as they should be.
    expired_entries: int = 0
    unsealed_entries: int = 0
    newest_seal: int = 0
    newest_hash: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether everything is as it was sealed."""
        return not self.findings

    def add(self, kind: str, message: str, **more: Any) -> None:
        """Add a finding, unless there are enough."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(kind, message, **more))


@dataclass
class Verification:
    """One check under way. Each step reads some seals and their entries, so memory and transactions stay small."""

    key: bytes
    months: ArchivedMonths
    expected: bytes | None = None
    # The newest seal as the home remembers it.
    noted: NotedSeal | None = None
    report: Report = field(default_factory=Report)
    _previous: Seal | None = None
    _is_expected_seen: bool = False
    _is_noted_seen: bool = False
    _is_forgery_told: bool = False

    async def step(self, session: AsyncSession) -> bool:
        """Check the next seals; returns whether there were any."""
        seals = await queries.seals_after(session, self._previous.number if self._previous else 0)
        whole: list[Seal] = []
        for seal in seals:
            if self._check_chain(seal):
                whole.append(seal)
            self.report.seals += 1
            self.report.newest_seal, self.report.newest_hash = seal.number, seal.seal_hash.hex()
            self._is_expected_seen |= seal.seal_hash == self.expected
            self._is_noted_seen |= self.noted is not None and seal.seal_hash == self.noted.seal_hash
            self._previous = seal
        if whole:
            begin = min(seal.from_transaction for seal in whole)
            end = max(seal.to_transaction for seal in whole)
            async with queries.entries(session, begin, end) as batches:
                rows = _Forward(batches)
                for seal in whole:
                    await self._check_entries(session, seal, rows)
        return bool(seals)

    async def finish(self, session: AsyncSession) -> Report:
        """What can only be said at the end; returns the report."""
        report, last = self.report, self._previous
        if self.expected is not None and not self._is_expected_seen:
            report.add(
                "seal_missing",
                f"No seal has the hash {self.expected.hex()}: seals at the end of the chain were removed, "
                "or all were made anew.",
            )
        if self.noted is not None and not self._is_noted_seen:
            report.add(
                "seal_missing",
                f"Seal {self.noted.number}, which was made here, is missing or another: seals at the end of the chain "
                "were removed, or an older database was restored.",
                seal=self.noted.number,
            )
        for row in await queries.impossible_entries(session, MAX_FINDINGS):
            what = "was added behind the log's back: no transaction has had its number yet"
            report.add(**vars(_about("entry_added", row, None, what)))
        for table in await queries.tables_without_triggers(session, Base.metadata.tables.keys() - UNAUDITED):
            report.add(
                "triggers_off",
                f"Changes of the table {table} are not logged: its triggers were switched off or removed.",
                resource=table,
            )
        # A file that is not there explains much of what else was found, so it comes first.
        told = [Finding(kind, message) for message, kind in self.months.problems]
        report.findings[:] = (told + report.findings)[:MAX_FINDINGS]
        report.unsealed_entries = await queries.count_since(session, last.to_transaction if last else 0)
        return report

    def _check_chain(self, seal: Seal) -> bool:
        """Check the seal itself; returns whether its leaves can be trusted."""
        report, previous = self.report, self._previous
        name = f"seal {seal.number} of {seal.sealed_at:%Y-%m-%d %H:%M:%S} UTC"
        expected_number = previous.number + 1 if previous else 1
        if seal.number != expected_number:
            missing = (
                f"Seal {expected_number} is"
                if seal.number == expected_number + 1
                else f"Seals {expected_number} to {seal.number - 1} are"
            )
            report.add("seal_missing", f"{missing} missing; they were removed.", seal=expected_number)
        elif seal.previous_hash != (previous.seal_hash if previous else NO_SEAL_BEFORE) or (
            seal.from_transaction != (previous.to_transaction if previous else 0)
        ):
            report.add(
                "seal_changed",
                f"The {name} does not follow the one before; one of the two was changed.",
                seal=seal.number,
            )
        if len(seal.leaves) != seal.entries * LEAF_BYTES or merkle_root(seal.leaves) != seal.merkle_root:
            report.add("seal_changed", f"The hashes of entries in {name} were changed.", seal=seal.number)
            return False
        if seal_hash(seal) != seal.seal_hash:
            report.add("seal_changed", f"The {name} was changed: its hash is another.", seal=seal.number)
            return False
        if not self._is_forgery_told and not is_signed(self.key, seal.seal_hash, seal.signature):
            # With another key none would be right, and the first says it all.
            self._is_forgery_told = True
            report.add(
                "seal_forged",
                f"The {name} is not signed with this installation's key: "
                "it was made by somebody else, or the key is another.",
                seal=seal.number,
            )
        return True

    async def _check_entries(self, session: AsyncSession, seal: Seal, stored: "_Forward") -> None:
        """Compare the entries of a seal's transactions, in the table and in files, with its leaves."""
        expected = dict(split_leaves(seal.leaves))
        order = {number: place for place, number in enumerate(expected)}
        wrong: list[tuple[int, Row]] = []

        def compare(rows: list[Row]) -> None:
            for row in rows:
                number = int(row[0] or 0)
                if expected.get(number) == leaf(row)[8:]:
                    del expected[number]
                else:
                    wrong.append((number, row))

        # In both places, what comes before the seal's transactions belongs to one that could not be checked.
        async for batch in stored.rows_before(seal.to_transaction):
            rows = [row for row in batch if int(row[2] or 0) >= seal.from_transaction]
            self.report.entries += len(rows)
            compare(rows)
        for batch in self.months.rows_before(seal.to_transaction):
            rows = [row for row in batch if int(row[2] or 0) >= seal.from_transaction]
            self.report.archived_entries += len(rows)
            compare(rows)
        findings: list[Finding] = []
        for number, row in wrong[:MAX_FINDINGS]:
            if expected.pop(number, None) is not None:
                findings.append(
                    _about("entry_changed", row, seal, f"was changed after seal {seal.number} was made")
                )
            else:
                findings.append(await self._stranger(session, row, seal))
        findings += await self._missing(session, list(expected), seal)
        # An entry that was added has no place among the sealed ones; its number says where it stands.
        findings.sort(key=lambda one: (order.get(one.entry or 0, len(order)), one.entry or 0))
        self.report.findings += findings[: MAX_FINDINGS - len(self.report.findings)]

    async def _stranger(self, session: AsyncSession, row: Row, seal: Seal) -> Finding:
        """An entry among a seal's transactions that the seal does not know: added, or moved here from elsewhere."""
        home = None
        if len(self.report.findings) < MAX_FINDINGS:
            number = int(row[0] or 0).to_bytes(8, "big", signed=True)
            home = await queries.sealed_number_of(session, number)
        if home is not None and home != seal.number:
            return _about(
                "entry_changed",
                row,
                seal,
                f"was changed after seal {home} was made: its transaction number now puts it into seal {seal.number}",
            )
        return _about(
            "entry_added", row, seal, f"was added behind the log's back, after seal {seal.number} was made"
        )

    async def _missing(self, session: AsyncSession, numbers: list[int], seal: Seal) -> list[Finding]:
        """Entries that a seal has and its transactions have not: removed, moved elsewhere, or past their retention."""
        found: list[Finding] = []
        for number in numbers:
            is_expired = self.months.is_gone(number)
            if is_expired is not None:
                self.report.expired_entries += is_expired
            elif len(found) < MAX_FINDINGS:
                row = await queries.entry_by_id(session, number)
                if row is not None:
                    what = f"was changed after seal {seal.number} was made: its transaction number is another"
                    found.append(_about("entry_changed", row, seal, what))
                    continue
                sealed = f"seal {seal.number} of {seal.sealed_at:%Y-%m-%d %H:%M:%S} UTC has its hash"
                message = f"Entry {number} was removed; {sealed}."
                found.append(Finding("entry_removed", message, seal=seal.number, entry=number))
        return found


class _Forward:
    """Rows in the order of seals, read forward as far as the seals have come."""

    def __init__(self, batches: AsyncIterator[list[Row]]) -> None:
        self._batches = batches
        self._pending: list[Row] = []

    async def rows_before(self, transaction: int) -> AsyncIterator[list[Row]]:
        """The rows that were not given yet whose transaction is smaller."""
        while True:
            self._pending = self._pending or await anext(self._batches, [])
            place = bisect_left(self._pending, transaction, key=lambda row: int(row[2] or 0))
            if not place:
                return
            rows, self._pending = self._pending[:place], self._pending[place:]
            yield rows


def _about(kind: str, row: Row, seal: Seal | None, what: str) -> Finding:
    """A finding on an entry that is there."""
    time = _time(row[1])
    named = dict(zip(("action", "actor_kind", "actor_name"), row[3:6], strict=True))
    shown = f"{time:%Y-%m-%d %H:%M:%S} UTC" if time else "a time that no clock shows"
    message = f"Entry {row[0]} ({shown}, {named['action']} by {named['actor_name']}) {what}."
    return Finding(
        kind,
        message,
        seal=seal.number if seal else None,
        entry=int(row[0] or 0),
        timestamp=time,
        action=str(named["action"]),
        actor=f"{named['actor_kind']} {named['actor_name']}",
        resource=" ".join(str(part) for part in (row[10], row[12] or row[11]) if part),
    )


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(value // 1_000_000, UTC).replace(microsecond=value % 1_000_000)
    except (ValueError, OverflowError, OSError):
        return None
