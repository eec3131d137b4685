"""Whether two records are one machine: points for and against, each with its sentence. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleetkeeper.devices.identity.records import Piece, Record, swapped_uuid
from fleetkeeper.devices.identity.strength import (
    MOST_FOR_MACS,
    SERIAL_WITHOUT_MANUFACTURER,
    STRENGTHS,
    mac_strength,
    shared_strength,
)

# What a difference takes away. A network card or a name changes more easily than a mainboard.
AGAINST = {
    "smbios_uuid": 60.0,
    "serial": 50.0,
    "mac": 30.0,
    "fqdn": 25.0,
    "machine_id": 20.0,
    "hostname": 10.0,
}
_WORDS = {
    "smbios_uuid": "system UUID",
    "serial": "serial number",
    "machine_id": "machine ID",
    "mac": "MAC address",
    "fqdn": "full name",
    "hostname": "host name",
}
_HARDWARE = ("smbios_uuid", "serial")


@dataclass(frozen=True)
class Contribution:
    """What one kind of evidence says."""

    kind: str
    points: float
    sentence: str


@dataclass(frozen=True)
class Match:
    """How much two records look like one machine."""

    contributions: tuple[Contribution, ...]

    @property
    def support(self) -> float:
        """The points in favor alone."""
        return sum(one.points for one in self.contributions if one.points > 0)

    @property
    def score(self) -> float:
        """The points in favor without those against."""
        return sum(one.points for one in self.contributions)

    @property
    def explanation(self) -> tuple[str, ...]:
        """A sentence for each kind of evidence that both have."""
        return tuple(one.sentence for one in self.contributions)


def match(one: Record, other: Record, sharing: Mapping[Piece, int]) -> Match:
    """Compare two records; `sharing` is of `count_sharing`. It does not matter which comes first."""
    found: Iterable[Contribution | None] = (
        *(_container(one, other, kind) or _same_or_not(one, other, kind, sharing) for kind in _HARDWARE),
        _same_or_not(one, other, "machine_id", sharing),
        _macs(one, other, sharing),
        _same_or_not(one, other, "fqdn", sharing),
        _names(one, other, sharing),
    )
    return Match(tuple(item for item in found if item is not None))


def _container(one: Record, other: Record, kind: str) -> Contribution | None:
    if one.is_container == other.is_container or not _common(one, other, kind):
        return None
    return Contribution(kind, 0.0, f"One is a container, which shows the {_WORDS[kind]} of its host.")


def _common(one: Record, other: Record, kind: str) -> frozenset[str]:
    mine, theirs = one.values(kind), other.values(kind)
    if kind == "smbios_uuid":
        return frozenset(value for value in mine if value in theirs or swapped_uuid(value) in theirs)
    return mine & theirs


def _same_or_not(one: Record, other: Record, kind: str, sharing: Mapping[Piece, int]) -> Contribution | None:
    common = _common(one, other, kind)
    if not common:
        differ = one.values(kind) and other.values(kind)
        return _against(kind, one.values(kind), other.values(kind)) if differ else None
    value = min(common)
    points, note = STRENGTHS[kind], ""
    if kind == "serial":
        points, note = _serial(one, other)
    return _in_favor(kind, value, points, note, sharing)


def _serial(one: Record, other: Record) -> tuple[float, str]:
    makers = {one.manufacturer.casefold(), other.manufacturer.casefold()}
    if "" in makers:
        return SERIAL_WITHOUT_MANUFACTURER, "one manufacturer is not known"
    return (STRENGTHS["serial"], "") if len(makers) == 1 else (0.0, "the manufacturers differ")


def _in_favor(kind: str, value: str, points: float, note: str, sharing: Mapping[Piece, int]) -> Contribution:
    number = sharing.get((kind, value), 1)
    if number > 1:
        note = f"one source knows {number} machines with it"
    ending = f", but {note}" if note else ""
    return Contribution(
        kind, shared_strength(points, number), f"Both have the {_WORDS[kind]} {value}{ending}."
    )


def _against(kind: str, mine: Iterable[str], theirs: Iterable[str]) -> Contribution:
    first, second = sorted((min(mine), min(theirs)))
    return Contribution(kind, -AGAINST[kind], f"The {_WORDS[kind]} differs: {first} and {second}.")


def _macs(one: Record, other: Record, sharing: Mapping[Piece, int]) -> Contribution | None:
    common = sorted(_common(one, other, "mac"))
    if common:
        parts = [_in_favor("mac", value, *mac_strength(value), sharing) for value in common]
        points = min(MOST_FOR_MACS, sum(part.points for part in parts))
        return Contribution("mac", points, " ".join(part.sentence for part in parts[:5]))
    if not _has_own_mac(one) or not _has_own_mac(other):
        return None
    return Contribution("mac", -AGAINST["mac"], "They have no MAC address in common.")


def _has_own_mac(record: Record) -> bool:
    return any(mac_strength(value)[0] > 0 for value in record.values("mac"))


def _names(one: Record, other: Record, sharing: Mapping[Piece, int]) -> Contribution | None:
    common = one.short_names & other.short_names
    if common:
        return _in_favor("hostname", min(common), STRENGTHS["hostname"], "", sharing)
    if one.short_names and other.short_names:
        return _against("hostname", one.short_names, other.short_names)
    return None
