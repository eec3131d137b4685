"""Reading, making, changing, sharing and deleting dashboards."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import (
    ConflictError,
    FieldError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
)
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry.dashboards import queries
from fleetkeeper.telemetry.dashboards.checking import read_definition
from fleetkeeper.telemetry.dashboards.defaults import BUILT_IN, PREFIX, BuiltIn, built_in_for
from fleetkeeper.telemetry.dashboards.definition import Definition
from fleetkeeper.telemetry.dashboards.models import Dashboard
from fleetkeeper.telemetry.dashboards.schemas import (
    DashboardCreate,
    DashboardDocument,
    DashboardImport,
    DashboardPage,
    DashboardRead,
    DashboardSummary,
    DashboardWrite,
)

MAX_OWN = 500
_NO_SLUG = re.compile(r"[^a-z0-9]+")
# Words that stand in addresses beside slugs.
RESERVED = frozenset({"built-in", "check", "default", "export", "import", "new", "query"})


async def list_dashboards(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> DashboardPage:
    """One page of the dashboards that the actor may see; those that the product brings stand apart."""
    page = await queries.LISTING.page(session, queries.summaries_visible_to(actor), parameters)
    shared = [row[0].slug for row in page.rows if row[0].visibility == "everyone"]
    hidden = await queries.own_slugs(session, actor, shared)
    results = [
        DashboardSummary(**_facts(row[0], row[1], actor, panels=row[2], hidden=hidden)) for row in page.rows
    ]
    return DashboardPage(count=page.count, next=page.next, previous=page.previous, results=results)


def built_in_dashboards() -> list[DashboardSummary]:
    """The dashboards that the product brings: of the fleet, then of each type of devices."""
    return [DashboardSummary(**_built_in_facts(item)) for item in BUILT_IN.values()]


async def get_dashboard(session: AsyncSession, actor: Actor, key: str) -> DashboardRead:
    """A dashboard by its id or slug. Raises NotFoundError for one that the actor may not see."""
    if key in BUILT_IN:
        return _read_built_in(BUILT_IN[key])
    dashboard, owner = await _find(session, actor, key)
    return await _read(session, dashboard, owner, actor)


async def default_dashboard(session: AsyncSession, actor: Actor, kind: str) -> DashboardRead:
    """The dashboard of the fleet or of a type of devices: the chosen one, or the one that the product brings."""
    chosen = queries.visible_to(actor).where(Dashboard.default_for == kind)
    row = (await session.execute(chosen)).one_or_none()
    if row is None:
        return _read_built_in(built_in_for(kind))
    return await _read(session, row[0], row[1], actor)


async def create_dashboard(session: AsyncSession, actor: Actor, wanted: DashboardCreate) -> DashboardRead:
    """Make a dashboard. Raises InvalidInputError, ForbiddenError, ConflictError."""
    definition = read_definition(wanted.definition).model_dump(mode="json")
    _check_sharing(actor, None, wanted)
    await queries.hold_slugs(session)
    slug = wanted.slug or await _free_slug(session, actor, wanted.name)
    if wanted.slug and (_is_reserved(slug) or slug in await queries.slugs_like(session, actor, slug)):
        raise ConflictError(
            f"No dashboard can have the address {slug}.",
            fields=[FieldError("slug", "is taken; choose another")],
        )
    if actor.user_id is not None:
        own = queries.visible_to(actor).where(Dashboard.owner_id == actor.user_id).limit(MAX_OWN)
        if len((await session.execute(own.with_only_columns(Dashboard.id))).all()) >= MAX_OWN:
            raise ConflictError(f"One person has at most {MAX_OWN} dashboards; delete some first.")
    dashboard = Dashboard(
        slug=slug,
        name=wanted.name,
        description=wanted.description,
        definition=definition,
        owner_id=actor.user_id,
        visibility=wanted.visibility,
        default_for=wanted.default_for,
        created_by=actor.name[:300],
        updated_by=actor.name[:300],
    )
    session.add(dashboard)
    await _flush(session)
    return await get_dashboard(session, actor, str(dashboard.id))


async def replace_dashboard(
    session: AsyncSession, actor: Actor, key: str, wanted: DashboardWrite, *, expected_version: int | None
) -> DashboardRead:
    """Change a dashboard. Raises PreconditionError when somebody else changed it since `expected_version`."""
    dashboard, owner = await _changeable(session, actor, key)
    definition = read_definition(wanted.definition).model_dump(mode="json")
    _check_sharing(actor, dashboard, wanted)
    if expected_version is not None and dashboard.version != expected_version:
        raise PreconditionError(
            f"{dashboard.updated_by or 'Somebody'} saved this dashboard in the meantime; it is at version "
            f"{dashboard.version}. Reload it, or save yours as a copy."
        )
    if wanted.visibility != dashboard.visibility:
        await _keep_apart(session, actor, dashboard, wanted.visibility)
    dashboard.name = wanted.name
    dashboard.description = wanted.description
    dashboard.definition = definition
    dashboard.visibility = wanted.visibility
    dashboard.default_for = wanted.default_for
    dashboard.updated_by = actor.name[:300]
    dashboard.version += 1
    await _flush(session)
    await session.refresh(dashboard)
    return await _read(session, dashboard, owner, actor)


async def _keep_apart(session: AsyncSession, actor: Actor, dashboard: Dashboard, visibility: str) -> None:
    """Give a dashboard that is shared, or is so no longer, another slug where its own is taken there."""
    await queries.hold_slugs(session)
    there = queries.named(actor, dashboard.slug).where(
        Dashboard.visibility == visibility, Dashboard.id != dashboard.id
    )
    if (await session.execute(there)).first() is not None:
        dashboard.slug = await _free_slug(session, actor, dashboard.slug)


async def delete_dashboard(session: AsyncSession, actor: Actor, key: str) -> None:
    """Delete a dashboard. Raises NotFoundError, ForbiddenError."""
    dashboard, _ = await _changeable(session, actor, key)
    await session.execute(delete(Dashboard).where(Dashboard.id == dashboard.id))


async def duplicate_dashboard(
    session: AsyncSession, actor: Actor, key: str, name: str | None
) -> DashboardRead:
    """Make a private copy that belongs to the actor."""
    found = await get_dashboard(session, actor, key)
    wanted = DashboardCreate(
        name=name or f"{found.name[:110]} (copy)", description=found.description, definition=found.definition
    )
    return await create_dashboard(session, actor, wanted)


async def export_dashboard(session: AsyncSession, actor: Actor, key: str) -> DashboardDocument:
    """A dashboard as a file that import takes, here or in another installation."""
    found = await get_dashboard(session, actor, key)
    # One that one's own hides is known by its id, which is no slug elsewhere.
    slug = None if found.built_in or found.slug == str(found.id) else found.slug
    return DashboardDocument(
        slug=slug, name=found.name, description=found.description, definition=found.definition
    )


async def import_dashboard(session: AsyncSession, actor: Actor, wanted: DashboardImport) -> DashboardRead:
    """Make a dashboard out of a file, or replace the one with the same slug where that is wanted."""
    if wanted.replace and wanted.slug:
        row = (await session.execute(queries.named(actor, wanted.slug))).first()
        if row is not None:
            changes = DashboardWrite(
                name=wanted.name,
                description=wanted.description,
                visibility=wanted.visibility or row[0].visibility,
                default_for=row[0].default_for if wanted.visibility in {None, "everyone"} else None,
                definition=wanted.definition,
            )
            return await replace_dashboard(session, actor, str(row[0].id), changes, expected_version=None)
    await queries.hold_slugs(session)
    slug = await _free_slug(session, actor, wanted.slug or wanted.name)
    created = DashboardCreate(
        slug=slug,
        name=wanted.name,
        description=wanted.description,
        visibility=wanted.visibility or "private",
        definition=wanted.definition,
    )
    return await create_dashboard(session, actor, created)


async def _find(session: AsyncSession, actor: Actor, key: str) -> tuple[Dashboard, str | None]:
    wanted_id = _id_of(key)
    if wanted_id is not None:
        statement = queries.visible_to(actor).where(Dashboard.id == wanted_id)
    else:
        statement = queries.named(actor, key)
    rows: Sequence[Any] = ()
    if len(key) <= 80 and "\x00" not in key:
        rows = (await session.execute(statement.limit(2))).all()
    if not rows:
        raise NotFoundError("There is no such dashboard.")
    if len(rows) > 1 and actor.user_id is None:
        raise ConflictError(
            "Several dashboards have this slug.", fields=[FieldError("key", "give the dashboard's id")]
        )
    return rows[0][0], rows[0][1]


async def _changeable(session: AsyncSession, actor: Actor, key: str) -> tuple[Dashboard, str | None]:
    """The dashboard, held until the transaction ends. Raises NotFoundError, ForbiddenError."""
    if key in BUILT_IN:
        raise ForbiddenError("Built-in dashboards cannot be changed. Duplicate it, and edit the copy.")
    found, owner = await _find(session, actor, key)
    dashboard = await session.get(Dashboard, found.id, with_for_update=True, populate_existing=True)
    if dashboard is None:
        raise NotFoundError("There is no such dashboard.")
    if not _may_change(actor, dashboard):
        raise ForbiddenError(
            f"Changing a shared dashboard needs the permission {Permission.DASHBOARDS_SHARE}; "
            "duplicate it, and change the copy."
        )
    return dashboard, owner


def _may_change(actor: Actor, dashboard: Dashboard) -> bool:
    if not actor.may(Permission.DASHBOARDS_WRITE):
        return False
    if dashboard.visibility == "everyone":
        return actor.may(Permission.DASHBOARDS_SHARE)
    return actor.user_id is None or dashboard.owner_id == actor.user_id


def _check_sharing(actor: Actor, before: Dashboard | None, wanted: DashboardWrite) -> None:
    if wanted.default_for and wanted.visibility != "everyone":
        raise InvalidInputError(
            "The dashboard is wrong.",
            fields=[FieldError("default_for", "Only for shared dashboards; set visibility to everyone")],
        )
    was = before.visibility if before is not None else "private"
    if "everyone" in {wanted.visibility, was} and not actor.may(Permission.DASHBOARDS_SHARE):
        raise ForbiddenError(f"Sharing a dashboard needs the permission {Permission.DASHBOARDS_SHARE}.")
    # One that a command made, or whose owner is gone.
    is_nobodys = before is not None and before.owner_id is None and actor.user_id is not None
    if is_nobodys and wanted.visibility == "private":
        raise InvalidInputError(
            "The dashboard is wrong.",
            fields=[
                FieldError(
                    "visibility",
                    "Its owner no longer exists; duplicate it, and delete this one",
                )
            ],
        )


async def _flush(session: AsyncSession) -> None:
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError as error:
        if "uq_dashboards_default_for" not in str(error):
            raise
        raise ConflictError(
            "Another dashboard is already the default.",
            fields=[FieldError("default_for", "Another dashboard is the default; remove it there first")],
        ) from None


async def _free_slug(session: AsyncSession, actor: Actor, name: str) -> str:
    """A slug that no dashboard has which the actor may see; of others it tells nothing."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = _NO_SLUG.sub("-", plain).strip("-")[:70].strip("-") or "dashboard"
    if _is_reserved(slug):
        slug = f"my-{slug}"
    taken = await queries.slugs_like(session, actor, slug)
    number, found = 1, slug
    while found in taken:
        number += 1
        found = f"{slug}-{number}"
    return found


def _is_reserved(slug: str) -> bool:
    """Whether an address with it leads elsewhere: to a built-in one, another route, or one with that id."""
    return slug.startswith(PREFIX) or slug in RESERVED or _id_of(slug) is not None


def _id_of(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None


def _count(definition: dict[str, Any]) -> int:
    return sum(len(row["panels"]) for row in definition["rows"])


def _facts(
    dashboard: Dashboard, owner: str | None, actor: Actor, *, panels: int, hidden: Collection[str]
) -> dict[str, Any]:
    is_hidden = dashboard.visibility == "everyone" and dashboard.slug in hidden
    return {
        "id": dashboard.id,
        "slug": str(dashboard.id) if is_hidden else dashboard.slug,
        "name": dashboard.name,
        "description": dashboard.description,
        "visibility": dashboard.visibility,
        "default_for": dashboard.default_for,
        "owner": owner or dashboard.created_by,
        "is_own": actor.user_id is not None and dashboard.owner_id == actor.user_id,
        "may_change": _may_change(actor, dashboard),
        "panels": panels,
        "version": dashboard.version,
        "created_at": dashboard.created_at,
        "updated_at": dashboard.updated_at,
        "updated_by": dashboard.updated_by,
    }


def _built_in_facts(item: BuiltIn) -> dict[str, Any]:
    return {
        "id": None,
        "slug": item.slug,
        "name": item.name,
        "description": item.description,
        "visibility": "everyone",
        "default_for": item.kind,
        "built_in": True,
        "owner": "Fleetkeeper",
        "is_own": False,
        "may_change": False,
        "panels": _count(item.definition),
        "version": 1,
        "created_at": None,
        "updated_at": None,
        "updated_by": "",
    }


async def _read(
    session: AsyncSession, dashboard: Dashboard, owner: str | None, actor: Actor
) -> DashboardRead:
    # The database keeps no order of fields; people read files in that of the format.
    definition = Definition.model_validate(dashboard.definition).model_dump(mode="json")
    hidden = set()
    if dashboard.visibility == "everyone":
        hidden = await queries.own_slugs(session, actor, [dashboard.slug])
    facts = _facts(dashboard, owner, actor, panels=_count(definition), hidden=hidden)
    return DashboardRead(**facts, definition=definition)


def _read_built_in(item: BuiltIn) -> DashboardRead:
    return DashboardRead(**_built_in_facts(item), definition=item.definition)
