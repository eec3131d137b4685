"""What a SCIM client may do with users and groups."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from scim2_models import (
    Context,
    ForbiddenException,
    Group,
    InvalidValueException,
    ListResponse,
    NotFoundException,
    PatchOp,
    SCIMException,
    TooManyException,
    UniquenessException,
)
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.identity import service as identity
from fleetkeeper.identity.models import Group as StoredGroup
from fleetkeeper.identity.models import User as StoredUser
from fleetkeeper.identity.scim import dialects, queries
from fleetkeeper.identity.scim.errors import told
from fleetkeeper.identity.scim.resources import (
    MAX_RESULTS,
    POLICY,
    ScimUser,
    group_resource,
    kept_attributes,
    member_ids,
    primary_email,
    shown_name,
    user_resource,
)
from fleetkeeper.identity.users.administrators import administrators_kept, is_administrator
from fleetkeeper.identity.users.service import is_name
from fleetkeeper.kit.text import is_storable

DEFAULT_RESULTS = 100
# What keeps a request from being carried out as a whole.
REFUSALS = (SCIMException, ValidationError)
MAX_ONE_BY_ONE = 50
MAX_NAME_LENGTH = 255
MAX_MATCHES = 10_000


class Directory:
    """Users and groups as one SCIM client sees them. `base_url` begins the addresses that it is told."""

    def __init__(self, session: AsyncSession, base_url: str) -> None:
        self._session = session
        self._base_url = base_url

    async def list_users(self, request: Any, filter_text: str) -> Any:
        """A page of users that fit the filter."""
        return await self._list(StoredUser, ListResponse[ScimUser], request, filter_text)

    async def list_groups(self, request: Any, filter_text: str) -> Any:
        """A page of groups that fit the filter."""
        return await self._list(StoredGroup, ListResponse[Group], request, filter_text)

    async def list_all(self, request: Any, filter_text: str) -> Any:
        """A page of users and groups that fit the filter."""
        del filter_text
        fitting = [
            *await self._matching(StoredUser, None, request),
            *await self._matching(StoredGroup, None, request),
        ]
        start, count = _bounds(request)
        page = request.sort(fitting)[start - 1 : start - 1 + count]
        return ListResponse[ScimUser | Group](
            total_results=len(fitting), start_index=start, items_per_page=len(page), resources=page
        )

    async def get_user(self, user_id: str) -> Any:
        """One user. Raises NotFoundException."""
        return (await self._resources(StoredUser, [await self._stored_user(user_id)]))[0]

    async def get_group(self, group_id: str) -> Any:
        """One group. Raises NotFoundException."""
        return (await self._resources(StoredGroup, [await self._stored_group(group_id)]))[0]

    async def create_user(self, wanted: Any) -> Any:
        """Make an account. It has no password: its owner signs in through a provider. Raises UniquenessException."""
        user = StoredUser(source="scim")
        await self._store_user(user, wanted)
        return await self.get_user(str(user.id))

    async def replace_user(self, user_id: str, body: dict[str, Any]) -> Any:
        """Make a user be as given. One that is to be disabled is, even where the rest cannot be."""
        user = await self._changeable_user(user_id)
        try:
            async with self._session.begin_nested():
                wanted = read_resource(ScimUser, body, Context.RESOURCE_REPLACEMENT_REQUEST)
                wanted.replace((await self._resources(StoredUser, [user]))[0])
                await self._store_user(user, wanted)
        except REFUSALS as error:
            if not dialects.is_disabled(body):
                raise
            await self._disable_only(user, [error])
        return await self.get_user(user_id)

    async def patch_user(self, user_id: str, operations: list[dict[str, Any]]) -> Any:
        """Change a user by operations: all of them or none.

        Only where one disables the account, those that cannot be are left out, and the audit log says so.
        """
        user = await self._changeable_user(user_id)
        resource = (await self._resources(StoredUser, [user]))[0]
        try:
            async with self._session.begin_nested():
                if patched(ScimUser, resource, operations):
                    await self._store_user(user, resource)
        except REFUSALS as error:
            if not any(map(dialects.disables, operations)):
                raise
            await self._session.refresh(user)
            await self._patch_one_by_one(user, operations, error)
        return await self.get_user(user_id)

    async def _patch_one_by_one(
        self, user: StoredUser, operations: list[dict[str, Any]], error: Exception
    ) -> None:
        resource = (await self._resources(StoredUser, [user]))[0]
        refused = []
        for operation in operations[:MAX_ONE_BY_ONE]:
            try:
                patched(ScimUser, resource, [operation])
            except REFUSALS as problem:
                refused.append(problem)
        if len(operations) > MAX_ONE_BY_ONE or resource.active is not False:
            await self._disable_only(user, [error])
            return
        try:
            async with self._session.begin_nested():
                await self._store_user(user, resource)
        except REFUSALS as problem:
            await self._session.refresh(user)
            await self._disable_only(user, [*refused, problem])
        else:
            await self._note_left_out("users", user.id, user.username, refused)

    async def _disable_only(self, user: StoredUser, refused: Sequence[Exception]) -> None:
        async with administrators_kept(self._session):
            user.enabled = False
        await identity.end_sessions(self._session, user.id)
        await self._session.refresh(user)
        await self._note_left_out("users", user.id, user.username, refused)

    async def _note_left_out(self, kind: str, record: UUID, name: str, refused: Sequence[Exception]) -> None:
        """Keep that a request was carried out without parts of it: what it takes away may not wait for them."""
        details = {"left_out": [told(one)[:300] for one in refused[:20]], "count": len(refused)}
        await record_event(self._session, "scim.partly_applied", kind, str(record), name, details=details)

    async def delete_user(self, user_id: str) -> None:
        """Remove an account; what its owner did stays in the audit log."""
        user = await self._changeable_user(user_id)
        async with administrators_kept(self._session):
            await self._session.delete(user)

    async def create_group(self, wanted: Group) -> Any:
        """Make a group. It has no role until somebody here gives it one."""
        group = StoredGroup(source="scim")
        await self._store_group(group, wanted, member_ids(wanted))
        return await self.get_group(str(group.id))

    async def replace_group(self, group_id: str, body: dict[str, Any]) -> Any:
        """Make a group be as given. Members who are to go do, even where the rest cannot be."""
        group = await self._stored_group(group_id)
        present = await queries.member_ids(self._session, group.id)
        try:
            async with self._session.begin_nested():
                wanted = read_resource(Group, body, Context.RESOURCE_REPLACEMENT_REQUEST)
                wanted.replace((await self._resources(StoredGroup, [group]))[0])
                await self._store_group(group, wanted, member_ids(wanted))
        except REFUSALS as error:
            await self._remove_only(group, present, dialects.named_members(body), error)
        return await self.get_group(group_id)

    async def patch_group(self, group_id: str, operations: list[dict[str, Any]]) -> Any:
        """Change a group by operations, such as members that come and go: all of them or none.

        Only where members go, they do without the rest where that cannot be, and the audit log says so.
        """
        group = await self._stored_group(group_id)
        present = await queries.member_ids(self._session, group.id)
        changes, rest = dialects.split_members(operations)
        members = present
        for change in changes:
            members = change.applied_to(members)
        try:
            async with self._session.begin_nested():
                resource = (await self._resources(StoredGroup, [group]))[0]
                if rest:
                    patched(Group, resource, rest)
                    after = member_ids(resource)
                    members = (members - (present - after)) | (after - present)
                await self._store_group(group, resource, members)
        except REFUSALS as error:
            await self._remove_only(group, present, members, error)
        return await self.get_group(group_id)

    async def _remove_only(
        self,
        group: StoredGroup,
        present: frozenset[UUID],
        wanted: frozenset[UUID] | None,
        error: Exception,
    ) -> None:
        """Take out who is to go. Raises the error where that is nobody."""
        if wanted is None or present <= wanted:
            raise error
        await self._session.refresh(group)
        async with administrators_kept(self._session):
            await queries.set_members(self._session, group.id, present & wanted)
        group.updated_at = func.now()
        await self._session.flush()
        await self._session.refresh(group)
        await self._note_left_out("groups", group.id, group.name, [error])

    async def delete_group(self, group_id: str) -> None:
        """Remove a group; its members lose what they had by it."""
        group = await self._stored_group(group_id)
        async with administrators_kept(self._session):
            await self._session.delete(group)

    async def _list(
        self,
        model: type[StoredUser | StoredGroup],
        response: type[Any],
        request: Any,
        filter_text: str,
    ) -> Any:
        start, count = _bounds(request)
        condition = queries.simple_condition(model, filter_text) if filter_text else None
        if request.sort_by is None and (condition is not None or request.filter is None):
            total, rows = await queries.page(self._session, model, condition, start - 1, count)
            page = await self._resources(model, rows)
        else:
            fitting = await self._matching(model, condition, request)
            total, page = len(fitting), request.sort(fitting)[start - 1 : start - 1 + count]
        found: Any = response(
            total_results=total, start_index=start, items_per_page=len(page), resources=page
        )
        return found

    async def _matching(
        self,
        model: type[StoredUser | StoredGroup],
        condition: ColumnElement[bool] | None,
        request: Any,
    ) -> list[Any]:
        """All that fit a filter that SQL does not know, looked at one by one. Raises TooManyException."""
        fitting: list[Any] = []
        async for batch in queries.stored(self._session, model, condition):
            resources = await self._resources(model, batch)
            if condition is None and request.filter is not None:
                resources = [item for item in resources if request.filter.match(item)]
            fitting += resources
            if len(fitting) > MAX_MATCHES:
                raise TooManyException(detail=f"More than {MAX_MATCHES} fit; narrow the filter.")
        return fitting

    async def _resources(self, model: type[StoredUser | StoredGroup], rows: Sequence[Any]) -> list[Any]:
        keys = [row.id for row in rows]
        if model is StoredUser:
            groups = await queries.groups_of(self._session, keys)
            return [user_resource(row, groups[row.id], self._base_url) for row in rows]
        members = await queries.members_of(self._session, keys)
        return [group_resource(row, members[row.id], self._base_url) for row in rows]

    async def _stored_user(self, user_id: str) -> StoredUser:
        user = await self._session.get(StoredUser, _uuid(user_id), with_for_update=True)
        if user is None:
            raise NotFoundException(detail="There is no such user.")
        return user

    async def _changeable_user(self, user_id: str) -> StoredUser:
        """Raises ForbiddenException for those who are there for the day on which the provider is wrong or away."""
        user = await self._stored_user(user_id)
        if user.source == "local" and await is_administrator(self._session, user.id):
            raise ForbiddenException(
                detail="A local administrator's account is changed in Fleetkeeper alone."
            )
        return user

    async def _stored_group(self, group_id: str) -> StoredGroup:
        group = await self._session.get(StoredGroup, _uuid(group_id), with_for_update=True)
        if group is None or group.source != "scim":
            raise NotFoundException(detail="There is no such group.")
        return group

    async def _store_user(self, user: StoredUser, wanted: Any) -> None:
        username, email = str(wanted.user_name), primary_email(wanted)
        name = shown_name(wanted)[:MAX_NAME_LENGTH]
        if not is_name(username):
            raise InvalidValueException(detail="userName has 1 to 100 characters.")
        for text in (email or "", name, wanted.external_id or ""):
            if len(text) > MAX_NAME_LENGTH or not is_storable(text):
                raise InvalidValueException(
                    detail=f"A value has more than {MAX_NAME_LENGTH} characters, or NUL."
                )
        async with administrators_kept(self._session):
            await self._refuse_taken(user, username, email, wanted.external_id)
            self._session.add(user)
            user.username, user.email, user.name = username, email, name
            user.external_id, user.enabled = wanted.external_id, wanted.active is not False
            user.scim_attributes = kept_attributes(wanted)
        if not user.enabled:
            await identity.end_sessions(self._session, user.id)
        await self._session.refresh(user)

    async def _refuse_taken(
        self, user: StoredUser, username: str, email: str | None, external_id: str | None
    ) -> None:
        checks: tuple[tuple[Any, Any, str], ...] = (
            (func.lower(StoredUser.username), func.lower(username), "userName"),
            (StoredUser.email, email, "emails"),
            (StoredUser.external_id, external_id, "externalId"),
        )
        for column, value, name in checks:
            taken = select(StoredUser.id).where(StoredUser.id.is_distinct_from(user.id))
            taken = taken.where(column == value)
            if value is not None and await self._session.scalar(taken) is not None:
                raise UniquenessException(detail=f"Another user has this {name}.", attribute=name)

    async def _store_group(self, group: StoredGroup, wanted: Group, members: frozenset[UUID]) -> None:
        name = wanted.display_name or ""
        if not name.strip() or len(name) > MAX_NAME_LENGTH or not is_storable(name):
            raise InvalidValueException(detail=f"displayName has 1 to {MAX_NAME_LENGTH} characters.")
        checks: tuple[tuple[Any, str | None, str], ...] = (
            (StoredGroup.name, name, "displayName"),
            (StoredGroup.external_id, wanted.external_id, "externalId"),
        )
        for column, value, attribute in checks:
            taken = select(StoredGroup.id).where(
                StoredGroup.provider_id.is_(None), StoredGroup.id.is_distinct_from(group.id)
            )
            taken = taken.where(column == value)
            if value is not None and await self._session.scalar(taken) is not None:
                raise UniquenessException(detail=f"Another group has this {attribute}.", attribute=attribute)
        group.name, group.external_id = name, wanted.external_id
        self._session.add(group)
        await self._session.flush()
        async with administrators_kept(self._session):
            all_known = await queries.set_members(self._session, group.id, members)
        if not all_known:
            raise InvalidValueException(detail="A member is no user of this service.")
        # Whoever only changes members changes the group too.
        group.updated_at = func.now()
        await self._session.flush()
        await self._session.refresh(group)


def read_resource(model: type[Any], body: dict[str, Any], context: Context) -> Any:
    """A user or a group from a request. Raises ValidationError."""
    return model.model_validate(body, scim_ctx=context, scim_policy=POLICY)


def patched(model: type[Any], resource: Any, operations: list[dict[str, Any]]) -> bool:
    """Apply operations to a resource, all or none; says whether it is another then."""
    patch: Any = PatchOp.__class_getitem__(model)
    body = {"schemas": [str(PatchOp.__schema__)], "Operations": operations}
    read = patch.model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=POLICY)
    return bool(read.patch(resource, scim_policy=POLICY))


def _bounds(request: Any) -> tuple[int, int]:
    """The first result (1-based), and how many at most."""
    count = DEFAULT_RESULTS if request.count is None else min(request.count, MAX_RESULTS)
    return request.start_index or 1, count


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundException(detail="There is no such resource.") from None
