"""Order proposals as people list and dismiss them, and looking through stock when somebody asks for it."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.config.service import read_config
from fleetkeeper.database.status_history import move as move_status
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.schemas import RunAsked
from fleetkeeper.jobs.service import enqueue, newest_run
from fleetkeeper.kit.bulk import BulkItem, BulkResult, Selection, result_of
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.records.service import Records
from fleetkeeper.replenishment import queries
from fleetkeeper.replenishment.models import OrderProposal
from fleetkeeper.replenishment.schemas import ProposalPage, ProposalRead, ProposalRun
from fleetkeeper.replenishment.status import PROPOSALS, ProposalStatus
from fleetkeeper.stock.naming import read_named

PROPOSE = "replenishment.propose"
MOST_AT_ONCE = 200


class Proposals(Records[BaseModel, ProposalRead]):
    """Order proposals of the departments where the actor may order. People change nothing of them but their status."""

    async def list(
        self,
        session: AsyncSession,
        actor: Actor,
        parameters: Sequence[tuple[str, str]],
        *,
        is_counted: bool = True,
    ) -> ProposalPage:
        """One page of the proposals that the actor may see. Raises InvalidInputError."""
        visible = self.visible_to(actor)
        return await self.listing.read(
            session,
            queries.with_order(visible),
            parameters,
            ProposalPage,
            lambda row: read_named(ProposalRead, row),
            narrow=visible if not dict(parameters).get("q") else None,
            is_counted=is_counted,
        )

    async def get(self, session: AsyncSession, actor: Actor, key: UUID) -> ProposalRead:
        """One proposal. Raises NotFoundError."""
        found = await session.execute(
            queries.with_order(self.visible_to(actor).where(OrderProposal.id == key))
        )
        row = found.first()
        if row is None:
            raise NotFoundError("There is no such proposal.")
        return read_named(ProposalRead, row)

    async def move(
        self, session: AsyncSession, actor: Actor, key: UUID, wanted: StrEnum, reason: str
    ) -> ProposalRead | ApprovalRead:
        """Dismiss a proposal. Raises NotFoundError, ForbiddenError, ConflictError for one that is not open."""
        if wanted != ProposalStatus.DISMISSED:
            raise ConflictError("People dismiss proposals, or make draft orders of them.")
        row: OrderProposal = await self.locked(session, actor, key)
        PROPOSALS.check(ProposalStatus(row.status), ProposalStatus.DISMISSED)
        await _dismiss(session, row, reason)
        return await self.get(session, actor, key)


proposals = Proposals(
    model=OrderProposal,
    listing=queries.LISTING,
    write_as=BaseModel,
    read_as=ProposalRead,
    page_as=ProposalPage,
    noun=("proposal", "proposals"),
    page="/order-proposals/{}",
    label="id",
    read=Permission.ORDERS_READ,
    write=Permission.ORDERS_WRITE,
    machine=PROPOSALS,
)


async def dismiss(session: AsyncSession, actor: Actor, key: UUID, reason: str) -> ProposalRead:
    """Dismiss a proposal. Raises NotFoundError, ForbiddenError, ConflictError for one that is not open."""
    await proposals.move(session, actor, key, ProposalStatus.DISMISSED, reason)
    return await proposals.get(session, actor, key)


async def _dismiss(session: AsyncSession, row: OrderProposal, reason: str) -> None:
    days = (await read_config(session)).replenishment.dismissed_days
    row.dismissed_until = utc_now() + timedelta(days=days)
    row.version += 1
    await move_status(session, PROPOSALS, row, ProposalStatus.DISMISSED, reason=reason)


async def dismiss_many(
    session: AsyncSession, actor: Actor, selection: Selection, reason: str, *, dry_run: bool
) -> BulkResult:
    """Dismiss the proposals of a selection; each has its own result. Raises InvalidInputError."""
    items = []
    for one, row in await chosen(session, actor, selection, is_locked=not dry_run):
        problem = refusal(actor, row)
        if problem:
            items.append(item_of(one, "refused", problem))
            continue
        if not dry_run:
            await _dismiss(session, row, reason)
        items.append(item_of(one, "changed"))
    return result_of(items, dry_run=dry_run)


def item_of(one: ProposalRead, outcome: Any, detail: str = "") -> BulkItem:
    """What becomes of a proposal among many."""
    return BulkItem(id=one.id, name=name_of(one), outcome=outcome, detail=detail)


def name_of(one: ProposalRead) -> str:
    """What people call a proposal: `RAM-16 for Depot`."""
    variant = f" · {one.variant_code}" if one.variant_code else ""
    return f"{one.part_code}{variant} for {one.location_name}"


def refusal(actor: Actor, row: OrderProposal) -> str:
    """Why the actor can neither order nor dismiss a proposal; empty where they can."""
    if not actor.may_in(Permission.ORDERS_WRITE, row.department_id):
        where = "everywhere" if row.department_id is None else "in its department"
        return f"This needs the permission {Permission.ORDERS_WRITE} {where}."
    return "" if row.status == ProposalStatus.OPEN else f"It is {row.status} already."


async def chosen(
    session: AsyncSession, actor: Actor, selection: Selection, *, is_locked: bool
) -> Sequence[tuple[ProposalRead, OrderProposal]]:
    """The proposals of a selection in the order of their IDs. Raises InvalidInputError for too many."""
    visible = proposals.visible_to(actor)
    keys = selection.ids or []
    if selection.matching is not None:
        asked = parse_qsl(selection.matching)
        named = queries.with_order(visible)
        keys = await proposals.listing.keys(session, named, asked, limit=MOST_AT_ONCE + 1)
    if len(keys) > MOST_AT_ONCE:
        field = "ids" if selection.matching is None else "matching"
        message = f"Selects more than {MOST_AT_ONCE} proposals; add a filter, or select fewer"
        raise InvalidInputError("Too many proposals are selected.", fields=[FieldError(field, message)])
    own = visible.where(OrderProposal.id.in_(keys))
    if is_locked:
        # Locked by itself: what stands beside it is others'.
        locked = own.order_by(OrderProposal.id).with_for_update()
        await session.scalars(locked.execution_options(populate_existing=True))
    rows = await session.execute(queries.with_order(own).order_by(OrderProposal.id))
    return [(read_named(ProposalRead, row), row[0]) for row in rows]


async def ask_for_run(session: AsyncSession) -> RunAsked:
    """Look through stock as soon as a worker can."""
    return await enqueue(session, PROPOSE)


async def newest_look(session: AsyncSession) -> ProposalRun | None:
    """The newest look through stock; None before the first."""
    run = await newest_run(session, PROPOSE)
    return None if run is None else ProposalRun.model_validate(run)
