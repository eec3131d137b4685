"""What the doors of the audit log do: begin an export, seal, say where the log stands."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.jobs import VERIFY_TASK, seal_some
from fleetkeeper.audit.recorder import record_event
from fleetkeeper.audit.schemas import AuditState, SealsMade
from fleetkeeper.database.context import TransactionContext
from fleetkeeper.database.engine import Database, let_go
from fleetkeeper.database.logins import audit_keeper_url
from fleetkeeper.errors import ConflictError, StartupError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.schemas import RunAsked
from fleetkeeper.jobs.service import enqueue
from fleetkeeper.operations import audit_browser
from fleetkeeper.settings import Settings

_PAGING = frozenset({"limit", "cursor", "ordering"})


async def begin_export(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]], file_format: str
) -> Select[Any]:
    """Keep in the log that entries leave it, and return the statement that reads them. Raises InvalidInputError."""
    wanted = [item for item in parameters if item[0] not in _PAGING]
    statement, told = audit_browser.narrowed(audit_browser.visible_to(actor, Permission.AUDIT_EXPORT), wanted)
    statement = statement.where(*audit_browser.ENTRIES.filters(told))
    details = {"format": file_format, "filters": {name[:100]: text[:300] for name, text in wanted if text}}
    await record_event(session, "audit.export", "audit", details=details)
    return statement


async def seal(session: AsyncSession, settings: Settings, context: TransactionContext) -> SealsMade:
    """Seal what is not sealed yet, on a connection of the log's keeper. Raises ConflictError."""
    await let_go(session)
    try:
        url = audit_keeper_url(settings)
    except StartupError as error:
        raise ConflictError(f"The log cannot be sealed from here. {error}") from None
    keeper = Database(url, pool_size=1, statement_timeout_seconds=settings.database.statement_timeout_seconds)
    try:
        made = await seal_some(keeper, settings, context)
    finally:
        await keeper.close()
    return SealsMade(seals=[audit_browser.shown(one) for one in made])


async def ask_for_verification(session: AsyncSession) -> RunAsked:
    """Let the worker check the whole log as soon as it can; the log keeps who asked."""
    asked = await enqueue(session, VERIFY_TASK)
    await record_event(session, "audit.verification_asked", "audit")
    return asked


async def read_state(session: AsyncSession, actor: Actor) -> AuditState:
    """Where the log stands; findings name entries, so only those who see all of them get to see them."""
    state = await audit_browser.read_state(session)
    if state.verification is not None and not actor.may_everywhere(Permission.AUDIT_READ):
        state.verification.findings.clear()
    return state
