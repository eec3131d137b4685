"""How accounts and groups look in SCIM, and what this service says of itself. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    EnterpriseUser,
    ETag,
    Filter,
    Group,
    InvalidValueException,
    Meta,
    Patch,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    User,
)

from fleetkeeper.identity.models import Group as StoredGroup
from fleetkeeper.identity.models import User as StoredUser

BASE_PATH = "/scim/v2"
MAX_RESULTS = 200
ScimUser = User[EnterpriseUser]
# What is kept in columns of its own, or not at all; the rest is kept as it came.
_OWN_ATTRIBUTES = frozenset(
    {"id", "schemas", "meta", "groups", "password", "userName", "externalId", "active"}
)

CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=MAX_RESULTS),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=True),
    etag=ETag(supported=False),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="API token",
            description="A Fleetkeeper API token with the permission scim:write.",
            primary=True,
        )
    ],
)
# Providers send attributes of their own and bend the rules for values; that is no reason to stop provisioning.
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
PROVIDER = ScimProvider(
    models=[User, EnterpriseUser, Group],
    resource_types=[ResourceType.from_resource(ScimUser), ResourceType.from_resource(Group)],
    config=CONFIG,
    policy=POLICY,
)


def user_resource(user: StoredUser, groups: Iterable[StoredGroup], base_url: str) -> Any:
    """An account as a SCIM user."""
    attributes = dict(user.scim_attributes)
    attributes.setdefault("schemas", [str(User.__schema__)])
    if not user.scim_attributes and user.name:
        attributes["displayName"] = user.name
    if user.email and user.email not in [item.get("value") for item in attributes.get("emails", [])]:
        attributes["emails"] = [{"value": user.email, "primary": True}]
    location = f"{base_url}{BASE_PATH}/Users/{user.id}"
    return ScimUser.model_validate(
        attributes
        | {
            "id": str(user.id),
            "userName": user.username,
            "externalId": user.external_id,
            "active": user.enabled,
            "groups": [
                {
                    "value": str(group.id),
                    "display": group.name,
                    "$ref": f"{base_url}{BASE_PATH}/Groups/{group.id}",
                    "type": "direct",
                }
                for group in groups
            ]
            or None,
            "meta": _meta("User", user, location),
        },
        scim_policy=POLICY,
    )


def group_resource(group: StoredGroup, members: Iterable[StoredUser], base_url: str) -> Group:
    """A group as a SCIM group."""
    return Group.model_validate(
        {
            "schemas": [str(Group.__schema__)],
            "id": str(group.id),
            "externalId": group.external_id,
            "displayName": group.name,
            "members": [
                {
                    "value": str(user.id),
                    "display": user.name or user.username,
                    "$ref": f"{base_url}{BASE_PATH}/Users/{user.id}",
                    "type": "User",
                }
                for user in members
            ]
            or None,
            "meta": _meta("Group", group, f"{base_url}{BASE_PATH}/Groups/{group.id}"),
        },
        scim_policy=POLICY,
    )


def _meta(kind: str, stored: StoredUser | StoredGroup, location: str) -> dict[str, Any]:
    meta = Meta(
        resource_type=kind, created=stored.created_at, last_modified=stored.updated_at, location=location
    )
    dumped: dict[str, Any] = meta.model_dump()
    return dumped


def kept_attributes(resource: Any) -> dict[str, Any]:
    """What a SCIM client said of a user beyond what has a column."""
    dumped: dict[str, Any] = resource.model_dump()
    kept = {name: value for name, value in dumped.items() if name not in _OWN_ATTRIBUTES}
    return kept | {"schemas": dumped.get("schemas", [])}


def primary_email(resource: Any) -> str | None:
    """The primary address, else the first."""
    emails: Sequence[Any] = [item for item in resource.emails or [] if item.value]
    chosen = next((item for item in emails if item.primary), emails[0] if emails else None)
    return None if chosen is None else str(chosen.value)


def shown_name(resource: Any) -> str:
    """How people call the user."""
    name = resource.name
    parts = [name.given_name, name.family_name] if name else []
    return str(
        resource.display_name
        or (name and name.formatted)
        or " ".join(part for part in parts if part)
        or resource.user_name
    )


def member_ids(resource: Group) -> frozenset[UUID]:
    """The users in a group. Raises InvalidValueException for a member that is no user's id."""
    try:
        return frozenset(UUID(str(member.value)) for member in resource.members or [])
    except ValueError:
        raise InvalidValueException(detail="A member's value is the id of a user.") from None
