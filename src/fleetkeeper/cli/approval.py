"""`fleetkeeper approval …`: requests that wait for approval, and the rules that hold them back."""

from dataclasses import replace
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals import service
from fleetkeeper.approvals.rules import service as rule_service
from fleetkeeper.approvals.rules.schemas import ApprovalRuleRead
from fleetkeeper.approvals.schemas import ApprovalDetail, ApprovalRead
from fleetkeeper.approvals.status import RequestState
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, show, show_one
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.queries import find_user
from fleetkeeper.identity.service import actor_of_user

app = typer.Typer(help="Approval requests and rules.", no_args_is_help=True)

RequestId = Annotated[str, typer.Argument(help="ID of the request, or a unique beginning of it")]
AsUser = Annotated[str, typer.Option("--as", help="Approver who decides")]


@app.command(name="list")
def list_requests(
    status: Annotated[RequestState | None, typer.Option(help="Requests in this status only")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of rows")] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List approval requests, newest first."""

    async def read(session: AsyncSession) -> list[ApprovalRead]:
        parameters = [("limit", str(limit)), ("status", status or "")]
        return (await service.list_requests(session, command_actor(), parameters)).results

    columns = ("id", "title", "subject_label", "status", "requester_name", "requested_at", "expires_at")
    show(with_session(read), columns, as_json=as_json)


@app.command(name="show")
def show_request(request: RequestId, *, as_json: AsJson = False) -> None:
    """Show one approval request with its decisions."""

    async def read(session: AsyncSession) -> ApprovalDetail:
        found = await service.find_request(session, request)
        return await service.get_request(session, command_actor(), found)

    show_one(with_session(read), as_json=as_json)


@app.command()
def approve(
    request: RequestId,
    user: AsUser,
    comment: Annotated[str, typer.Option(help="Comment for the requester")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Approve a request as one of its approvers."""

    async def decide(session: AsyncSession) -> ApprovalDetail:
        actor, found = await _acting_as(session, user), await service.find_request(session, request)
        return await service.approve(session, actor, found, comment[:500])

    show_one(with_session(decide, comment), as_json=as_json)


@app.command()
def reject(
    request: RequestId,
    user: AsUser,
    comment: Annotated[str, typer.Option(help="Why the request is rejected")],
    *,
    as_json: AsJson = False,
) -> None:
    """Reject a request as one of its approvers."""

    async def decide(session: AsyncSession) -> ApprovalDetail:
        if not comment.strip():
            raise InvalidInputError("No decision was made.", fields=[FieldError("--comment", "Say why")])
        actor, found = await _acting_as(session, user), await service.find_request(session, request)
        return await service.reject(session, actor, found, comment.strip()[:500])

    show_one(with_session(decide, comment), as_json=as_json)


@app.command()
def rules(*, as_json: AsJson = False) -> None:
    """List approval rules, in the order in which they are tried."""

    async def read(session: AsyncSession) -> list[ApprovalRuleRead]:
        return (await rule_service.list_rules(session, [("limit", "1000")])).results

    columns = ("position", "name", "kind", "enabled", "threshold", "expires_hours", "id")
    show(with_session(read), columns, as_json=as_json)


async def _acting_as(session: AsyncSession, name: str) -> Actor:
    """The user as whom a command decides; the audit log has the command. Raises InvalidInputError."""
    user = await find_user(session, name)
    if user is None or not user.enabled:
        raise InvalidInputError(
            "The user is unknown.", fields=[FieldError("--as", f"There is no enabled user {name!r}")]
        )
    return replace(await actor_of_user(session, user), kind="command")
