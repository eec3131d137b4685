"""What one source says of one machine, as far as it tells who the machine is. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

Piece = tuple[str, str]
# Of a record: system, instance and ID of its source.
Key = tuple[str, str, str]

AGENT = "agent"
MANUAL = "manual"


@dataclass(frozen=True)
class Record:
    """One machine as one source knows it; `evidence` is of `normalise_evidence`."""

    source_system: str
    source_id: str
    evidence: frozenset[Piece]
    source_instance: str = ""
    department_id: UUID | None = None
    manufacturer: str = ""
    # Its agent proves itself by a key that is good.
    has_key: bool = False
    # A container sees the hardware of its host.
    is_container: bool = False

    @property
    def key(self) -> Key:
        """What no other record has."""
        return self.source_system, self.source_instance, self.source_id

    @property
    def source(self) -> tuple[str, str]:
        """The source that it comes from."""
        return self.source_system, self.source_instance

    @property
    def short_names(self) -> frozenset[str]:
        """Its host names, those within full names too."""
        names = [value for kind, value in self.evidence if kind in {"hostname", "fqdn"}]
        return frozenset(name.split(".")[0] for name in names)

    def values(self, kind: str) -> frozenset[str]:
        """Its values of a kind."""
        return frozenset(value for own, value in self.evidence if own == kind)


def swapped_uuid(value: str) -> str:
    """A UUID with the bytes of its first three fields turned round, as firmware before SMBIOS 2.6 tells it."""
    return str(UUID(bytes_le=UUID(value).bytes))


def count_sharing(records: Iterable[Record]) -> Mapping[Piece, int]:
    """How many machines have a piece of evidence: the most that a single source knows with it.

    Several sources with the same value may be talking of one machine; one source with two records is not.
    """
    by_source: Counter[tuple[tuple[str, str], Piece]] = Counter()
    for record in records:
        by_source.update((record.source, piece) for piece in record.evidence)
    most: dict[Piece, int] = {}
    for (_, piece), number in by_source.items():
        most[piece] = max(number, most.get(piece, 0))
    return most


def connected(keys: Collection[int], is_linked: Callable[[int, int], bool]) -> list[list[int]]:
    """The numbers in groups, each reached from the others of its group along links."""
    left, groups = sorted(keys), []
    while left:
        group = [left.pop(0)]
        for one in group:
            near = [other for other in left if is_linked(one, other)]
            group += near
            left = [other for other in left if other not in near]
        groups.append(sorted(group))
    return groups
