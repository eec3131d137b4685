"""The usual API of a kind of object: list, export, create, get, replace, delete, and moves of its status."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ReasonGiven, require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.records.service import Records


def record_router(records: Records[Any, Any]) -> APIRouter:
    """The routes of a kind of object below `/api/v1`, at the name of its table with dashes."""
    path = records.table.replace("_", "-")
    router = APIRouter(prefix=f"/{path}", tags=[path])
    _add_list(router, records)
    _add_reading(router, records)
    _add_writing(router, records)
    if records.machine is not None:
        _add_moves(router, records, type(next(iter(records.machine.moves))))
    return router


def _add_list(router: APIRouter, records: Records[Any, Any]) -> None:
    may_read, several = require(records.read), records.noun[1]
    uncounted = partial(records.list, is_counted=False)
    add_export(router, several, records.read, records.read_as, records.table, uncounted)

    @router.get(
        "",
        summary=f"List {several}",
        response_model=records.page_as,
        responses=problem_responses(401, 403, 422),
    )
    async def list_all(
        request: Request,
        actor: Annotated[Actor, Depends(may_read)],
        session: Session,
        asked: Annotated[ListParameters, listed_by(records.listing)],
    ) -> Any:
        """List what the caller may see."""
        return with_links(await records.list(session, actor, asked), request.url.path)


def _add_reading(router: APIRouter, records: Records[Any, Any]) -> None:
    may_read, one = require(records.read), records.noun[0]

    @router.get(
        "/{key}",
        summary=f"Get {one}",
        response_model=records.read_as,
        responses=problem_responses(401, 403, 404, 422),
    )
    async def get_one(
        key: UUID, actor: Annotated[Actor, Depends(may_read)], session: Session, response: Response
    ) -> Any:
        """Get one, with its ETag."""
        return tagged(response, await records.get(session, actor, key))


def _add_writing(router: APIRouter, records: Records[Any, Any]) -> None:
    may_write, one, write_as = require(records.write), records.noun[0], records.write_as

    @router.post(
        "",
        status_code=201,
        summary=f"Create {one}",
        response_model=records.read_as,
        responses=problem_responses(400, 401, 403, 409, 422),
    )
    async def create(
        wanted: write_as,  # type: ignore[valid-type]
        actor: Annotated[Actor, Depends(may_write)],
        session: Session,
        response: Response,
    ) -> Any:
        """Create one; the answer has its ETag."""
        return tagged(response, await records.create(session, actor, wanted))

    @router.put(
        "/{key}",
        summary=f"Replace {one}",
        response_model=records.read_as,
        responses=problem_responses(400, 401, 403, 404, 409, 412, 422),
    )
    async def change(
        key: UUID,
        wanted: write_as,  # type: ignore[valid-type]
        actor: Annotated[Actor, Depends(may_write)],
        session: Session,
        expected_version: ExpectedVersion,
        response: Response,
    ) -> Any:
        """Replace what people enter of one."""
        return tagged(response, await records.change(session, actor, key, wanted, expected_version))

    @router.delete(
        "/{key}",
        status_code=204,
        summary=f"Delete {one}",
        responses=problem_responses(401, 403, 404, 409, 422),
    )
    async def delete(
        key: UUID, actor: Annotated[Actor, Depends(may_write)], reason: ReasonGiven, session: Session
    ) -> None:
        """Delete one, for a reason."""
        del reason
        await records.delete(session, actor, key)


def _add_moves(router: APIRouter, records: Records[Any, Any], states: Any) -> None:
    may_write, one = require(records.write), records.noun[0]

    @router.post(
        "/{key}/status/{state}",
        summary=f"Change the status of {one}",
        response_model=records.read_as | ApprovalRead,
        responses=problem_responses(401, 403, 404, 409, 422) | {202: {"model": ApprovalRead}},
    )
    async def move(
        key: UUID,
        state: states,
        actor: Annotated[Actor, Depends(may_write)],
        reason: ReasonGiven,
        session: Session,
        response: Response,
    ) -> Any:
        """Change its status for a reason. Where an approval rule applies, the answer is 202 with the request."""
        outcome = await records.move(session, actor, key, state, reason)
        if isinstance(outcome, ApprovalRead):
            response.status_code = 202
            return outcome
        return tagged(response, outcome)
