"""`/netbox/api`: NetBox's REST API over the inventory."""

import platform
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError, InvalidInputError, NotFoundError
from fleetkeeper.identity.access import SignedIn, public_origin, require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.oidc.access import InstallationSealer
from fleetkeeper.kit.error_words import field_errors
from fleetkeeper.kit.text import is_storable
from fleetkeeper.netbox.kinds import EMPTY, KINDS
from fleetkeeper.netbox.protocol.answers import VERSION, answer
from fleetkeeper.netbox.protocol.asked import BASE, Asked
from fleetkeeper.netbox.protocol.description import options_of, schema
from fleetkeeper.netbox.protocol.kind import BulkError, Kind, Told
from fleetkeeper.netbox.protocol.query import link, read_query, read_view, refused

# Objects of one request; all of them are written, or none.
MOST_AT_ONCE = 500
LARGEST_NUMBER = 2**63 - 1
MAX_BODY_BYTES = 8 * 1024 * 1024
LONGEST_REASON = 500
DELETED = "Deleted through the API of NetBox"
# Where several objects may be written at once.
BULK_PATHS = tuple(f"{BASE}/{kind.path}/" for kind in KINDS if kind.write is not None)
Sent = Annotated[Any, Body()]
Act = Callable[[Asked, Any], Awaitable[Any]]

router = APIRouter(prefix=BASE, include_in_schema=False)


def _asked(
    request: Request, actor: Actor, session: Session, sealer: InstallationSealer, sent: Any = None
) -> Asked:
    """What the request works with; the reason comes by our header or as NetBox's message of the change log."""
    reason: str = getattr(request.state, "change_reason", "")
    first = sent[0] if isinstance(sent, list) and sent else sent
    if not reason and isinstance(first, dict) and isinstance(told := first.get("changelog_message"), str):
        if len(told) > LONGEST_REASON or not is_storable(told):
            raise refused(
                "changelog_message", f"Ensure this field has no more than {LONGEST_REASON} characters."
            )
        reason = told.strip()
        context = request.state.transaction_context
        audit = {**msgspec.json.decode(context.audit), "reason": reason}
        request.state.transaction_context = replace(context, audit=msgspec.json.encode(audit).decode())
    return Asked(session, actor, public_origin(request), sealer, reason or DELETED)


def _expected(error: Exception) -> FleetkeeperError:
    """What an object is refused for. Raises what is no such error."""
    if isinstance(error, ValidationError):
        return InvalidInputError("Some fields are wrong.", fields=field_errors(error.errors()))
    if isinstance(error, FleetkeeperError):
        return error
    raise error


async def _write(asked: Asked, sent: Any, act: Act) -> Any:
    """Do something with one object, or with each of several: with all of them or with none."""
    if not isinstance(sent, list):
        try:
            return await act(asked, sent)
        except (ValidationError, FleetkeeperError) as error:
            raise _expected(error) from None
    if len(sent) > MOST_AT_ONCE:
        raise refused("non_field_errors", f"At most {MOST_AT_ONCE} objects at once; send several requests.")
    done = []
    for position, one in enumerate(sent):
        try:
            done.append(await act(asked, one))
        except (ValidationError, FleetkeeperError) as error:
            raise BulkError(position, _expected(error)) from None
    return done


def _numbered(act: Callable[[Asked, int, Any], Awaitable[Any]]) -> Act:
    """The same for an object that says its number itself."""

    async def numbered(asked: Asked, sent: Any) -> Any:
        number = sent.get("id") if isinstance(sent, dict) else None
        if isinstance(number, bool) or not isinstance(number, int) or not 0 < number <= LARGEST_NUMBER:
            raise refused("id", "This field is required.")
        return await act(asked, number, sent)

    return numbered


def _deleted(asked: Asked, waiting: Sequence[str]) -> Response:
    """The answer to a deletion: done, or what waits for approval, which is kept."""
    if not waiting:
        return Response(status_code=204)
    named = ", ".join(waiting[:10]) + (", …" if len(waiting) > 10 else "")
    detail = f"Not deleted yet: {named}. An approval rule applies; see {asked.page('/approvals')}."
    return answer({"detail": detail}, 409)


async def _that(asked: Asked, number: int, data: Any) -> int:
    del asked, data
    return number


def _number(number: str) -> int:
    if not number.isascii() or not number.isdigit() or len(number) > 19 or int(number) > LARGEST_NUMBER:
        raise NotFoundError("Not found.")
    return int(number)


async def _list(kind: Kind, request: Request, asked: Asked) -> Response:
    parameters = request.query_params.multi_items()
    query = read_query(parameters)
    page = await kind.page(asked, query)
    path, after, before = request.url.path, query.offset + query.limit, query.offset - query.limit
    rows = [query.view.of(row, kind.brief) for row in page.rows]
    return answer(
        {
            "count": page.count,
            "next": link(asked.origin, path, parameters, query.limit, after) if after < page.count else None,
            "previous": link(asked.origin, path, parameters, query.limit, max(before, 0))
            if query.offset
            else None,
            "results": rows,
        }
    )


def _add_reading(kind: Kind) -> None:
    may_read = Annotated[Actor, Depends(require(kind.read))]
    path = f"/{kind.path}/"

    @router.get(path)
    async def list_all(
        request: Request, actor: may_read, session: Session, sealer: InstallationSealer
    ) -> Response:
        """List what the caller may see."""
        return await _list(kind, request, _asked(request, actor, session, sealer))

    @router.get(path + "{number}/")
    async def get_one(
        number: str, request: Request, actor: may_read, session: Session, sealer: InstallationSealer
    ) -> Response:
        """Get one."""
        told = await kind.get(_asked(request, actor, session, sealer), _number(number))
        return answer(read_view(request.query_params).of(told, kind.brief))

    @router.options(path)
    @router.options(path + "{number}/")
    async def describe(_: may_read) -> Response:
        """Say what may be written."""
        return answer(options_of(kind))


def _add_writing(kind: Kind) -> None:
    if kind.write is None:
        return
    may_write = Annotated[Actor, Depends(require(kind.write))]
    path = f"/{kind.path}/"

    @router.post(path)
    async def create(
        request: Request, actor: may_write, session: Session, sealer: InstallationSealer, sent: Sent
    ) -> Response:
        """Create one, or several."""
        asked = _asked(request, actor, session, sealer, sent)
        return answer(await _write(asked, sent, kind.create), 201)

    @router.patch(path)
    @router.put(path)
    async def change_many(
        request: Request, actor: may_write, session: Session, sealer: InstallationSealer, sent: Sent
    ) -> Response:
        """Change several, each of which says its number."""
        if not isinstance(sent, list):
            raise refused("non_field_errors", 'Expected a list of items, each with its "id".')
        asked = _asked(request, actor, session, sealer, sent)
        return answer(await _write(asked, sent, _numbered(kind.change)))

    @router.patch(path + "{number}/")
    @router.put(path + "{number}/")
    async def change_one(
        number: str,
        request: Request,
        actor: may_write,
        session: Session,
        sealer: InstallationSealer,
        sent: Sent,
    ) -> Response:
        """Change what is sent of one."""

        async def change(asked: Asked, data: Any) -> Told:
            return await kind.change(asked, _number(number), data)

        if isinstance(sent, list):
            raise refused("non_field_errors", "Invalid data. Expected a dictionary.")
        return answer(await _write(_asked(request, actor, session, sealer, sent), sent, change))


def _add_deleting(kind: Kind) -> None:
    if kind.delete_as is None:
        return
    may_delete = Annotated[Actor, Depends(require(kind.delete_as))]
    path = f"/{kind.path}/"

    @router.delete(path)
    async def delete_many(
        request: Request, actor: may_delete, session: Session, sealer: InstallationSealer, sent: Sent
    ) -> Response:
        """Delete several, each of which says its number."""
        if not isinstance(sent, list):
            raise refused("non_field_errors", 'Expected a list of items, each with its "id".')
        asked = _asked(request, actor, session, sealer, sent)
        numbers = await _write(asked, sent, _numbered(_that))
        return _deleted(asked, await kind.delete_many(asked, numbers))

    @router.delete(path + "{number}/")
    async def delete_one(
        number: str,
        request: Request,
        actor: may_delete,
        session: Session,
        sealer: InstallationSealer,
        sent: Annotated[Any, Body()] = None,
    ) -> Response:
        """Delete one."""
        asked = _asked(request, actor, session, sealer, sent)
        held = await kind.delete(asked, _number(number))
        return _deleted(asked, [] if held is None else [held.subject_label])


for _kind in KINDS:
    _add_reading(_kind)
    _add_writing(_kind)
    _add_deleting(_kind)


@router.get("/")
async def get_root(request: Request, _: SignedIn) -> Response:
    """Name the parts of the API."""
    apps = dict.fromkeys(kind.path.partition("/")[0] for kind in (*KINDS, *EMPTY))
    origin = public_origin(request)
    return answer({app: f"{origin}{BASE}/{app}/" for app in apps} | {"status": f"{origin}{BASE}/status/"})


@router.get("/status/")
async def get_status(_: SignedIn) -> Response:
    """Say which NetBox this is like."""
    return answer(
        {
            "django-version": "",
            "installed-apps": {},
            "netbox-version": f"{VERSION}.0",
            "netbox-full-version": f"{VERSION}.0-Fleetkeeper",
            "plugins": {},
            "python-version": platform.python_version(),
            "rq-workers-running": 0,
        }
    )


@router.get("/authentication-check/")
async def check_authentication(actor: SignedIn) -> Response:
    """Say who calls."""
    return answer({"id": 1, "url": "", "display": actor.name, "username": actor.name})


@router.get("/schema/")
async def get_schema() -> Response:
    """Describe lists and their filters."""
    return Response(schema((*KINDS, *EMPTY)), headers={"API-Version": VERSION}, media_type="application/json")


@router.get("/{app}/")
async def get_app(app: str, request: Request, _: SignedIn) -> Response:
    """Name the kinds of one part."""
    origin = public_origin(request)
    found = {
        kind.path.partition("/")[2]: f"{origin}{BASE}/{kind.path}/"
        for kind in (*KINDS, *EMPTY)
        if kind.path.startswith(f"{app}/")
    }
    if not found:
        raise NotFoundError("Not found.")
    return answer(found)


_KNOWN = frozenset(kind.path for kind in KINDS)
_EMPTY = {kind.path: kind for kind in EMPTY}


@router.get("/{app}/{name}")
@router.get("/{app}/{name}/")
async def list_nothing(
    app: str, name: str, request: Request, actor: SignedIn, session: Session, sealer: InstallationSealer
) -> Response:
    """List a kind that only NetBox has: there is none. Or lead to a list whose last slash is missing."""
    path = f"{app}/{name}"
    if path in _KNOWN:
        where = f"{BASE}/{path}/"
        return RedirectResponse(f"{where}?{request.url.query}" if request.url.query else where)
    kind = _EMPTY.get(path)
    if kind is None:
        raise NotFoundError("Not found.")
    return await _list(kind, request, _asked(request, actor, session, sealer))


@router.get("/{path:path}")
async def get_nothing(path: str, _: SignedIn) -> Response:
    """Say that there is nothing."""
    del path
    raise NotFoundError("Not found.")
