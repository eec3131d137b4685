"""How entries become seals: canonical bytes, hashes, the tree over them, the chain and its signature. Pure.

An entry's hash is over all its columns. The hashes of a batch are the leaves of a Merkle tree as RFC 6962 (section 2.1)
draws it. A seal's hash is over the tree's root, the batch's bounds and the hash of the seal before, and is signed with
a key that is not in the database.
"""

import hashlib
import hmac
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

_ENTRY = b"fleetkeeper audit entry 1\x00"
_SEAL = b"fleetkeeper audit seal 1\x00"
_ARCHIVE = b"fleetkeeper audit archive 1\x00"
NO_SEAL_BEFORE = bytes(32)
LEAF_BYTES = 40
MAX_ENTRIES = 10_000
# Number, time (microseconds since 1970) and transaction, then the texts of the other columns. `seals` reads rows of
# this shape, whether they come from the table or from a file.
NUMBER_COLUMNS = ("id", "timestamp", "transaction_id")
TEXT_COLUMNS = (
    "action",
    "actor_kind",
    "actor_name",
    "user_id",
    "token_id",
    "session_id",
    "device_id",
    "resource_type",
    "record_id",
    "record_name",
    "old_values",
    "new_values",
    "details",
    "ip_address",
    "user_agent",
    "request_id",
    "change_reason",
)
COLUMNS = NUMBER_COLUMNS + TEXT_COLUMNS
Row = Sequence[int | str | None]
_HEAD = struct.Struct(f">qqq{len(TEXT_COLUMNS)}q")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAF = struct.Struct(">q32s")


@dataclass(frozen=True)
class Seal:
    """One batch, sealed. `leaves` has 40 bytes per entry, in order: its number (8) and its hash (32)."""

    number: int
    sealed_at: datetime
    from_transaction: int
    to_transaction: int
    entries: int
    leaves: bytes
    merkle_root: bytes
    previous_hash: bytes
    seal_hash: bytes
    signature: bytes


def canonical_bytes(row: Row) -> bytes:
    """All columns of an entry, unambiguously: the lengths of the texts come first, and that of NULL is -1."""
    texts = [None if value is None else value.encode("utf-8", "surrogatepass") for value in row[3:]]  # type: ignore[union-attr]
    lengths = [-1 if text is None else len(text) for text in texts]
    return _ENTRY + _HEAD.pack(*row[:3], *lengths) + b"".join([text for text in texts if text])


def leaf(row: Row) -> bytes:
    """What a seal keeps of an entry."""
    return _LEAF.pack(row[0], hashlib.sha256(canonical_bytes(row)).digest())


def split_leaves(leaves: bytes) -> list[tuple[int, bytes]]:
    """Number and hash of each entry."""
    return list(_LEAF.iter_unpack(leaves))


def merkle_root(leaves: bytes) -> bytes:
    """The root of the tree over all leaves; that of no leaves is the hash of nothing."""
    sha = hashlib.sha256
    level = [
        sha(b"\x00" + leaves[start : start + LEAF_BYTES]).digest()
        for start in range(0, len(leaves), LEAF_BYTES)
    ]
    if not level:
        return sha(b"").digest()
    while len(level) > 1:
        pairs = [
            sha(b"\x01" + level[index] + level[index + 1]).digest() for index in range(0, len(level) - 1, 2)
        ]
        # One without a partner moves up as it is, which is what RFC 6962's split by powers of two amounts to.
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


class BatchCutter:
    """Cuts a stream of entries into batches, always between two transactions.

    A batch holds at most MAX_ENTRIES, unless a single transaction has more: of that one the hashes alone are kept.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._limit = max_entries * LEAF_BYTES
        self._batch = bytearray()
        self._current = bytearray()
        self._transaction: int | None = None

    def add(self, rows: Sequence[Row]) -> Iterator[tuple[bytes, int]]:
        """Take rows, in order; yields the leaves of each full batch, and the transaction that it ends before."""
        for row in rows:
            if row[2] != self._transaction:
                yield from self._cut_if_full()
                self._batch += self._current
                self._current, self._transaction = bytearray(), int(row[2] or 0)
            self._current += leaf(row)

    def finish(self, end: int) -> Iterator[tuple[bytes, int]]:
        """The batches that are left; the last ends before transaction `end`."""
        yield from self._cut_if_full()
        if self._batch or self._current:
            yield bytes(self._batch + self._current), end

    def _cut_if_full(self) -> Iterator[tuple[bytes, int]]:
        if self._batch and len(self._batch) + len(self._current) > self._limit:
            yield bytes(self._batch), self._transaction or 0
            self._batch = bytearray()


def seal_hash(seal: Seal) -> bytes:
    """The hash by which the next seal, or a note kept elsewhere, refers to this one."""
    head = struct.pack(
        ">qqqqq",
        seal.number,
        microseconds(seal.sealed_at),
        seal.from_transaction,
        seal.to_transaction,
        seal.entries,
    )
    return hashlib.sha256(_SEAL + head + seal.merkle_root + seal.previous_hash).digest()


def sign(key: bytes, digest: bytes) -> bytes:
    """HMAC-SHA256 of a hash."""
    return hmac.digest(key, digest, "sha256")


def is_signed(key: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether a signature was made with the key."""
    return hmac.compare_digest(sign(key, digest), signature)


def is_genuine(seal: Seal, key: bytes | None) -> bool:
    """Whether a seal's hash is its own, and its signature the key's; without a key the hash alone is looked at."""
    return seal_hash(seal) == seal.seal_hash and (
        key is None or is_signed(key, seal.seal_hash, seal.signature)
    )


def make_seal(
    key: bytes, previous: Seal | None, leaves: bytes, to_transaction: int, sealed_at: datetime
) -> Seal:
    """The seal of a batch that begins where the previous one ended."""
    seal = Seal(
        number=previous.number + 1 if previous else 1,
        sealed_at=sealed_at,
        from_transaction=previous.to_transaction if previous else 0,
        to_transaction=to_transaction,
        entries=len(leaves) // LEAF_BYTES,
        leaves=leaves,
        merkle_root=merkle_root(leaves),
        previous_hash=previous.seal_hash if previous else NO_SEAL_BEFORE,
        seal_hash=b"",
        signature=b"",
    )
    digest = seal_hash(seal)
    return Seal(**{**vars(seal), "seal_hash": digest, "signature": sign(key, digest)})


def archive_hash(
    archive_id: UUID,
    month: str,
    file_name: str,
    numbers: Sequence[int],
    sha256: bytes,
    times: Sequence[datetime | None],
) -> bytes:
    """What an archive's record says, to be signed: whoever has the database alone cannot claim that a month went."""
    parts = [month.encode(), file_name.encode(), *(str(number).encode() for number in numbers), sha256]
    parts += [b"" if time is None else str(microseconds(time)).encode() for time in times]
    body = b"".join(struct.pack(">q", len(part)) + part for part in parts)
    return hashlib.sha256(_ARCHIVE + archive_id.bytes + body).digest()


def microseconds(time: datetime) -> int:
    """Whole microseconds since 1970, without the rounding of floats."""
    return (time - _EPOCH) // timedelta(microseconds=1)
