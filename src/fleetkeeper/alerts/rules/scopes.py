"""Where a rule looks: which devices, and whose eyes it looks with."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import parse_qsl
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import TransactionContext, product_context
from fleetkeeper.devices.service import matching_ids
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor, Scope, product_actor
from fleetkeeper.identity.permissions import Permission

# Devices that one rule looks at.
MOST_DEVICES = 200_000
Texts = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=100)]
_SEEN_WITH = (
    Permission.DEVICES_READ,
    Permission.TELEMETRY_READ,
    Permission.TAGS_READ,
    Permission.FIELDS_READ,
    Permission.DEPARTMENTS_READ,
)


class RuleScope(BaseModel):
    """Which devices a rule looks at: those that fit all that is given, and none of what is excluded."""

    model_config = ConfigDict(extra="forbid")

    device_types: Texts = Field(default=[], description="Types of devices; empty: all")
    departments: list[UUID] = Field(
        default=[], max_length=100, description="Departments, each with those below it; empty: all"
    )
    tags: Texts = Field(default=[], description="Slugs of tags, of which a device has at least one")
    filter: str = Field(
        default="",
        max_length=2000,
        description="What follows ? in the address of the device list, such as q=web&os_name=Debian",
    )
    excluded_devices: list[UUID] = Field(default=[], max_length=1000)
    excluded_tags: Texts = []


async def devices_of(session: AsyncSession, actor: Actor, scope: RuleScope) -> set[UUID]:
    """The devices in use that a rule looks at. Raises InvalidInputError for a filter that is none."""
    asked = [("lifecycle", "active"), *parse_qsl(scope.filter)]
    if scope.device_types:
        asked.append(("device_type__in", ",".join(scope.device_types)))
    if scope.tags:
        asked.append(("tag__in", ",".join(scope.tags)))
    places: Sequence[str] = [str(one) for one in scope.departments] or [""]
    found: set[UUID] = set()
    for place in places:
        wanted = [*asked, ("department", place)] if place else asked
        found.update(await matching_ids(session, actor, wanted, limit=MOST_DEVICES))
    if scope.excluded_tags:
        without = [("tag__in", ",".join(scope.excluded_tags))]
        found.difference_update(await matching_ids(session, actor, without, limit=MOST_DEVICES))
    return found.difference(scope.excluded_devices)


async def check_scope(session: AsyncSession, actor: Actor, scope: RuleScope) -> None:
    """Raise InvalidInputError, at the scope's own field, for a filter that is none."""
    try:
        await matching_ids(session, actor, parse_qsl(scope.filter), limit=1)
    except InvalidInputError as error:
        why = "; ".join(f"{one.field}: {one.message}" for one in error.fields) or error.detail
        raise InvalidInputError("The rule was not kept.", fields=[FieldError("scope.filter", why)]) from None


async def departments_below(session: AsyncSession, department_id: UUID) -> frozenset[UUID]:
    """A department and all below it."""
    rows = await session.execute(
        text(
            "WITH RECURSIVE below AS (SELECT id FROM departments WHERE id = :id UNION "
            "SELECT d.id FROM departments d JOIN below ON d.parent_id = below.id) SELECT id FROM below"
        ),
        {"id": department_id},
    )
    return frozenset(rows.scalars())


def eyes(departments: frozenset[UUID] | None) -> Actor:
    """Who looks for a rule: the product itself, or, for a rule of a department, with that department's eyes."""
    if departments is None:
        return product_actor("job", "alerts")
    scope = Scope(departments=departments)
    return Actor(kind="job", name="alerts", grants=dict.fromkeys(_SEEN_WITH, scope))


def context_of(departments: frozenset[UUID] | None) -> TransactionContext:
    """The same for the database's own row security."""
    whole = product_context("job", "alerts.evaluate")
    if departments is None:
        return whole
    return TransactionContext(departments=departments, acting_departments=departments, audit=whole.audit)
