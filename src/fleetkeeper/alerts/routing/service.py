"""Receivers and the tree of routes: made and changed by people; and where an alert would go."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertReceiver, AlertRoute
from fleetkeeper.alerts.routing import queries
from fleetkeeper.alerts.routing.building import build, path_of
from fleetkeeper.alerts.routing.schemas import (
    AlertReceiverPage,
    AlertReceiverRead,
    AlertReceiverWrite,
    AlertRoutePage,
    AlertRouteRead,
    AlertRouteWrite,
    RouteAnswer,
    RouteStep,
    RouteTest,
)
from fleetkeeper.alerts.routing.tree import walk
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Group, User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users.queries import visible_to as users_visible_to
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.notifications.channels.queries import visible_to as channels_visible_to
from fleetkeeper.notifications.deliveries.queries import ancestors_of
from fleetkeeper.notifications.models import NotificationChannel
from fleetkeeper.records.service import Records

# Routes of a tree, and levels of it.
MOST_ROUTES = 500
MOST_LEVELS = 20


class AlertReceivers(Records[AlertReceiverWrite, AlertReceiverRead]):
    """Receivers."""

    async def create(
        self, session: AsyncSession, actor: Actor, wanted: AlertReceiverWrite
    ) -> AlertReceiverRead:
        """Make a receiver. Raises InvalidInputError for somebody or a channel that the actor does not see."""
        await _check_receiver(session, actor, wanted, None)
        return await super().create(session, actor, wanted)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: AlertReceiverWrite,
        expected_version: int | None = None,
    ) -> AlertReceiverRead:
        """Change a receiver."""
        await _check_receiver(session, actor, wanted, await self.get(session, actor, key))
        return await super().change(session, actor, key, wanted, expected_version)


class AlertRoutes(Records[AlertRouteWrite, AlertRouteRead]):
    """Routes. After each change alerts that are open go through the tree again."""

    async def create(self, session: AsyncSession, actor: Actor, wanted: AlertRouteWrite) -> AlertRouteRead:
        """Add a route. Raises ConflictError for one too many."""
        if (await session.scalar(select(func.count()).select_from(AlertRoute)) or 0) >= MOST_ROUTES:
            raise ConflictError(f"The tree has {MOST_ROUTES} routes already; remove some.")
        await self._check_place(session, actor, None, wanted)
        made = await super().create(session, actor, wanted)
        await queries.reroute(session)
        return made

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: AlertRouteWrite,
        expected_version: int | None = None,
    ) -> AlertRouteRead:
        """Change a route, or move it with all below it."""
        await self._check_place(session, actor, key, wanted)
        changed = await super().change(session, actor, key, wanted, expected_version)
        await queries.reroute(session)
        return changed

    async def delete(self, session: AsyncSession, actor: Actor, key: UUID) -> None:
        """Delete a route with all below it. Raises ConflictError for the first one."""
        await queries.lock_tree(session)
        row = await self.locked(session, actor, key)
        if row.parent_id is None:
            raise ConflictError("The first route stays: every alert begins there.")
        await super().delete(session, actor, key)
        await queries.reroute(session)

    async def _check_place(
        self, session: AsyncSession, actor: Actor, key: UUID | None, wanted: AlertRouteWrite
    ) -> None:
        """Below a route that is there, not below itself, not too deep, and telling receivers that the actor sees.

        Changes of the tree come one after the other: two at once could each be right, and make a circle together.
        """
        await queries.lock_tree(session)
        parents = {row.id: row.parent_id for row in await queries.routes(session)}
        problems = []
        if wanted.parent_id is None:
            if key is None or parents.get(key, key) is not None:
                problems.append(FieldError("parent_id", "Is the ID of the route above"))
        elif wanted.parent_id not in parents:
            problems.append(FieldError("parent_id", "No such route"))
        else:
            problems += _problems_of_place(parents, key, wanted.parent_id)
        seen = set(await session.scalars(receivers.visible_to(actor).with_only_columns(AlertReceiver.id)))
        problems += [
            FieldError(name, "No such receiver")
            for name in ("receiver_id", "escalate_to_id")
            if getattr(wanted, name) not in {None, *seen}
        ]
        problems += _problems_of_escalation(wanted)
        if problems:
            raise InvalidInputError("The route was not kept.", fields=problems)


def _problems_of_escalation(wanted: AlertRouteWrite) -> list[FieldError]:
    if wanted.escalate_after_seconds is None and wanted.escalate_to_id is not None:
        return [FieldError("escalate_after_seconds", "Required with a receiver to escalate to")]
    if wanted.escalate_after_seconds is not None and wanted.escalate_to_id is None:
        return [FieldError("escalate_to_id", "Required with a time to escalate after")]
    return []


def _problems_of_place(
    parents: Mapping[UUID, UUID | None], key: UUID | None, parent_id: UUID
) -> list[FieldError]:
    above = path_of(parents, parent_id)
    if key in above:
        return [FieldError("parent_id", "Lies below this route itself")]
    below = max(
        (len(path) - path.index(key) for one in parents if key in (path := path_of(parents, one))), default=1
    )
    if len(above) + below > MOST_LEVELS:
        return [FieldError("parent_id", f"Lies too deep: a tree has at most {MOST_LEVELS} levels")]
    return []


async def _check_receiver(
    session: AsyncSession, actor: Actor, wanted: AlertReceiverWrite, present: AlertReceiverRead | None
) -> None:
    """Raise InvalidInputError for a channel or people whom the actor does not see; what is there stays."""
    seen = {
        "channel_ids": channels_visible_to(actor).with_only_columns(NotificationChannel.id),
        "user_ids": users_visible_to(actor).with_only_columns(User.id),
        "group_ids": select(Group.id) if actor.may(Permission.GROUPS_READ) else None,
    }
    problems = []
    for name, statement in seen.items():
        new = set(getattr(wanted, name)) - set(getattr(present, name, ()))
        known = set(await session.scalars(statement)) if new and statement is not None else set()
        if new - known:
            problems.append(FieldError(name, "Names one that does not exist"))
    if problems:
        raise InvalidInputError("The receiver was not kept.", fields=problems)


async def explain(session: AsyncSession, actor: Actor, wanted: RouteTest) -> RouteAnswer:
    """Where an alert with these labels would go, and why; routes that the actor may not see are left out."""
    rows = await queries.routes(session)
    seen = set(await session.scalars(routes.visible_to(actor).with_only_columns(AlertRoute.id)))
    names = {one.id: one.name for one in (await queries.receivers(session)).values()}
    ancestors = await ancestors_of(session)
    departments = ancestors.get(wanted.department_id, frozenset()) if wanted.department_id else frozenset()
    way = walk(build(rows), wanted.labels, departments)
    steps = [
        RouteStep(
            route_id=one.route.id,
            name=one.route.name,
            depth=one.depth,
            is_taken=one.is_taken,
            is_end=one.is_end,
            why=one.why,
        )
        for one in way.decisions
        if one.route.id in seen
    ]
    told = [names.get(one.options.receiver_id, "") for one in way.ends if one.options.receiver_id]
    return RouteAnswer(steps=steps, receivers=list(dict.fromkeys(name for name in told if name)))


receivers = AlertReceivers(
    model=AlertReceiver,
    listing=Listing(
        fields={
            "id": Field(AlertReceiver.id.expression, UUID, sortable=False),
            "name": Field(AlertReceiver.name.expression, str),
            "department_id": Field(AlertReceiver.department_id.expression, UUID, sortable=False),
        },
        search=(AlertReceiver.name.expression,),
        key=AlertReceiver.id.expression,
        default_ordering="name",
    ),
    write_as=AlertReceiverWrite,
    read_as=AlertReceiverRead,
    page_as=AlertReceiverPage,
    noun=("receiver", "receivers"),
    page="/alerts/receivers/{}",
    read=Permission.ALERTS_READ,
    write=Permission.ALERTS_WRITE,
    is_shared=True,
)
routes = AlertRoutes(
    model=AlertRoute,
    listing=Listing(
        fields={
            "id": Field(AlertRoute.id.expression, UUID, sortable=False),
            "name": Field(AlertRoute.name.expression, str),
            "parent_id": Field(AlertRoute.parent_id.expression, UUID, sortable=False),
            "position": Field(AlertRoute.position.expression, int),
            "receiver_id": Field(AlertRoute.receiver_id.expression, UUID, sortable=False),
            "department_id": Field(AlertRoute.department_id.expression, UUID, sortable=False),
        },
        search=(AlertRoute.name.expression,),
        key=AlertRoute.id.expression,
        default_ordering="position",
    ),
    write_as=AlertRouteWrite,
    read_as=AlertRouteRead,
    page_as=AlertRoutePage,
    noun=("route", "routes"),
    page="/alerts/routes/{}",
    read=Permission.ALERTS_READ,
    write=Permission.ALERTS_WRITE,
    is_shared=True,
    values=lambda wanted: wanted.model_dump() | {"matchers": [wanted.matchers] if wanted.matchers else []},
)
