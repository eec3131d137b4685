"""What of an object waits for approval, above its page."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.kinds import KINDS
from fleetkeeper.approvals.service import pending_about
from fleetkeeper.console.contexts.panels import Note
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission


async def waiting_notes(session: AsyncSession, actor: Actor, table: str, key: UUID) -> tuple[Note, ...]:
    """A note for each request about an object; a link to it for those who may open it for sure."""
    if not any(kind.startswith(f"{table}.") for kind in KINDS):
        return ()
    return tuple(
        Note(
            f"{one.title}, requested by {one.requester_name}, waits for approval.",
            f"/approvals/{one.id}" if _may_open(actor, one.requester_id) else "",
            "Show request",
        )
        for one in await pending_about(session, table, str(key))
    )


def _may_open(actor: Actor, requester_id: UUID | None) -> bool:
    return actor.may_everywhere(Permission.APPROVALS_READ) or (
        requester_id is not None and requester_id == actor.user_id
    )
