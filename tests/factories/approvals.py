"""Approval rules and requests, and a kind of action that tests can see done."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.asking import ask_if_needed
from fleetkeeper.approvals.kinds import KINDS, Action, declare_kind
from fleetkeeper.approvals.models import ApprovalRule
from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.errors import ForbiddenError
from fleetkeeper.identity.acting import context_of_actor
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Department, Group, Role, User
from fleetkeeper.identity.permissions import Permission

KIND = "tests.act"
# Who did what: the payloads of actions that were carried out.
done: list[tuple[str, Mapping[str, Any]]] = []


async def _apply(session: AsyncSession, actor: Actor, payload: Mapping[str, Any], reason: str) -> None:
    if not actor.may(Permission.DEVICES_READ):
        raise ForbiddenError("You may no longer do this.")
    done.append((actor.name, payload))


if KIND not in KINDS:
    declare_kind(
        KIND,
        "Do something",
        unit="things",
        describe=lambda payload: [("What", str(payload.get("what", "")))],
        apply=_apply,
    )


def level(*approvers: User | Group | Role, minimum: int = 1) -> dict[str, Any]:
    """A level of a rule, as the database has it."""
    named = {
        name: [str(one.id) for one in approvers if isinstance(one, model)]
        for name, model in (("users", User), ("groups", Group), ("roles", Role))
    }
    return {**named, "minimum": minimum}


async def make_approval_rule(
    session: AsyncSession, *levels: dict[str, Any], **columns: object
) -> ApprovalRule:
    rule = ApprovalRule(**{"name": "Two people", "kind": KIND, "levels": list(levels)} | columns)
    session.add(rule)
    await session.flush()
    await session.refresh(rule)
    return rule


def action(what: str = "it", *, department: Department | None = None, amount: float = 1) -> Action:
    return Action(
        kind=KIND,
        subject_type="thing",
        subject_id="1",
        subject_label="The thing",
        subject_href="",
        payload={"what": what},
        amount=amount,
        department_id=department and department.id,
        reason="It is time",
    )


async def ask(session: AsyncSession, actor: Actor, what: str = "it", **more: Any) -> ApprovalRead:
    """A request that a rule wants."""
    request = await ask_if_needed(session, actor, action(what, **more))
    assert request is not None
    return request


def acting(app, actor: Actor):
    """A session of its own, in the actor's name."""
    return app.state.database.session(context_of_actor(actor, {}))
