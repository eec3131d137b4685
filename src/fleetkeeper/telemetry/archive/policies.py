"""Which policy holds for a device and a metric, and what it says on a day. Pure; days are numbers since 1970.

The policy with the highest priority wins; of equal ones the one that names more (a metric group, a device type, a
department, where a nearer department counts more than one above it); of those the oldest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from fleetkeeper.telemetry.rollups.periods import Tier


@dataclass(frozen=True)
class Policy:
    """One policy. No number of days means never; no group, type or department means any."""

    id: int
    name: str = ""
    priority: int = 0
    metric_group: str | None = None
    device_type: str | None = None
    department_id: UUID | None = None
    raw_days: int | None = None
    archive_after_days: int | None = None
    downsample_after_days: int | None = None
    rollup_days: Mapping[Tier, int | None] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its name, or its number."""
        return self.name or f"Policy {self.id}"

    @property
    def raw_end_days(self) -> int | None:
        """The age at which raw samples go, by retention or by downsampling, whichever comes first."""
        ends = [days for days in (self.raw_days, self.downsample_after_days) if days is not None]
        return min(ends, default=None)


@dataclass(frozen=True)
class DeviceKind:
    """What policies go by: a device's type, and its department with those above it, nearest first."""

    device_type: str = ""
    departments: tuple[UUID, ...] = ()


# What holds where there is no policy at all: nothing goes.
KEEP_ALL = Policy(0, "No policy")


@dataclass(frozen=True)
class Choice:
    """The policy that holds, why it does, and those it won over."""

    policy: Policy
    reason: str
    others: tuple[Policy, ...] = ()


@dataclass(frozen=True)
class Keeping:
    """What a policy says on one day: of days before each limit something goes. None is never."""

    policy: Policy
    archive_before: int | None
    raw_before: int | None
    rollups_before: Mapping[Tier, int]

    def is_archived(self, day: int) -> bool:
        """Whether raw samples of a day belong into files."""
        return self.archive_before is not None and day < self.archive_before and not self.is_removed(day)

    def is_removed(self, day: int) -> bool:
        """Whether raw samples of a day go, wherever they are."""
        return self.raw_before is not None and day < self.raw_before


def rank(policy: Policy, group: str, kind: DeviceKind) -> tuple[int, ...] | None:
    """How strongly a policy speaks for a metric group of a device; None when it does not concern it."""
    nearness = 0
    if policy.department_id is not None:
        if policy.department_id not in kind.departments:
            return None
        nearness = len(kind.departments) - kind.departments.index(policy.department_id)
    if policy.metric_group not in {None, group} or policy.device_type not in {None, kind.device_type}:
        return None
    named = (policy.metric_group, policy.device_type, policy.department_id)
    return policy.priority, sum(part is not None for part in named), nearness, -policy.id


def choose(policies: Iterable[Policy], group: str, kind: DeviceKind) -> Choice:
    """The policy for a metric group of a device, and why."""
    ranked = [(told, policy) for policy in policies if (told := rank(policy, group, kind)) is not None]
    ranked.sort(key=lambda pair: pair[0], reverse=True)
    if not ranked:
        return Choice(KEEP_ALL, "No policy concerns it, so everything is kept.")
    (own, policy), others = ranked[0], ranked[1:]
    return Choice(
        policy, _reason(policy, own, others[0] if others else None), tuple(one for _, one in others)
    )


def _reason(policy: Policy, own: tuple[int, ...], next_best: tuple[tuple[int, ...], Policy] | None) -> str:
    named = [
        text
        for text, value in (
            ("its metric group", policy.metric_group),
            ("its device type", policy.device_type),
            ("its department or one above it", policy.department_id),
        )
        if value is not None
    ]
    fits = (
        f"It names {', '.join(named)}" if named else "It names no group, type or department, so it fits any"
    )
    if next_best is None:
        return f"{fits}, and no other policy does."
    theirs, other = next_best
    for number, words in enumerate(
        ("has a higher priority", "names more", "names the nearer department", "is older")
    ):
        if own[number] != theirs[number]:
            return f"{fits}, and {words} than {other.title}."
    return f"{fits}."


def limits(policy: Policy, today: int) -> Keeping:
    """What a policy says on a day."""
    raw, archive = policy.raw_end_days, policy.archive_after_days
    return Keeping(
        policy,
        None if archive is None else today - archive,
        None if raw is None else today - raw,
        {tier: today - days for tier, days in policy.rollup_days.items() if days is not None},
    )


@dataclass(frozen=True)
class Rules:
    """All policies on one day, for all kinds of devices."""

    policies: Sequence[Policy]
    today: int
    _known: dict[tuple[str, DeviceKind], Keeping] = field(default_factory=dict)

    def keeping(self, group: str, kind: DeviceKind) -> Keeping:
        """What holds for a metric group of a kind of device."""
        found = self._known.get((group, kind))
        if found is None:
            found = limits(choose(self.policies, group, kind).policy, self.today)
            self._known[group, kind] = found
        return found

    @cached_property
    def latest_archive_day(self) -> int:
        """No policy archives anything of this day or a later one."""
        days = [told.archive_before for told in self._all if told.archive_before is not None]
        return max(days, default=0)

    @cached_property
    def latest_raw_day(self) -> int:
        """No policy removes raw samples of this day or a later one."""
        return max((told.raw_before for told in self._all if told.raw_before is not None), default=0)

    @cached_property
    def everything_raw_before(self) -> int | None:
        """Every policy removes all raw samples of days before this one; None when one keeps some for ever."""
        days = [told.raw_before for told in self._all]
        return None if not days or None in days else min(day for day in days if day is not None)

    def latest_rollup_day(self, tier: Tier) -> int:
        """No policy removes rollups of a tier of this day or a later one."""
        return max((told.rollups_before.get(tier, 0) for told in self._all), default=0)

    @cached_property
    def _all(self) -> list[Keeping]:
        return [limits(policy, self.today) for policy in self.policies]


def base_policy(policies: Sequence[Policy]) -> Policy:
    """The policy for what has no metric group, such as lists of processes: the first that names nothing."""
    plain = [
        policy
        for policy in policies
        if policy.metric_group is None and policy.device_type is None and policy.department_id is None
    ]
    return max(plain, key=lambda policy: (policy.priority, -policy.id), default=KEEP_ALL)
