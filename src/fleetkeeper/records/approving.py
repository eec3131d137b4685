"""Moves of a status that may need approval."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.kinds import Action, declare_kind
from fleetkeeper.errors import ConflictError
from fleetkeeper.identity.actor import Actor

Pairs = list[tuple[str, str]]
Locked = Callable[[AsyncSession, Actor, UUID], Awaitable[Any]]
Move = Callable[[AsyncSession, Any, StrEnum, str], Awaitable[object]]


@dataclass(frozen=True)
class ApprovedMove:
    """A move to a state that may need approval: `kind` is `room.verb`, `unit` what the amounts of rules count.

    `facts` are what approvers read, as pairs of label and text. What was approved is the object as it was then: any
    change of it ends a request that waits, and refuses what was approved already.
    """

    kind: str
    title: str
    unit: str
    amount: Callable[[Any], float]
    facts: Callable[[Any], Pairs]

    def declare(self, state: StrEnum, locked: Locked, move: Move) -> None:
        """Say how it is carried out. Raises ValueError for a kind that is declared."""

        async def apply(session: AsyncSession, actor: Actor, payload: Mapping[str, Any], reason: str) -> None:
            row = await locked(session, actor, UUID(payload["id"]))
            if row.version != payload["version"]:
                raise ConflictError("It was changed after approval was asked for. Ask again.")
            await move(session, row, state, reason)

        declare_kind(self.kind, self.title, unit=self.unit, describe=_facts_in, apply=apply)

    def action(self, row: Any, page: str, label: str, reason: str) -> Action:
        """What is asked for."""
        return Action(
            kind=self.kind,
            subject_type=row.__table__.name,
            subject_id=str(row.id),
            subject_label=label,
            subject_href=page.format(row.id),
            payload={
                "id": str(row.id),
                "version": row.version,
                "facts": [list(pair) for pair in self.facts(row)],
            },
            amount=self.amount(row),
            department_id=row.department_id,
            reason=reason,
        )


def _facts_in(payload: Mapping[str, Any]) -> Pairs:
    return [(label, text) for label, text in payload["facts"]]
