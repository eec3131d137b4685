"""Which silences quiet an alert. Without I/O."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fleetkeeper.alerts.matchers import LabelMatcher, match_all, parse_matchers
from fleetkeeper.alerts.models import AlertSilence
from fleetkeeper.alerts.silences.schemas import AlertSilenceRead, SilenceState, state_of
from fleetkeeper.kit.turns import Turns


@dataclass(frozen=True)
class Quiet:
    """A silence that quiets now."""

    id: UUID
    name: str
    matchers: tuple[LabelMatcher, ...]
    device_id: UUID | None
    tag_id: UUID | None
    department_id: UUID | None

    def fits(
        self,
        labels: Mapping[str, str],
        device_id: UUID | None,
        tags: Collection[UUID],
        departments: Collection[UUID],
    ) -> bool:
        """Whether it quiets an alert; `departments` are the alert's own and those above it."""
        return (
            (self.device_id is None or self.device_id == device_id)
            and (self.tag_id is None or self.tag_id in tags)
            and (self.department_id is None or self.department_id in departments)
            and match_all(self.matchers, labels)
        )


async def active_at(rows: Sequence[AlertSilence], now: datetime) -> list[Quiet]:
    """Those of the silences that quiet at a moment; of many, it gives way to others in between."""
    found, turns = [], Turns()
    for row in rows:
        await turns.give_way()
        if state_of(AlertSilenceRead.model_validate(row), now) is SilenceState.ACTIVE:
            matchers = parse_matchers(row.matchers[0]) if row.matchers else ()
            found.append(Quiet(row.id, row.name, matchers, row.device_id, row.tag_id, row.department_id))
    return found
