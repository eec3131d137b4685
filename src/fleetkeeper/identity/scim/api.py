"""`/scim/v2/…`: described by its own discovery documents, not by the API's."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from scim2_models import (
    Context,
    Error,
    Group,
    NotFoundException,
    ResourceType,
    Schema,
    SearchRequest,
)
from starlette.responses import JSONResponse

from fleetkeeper.audit.tally import Event, EventTally
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.access import public_origin
from fleetkeeper.identity.scim import dialects
from fleetkeeper.identity.scim.access import ScimWrite
from fleetkeeper.identity.scim.errors import MEDIA_TYPE, scim_error, told
from fleetkeeper.identity.scim.resources import BASE_PATH, CONFIG, POLICY, PROVIDER, ScimUser
from fleetkeeper.identity.scim.service import Directory, read_resource
from fleetkeeper.kit.services import services_of

USER_SEARCH: Any = SearchRequest[ScimUser]
GROUP_SEARCH: Any = SearchRequest[Group]
ANY_SEARCH: Any = SearchRequest[ScimUser | Group]


async def tell_when_refused(request: Request) -> AsyncIterator[None]:
    """Keep in the audit log that a change was refused: a provider that cannot disable somebody must not go unheard."""
    try:
        yield
    except Exception as error:
        context = getattr(request.state, "transaction_context", None)
        if request.method in {"POST", "PUT", "PATCH", "DELETE"} and context is not None:
            path = request.url.path[:300]
            details = {"method": request.method, "path": path, "why": told(error)[:300]}
            events = services_of(request).get(EventTally)
            cause = str(request.state.actor.token_id)
            await events.note(context, Event("scim.refused", "scim", cause, details=details))
        raise


# Before the session's own dependency, so that it is over when this one writes.
router = APIRouter(
    prefix=BASE_PATH, include_in_schema=False, dependencies=[Depends(tell_when_refused, scope="function")]
)


def _answer(content: Any, status: int = 200, location: str | None = None) -> Response:
    headers = {"Location": location} if location else None
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def directory(request: Request, session: Session) -> Directory:
    """Users and groups, with addresses as this client reaches them."""
    return Directory(session, public_origin(request))


UsedDirectory = Annotated[Directory, Depends(directory, scope="function")]


async def _resource(request: Request) -> dict[str, Any]:
    return dialects.plain_resource(dialects.read_body(await request.body()))


def _search(request: Request, model: Any) -> tuple[Any, str]:
    return _read_search(dict(request.query_params), model, None)


async def _search_body(request: Request, model: Any) -> tuple[Any, str]:
    return _read_search(dialects.read_body(await request.body()), model, Context.SEARCH_REQUEST)


def _read_search(given: dict[str, Any], model: Any, context: Context | None) -> tuple[Any, str]:
    """What to look for, and the filter as text."""
    given = dialects.plain_search(given)
    search = model.model_validate(given, scim_ctx=context, scim_policy=POLICY)
    return search, str(given.get("filter") or "")


def _shown(request: Request, resource: Any, context: Context, status: int = 200) -> Response:
    search, _ = _search(request, GROUP_SEARCH if isinstance(resource, Group) else USER_SEARCH)
    content = resource.model_dump(scim_ctx=context, response_parameters=search)
    return _answer(content, status, resource.meta.location)


async def _listed(search: Any, text: str, find: Any) -> Response:
    found: Any = await find(search, text)
    content = found.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=search)
    return _answer(content)


@router.get("/ServiceProviderConfig")
async def service_provider_config(request: Request, actor: ScimWrite) -> Response:
    """What this service can do."""
    del actor
    content = CONFIG.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    location = f"{public_origin(request)}{BASE_PATH}/ServiceProviderConfig"
    return _answer(content | {"meta": {"resourceType": "ServiceProviderConfig", "location": location}})


@router.get("/ResourceTypes")
@router.get("/ResourceTypes/{name}")
async def resource_types(request: Request, actor: ScimWrite, name: str | None = None) -> Response:
    """The kinds of resources."""
    del actor
    return _described(request, PROVIDER.resource_types, ResourceType, "ResourceTypes", name)


@router.get("/Schemas")
@router.get("/Schemas/{name}")
async def schemas(request: Request, actor: ScimWrite, name: str | None = None) -> Response:
    """The attributes of each kind."""
    del actor
    return _described(request, PROVIDER.schemas, Schema, "Schemas", name)


def _described(request: Request, documents: Any, model: type[Any], path: str, name: str | None) -> Response:
    if "filter" in request.query_params:
        return scim_error(Error(status=403, detail="Discovery documents cannot be filtered."))
    base = f"{public_origin(request)}{BASE_PATH}/{path}"
    found = []
    for document in documents:
        content = document.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
        key = str(document.id or document.name)
        content["meta"] = {"resourceType": model.__name__, "location": f"{base}/{key}"}
        if name is None or key.lower() == name.lower():
            found.append(content)
    if name is None:
        listed = {"totalResults": len(found), "startIndex": 1, "itemsPerPage": len(found), "Resources": found}
        return _answer({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]} | listed)
    if not found:
        raise NotFoundException(detail="There is no such document.")
    return _answer(found[0])


@router.get("/Users")
async def list_users(request: Request, actor: ScimWrite, users: UsedDirectory) -> Response:
    """Users that fit a filter."""
    del actor
    return await _listed(*_search(request, USER_SEARCH), users.list_users)


@router.post("/Users")
async def create_user(request: Request, actor: ScimWrite, users: UsedDirectory) -> Response:
    """Make an account."""
    del actor
    wanted = read_resource(ScimUser, await _resource(request), Context.RESOURCE_CREATION_REQUEST)
    made = await users.create_user(wanted)
    return _shown(request, made, Context.RESOURCE_CREATION_RESPONSE, 201)


@router.post("/Users/.search")
async def search_users(request: Request, actor: ScimWrite, users: UsedDirectory) -> Response:
    """The same as a request with a body."""
    del actor
    return await _listed(*await _search_body(request, USER_SEARCH), users.list_users)


@router.get("/Users/{user_id}")
async def get_user(request: Request, user_id: str, actor: ScimWrite, users: UsedDirectory) -> Response:
    """One user."""
    del actor
    return _shown(request, await users.get_user(user_id), Context.RESOURCE_QUERY_RESPONSE)


@router.put("/Users/{user_id}")
async def replace_user(request: Request, user_id: str, actor: ScimWrite, users: UsedDirectory) -> Response:
    """Make a user be as given."""
    del actor
    changed = await users.replace_user(user_id, await _resource(request))
    return _shown(request, changed, Context.RESOURCE_REPLACEMENT_RESPONSE)


@router.patch("/Users/{user_id}")
async def patch_user(request: Request, user_id: str, actor: ScimWrite, users: UsedDirectory) -> Response:
    """Change a user by operations."""
    del actor
    operations = dialects.operations_of(dialects.read_body(await request.body()))
    return _shown(request, await users.patch_user(user_id, operations), Context.RESOURCE_PATCH_RESPONSE)


@router.delete("/Users/{user_id}")
async def delete_user(user_id: str, actor: ScimWrite, users: UsedDirectory) -> Response:
    """Remove an account."""
    del actor
    await users.delete_user(user_id)
    return Response(status_code=204)


@router.get("/Groups")
async def list_groups(request: Request, actor: ScimWrite, groups: UsedDirectory) -> Response:
    """Groups that fit a filter."""
    del actor
    return await _listed(*_search(request, GROUP_SEARCH), groups.list_groups)


@router.post("/Groups")
async def create_group(request: Request, actor: ScimWrite, groups: UsedDirectory) -> Response:
    """Make a group."""
    del actor
    wanted = read_resource(Group, await _resource(request), Context.RESOURCE_CREATION_REQUEST)
    made = await groups.create_group(wanted)
    return _shown(request, made, Context.RESOURCE_CREATION_RESPONSE, 201)


@router.post("/Groups/.search")
async def search_groups(request: Request, actor: ScimWrite, groups: UsedDirectory) -> Response:
    """The same as a request with a body."""
    del actor
    return await _listed(*await _search_body(request, GROUP_SEARCH), groups.list_groups)


@router.get("/Groups/{group_id}")
async def get_group(request: Request, group_id: str, actor: ScimWrite, groups: UsedDirectory) -> Response:
    """One group."""
    del actor
    return _shown(request, await groups.get_group(group_id), Context.RESOURCE_QUERY_RESPONSE)


@router.put("/Groups/{group_id}")
async def replace_group(request: Request, group_id: str, actor: ScimWrite, groups: UsedDirectory) -> Response:
    """Make a group be as given."""
    del actor
    changed = await groups.replace_group(group_id, await _resource(request))
    return _shown(request, changed, Context.RESOURCE_REPLACEMENT_RESPONSE)


@router.patch("/Groups/{group_id}")
async def patch_group(request: Request, group_id: str, actor: ScimWrite, groups: UsedDirectory) -> Response:
    """Change a group by operations."""
    del actor
    operations = dialects.operations_of(dialects.read_body(await request.body()))
    return _shown(request, await groups.patch_group(group_id, operations), Context.RESOURCE_PATCH_RESPONSE)


@router.delete("/Groups/{group_id}")
async def delete_group(group_id: str, actor: ScimWrite, groups: UsedDirectory) -> Response:
    """Remove a group."""
    del actor
    await groups.delete_group(group_id)
    return Response(status_code=204)


@router.post("/.search")
async def search_all(request: Request, actor: ScimWrite, everything: UsedDirectory) -> Response:
    """Users and groups that fit a filter."""
    del actor
    return await _listed(*await _search_body(request, ANY_SEARCH), everything.list_all)


@router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def nothing_here(path: str, actor: ScimWrite) -> Response:
    """Whatever else is asked for under this address."""
    del actor
    if path.strip("/") in {"ServiceProviderConfig", "ResourceTypes", "Schemas"}:
        return scim_error(Error(status=405, detail="This document can only be read."))
    raise NotFoundException(detail="There is no such resource.")
