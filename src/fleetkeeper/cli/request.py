"""`fleetkeeper request …`: what devices ask for, and answering it."""

import json
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, show, show_one
from fleetkeeper.device_requests import service
from fleetkeeper.device_requests.handlers.schemas import RequestHandlerRead
from fleetkeeper.device_requests.handlers.service import handlers as all_handlers
from fleetkeeper.device_requests.handling import service as handling
from fleetkeeper.device_requests.handling.schemas import AnswerWrite
from fleetkeeper.device_requests.schemas import (
    DeviceRequestDetail,
    DeviceRequestRead,
    RequestSubmit,
    RequestSubmitted,
)
from fleetkeeper.device_requests.status import DeviceRequestStatus
from fleetkeeper.device_requests.submitting import submit_for_device
from fleetkeeper.devices.finding import find_device
from fleetkeeper.errors import FieldError, InvalidInputError

app = typer.Typer(help="Requests of devices.", no_args_is_help=True)

RequestId = Annotated[str, typer.Argument(help="ID of the request, or a unique beginning of it")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of rows")]


@app.command(name="list")
def list_requests(
    status: Annotated[DeviceRequestStatus | None, typer.Option(help="Requests in this status only")] = None,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only requests that wait for people, oldest first")
    ] = False,
    limit: Limit = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List device requests, newest first."""
    parameters = [("limit", str(limit)), ("status", status or "")]
    if waiting:
        parameters += [("waiting_for", "people"), ("ordering", "created_at")]

    async def read(session: AsyncSession) -> list[DeviceRequestRead]:
        return (await service.list_requests(session, command_actor(), parameters)).results

    columns = ("id", "request_type", "device_name", "status", "handled_by", "attempts", "created_at")
    show(with_session(read), columns, as_json=as_json)


@app.command(name="show")
def show_request(request: RequestId, *, as_json: AsJson = False) -> None:
    """Show one request with its payload, metadata and response."""

    async def read(session: AsyncSession) -> DeviceRequestDetail:
        return await service.get_request(
            session, command_actor(), await service.find_request(session, request)
        )

    show_one(with_session(read), as_json=as_json)


@app.command()
def send(
    device: Annotated[str, typer.Argument(help="Name or ID of the device")],
    request_type: Annotated[str, typer.Argument(metavar="TYPE", help="Request type, such as ping")],
    payload: Annotated[str, typer.Option(help="A JSON object")] = "{}",
    *,
    as_json: AsJson = False,
) -> None:
    """Submit a request for a device."""

    async def submit(session: AsyncSession) -> RequestSubmitted:
        actor = command_actor()
        wanted = checked(RequestSubmit, type=request_type, payload=_object(payload, "--payload"))
        found = await find_device(session, actor, device)
        return await submit_for_device(session, actor, found, wanted)

    show_one(with_session(submit), as_json=as_json)


@app.command()
def answer(
    request: RequestId,
    content: Annotated[str, typer.Option(help="A JSON object, or text")],
    *,
    as_json: AsJson = False,
) -> None:
    """Take a pending request and answer it."""

    async def reply(session: AsyncSession) -> DeviceRequestDetail:
        actor, found = command_actor(), await service.find_request(session, request)
        is_object = content.lstrip().startswith("{")
        body = _object(content, "--content") if is_object else {"text": content}
        leased = await handling.take(session, actor, found)
        wanted = checked(AnswerWrite, lease_token=leased.lease_token, content=body)
        return await handling.answer(session, actor, found, wanted)

    show_one(with_session(reply), as_json=as_json)


@app.command()
def retry(
    request: RequestId,
    reason: Annotated[str, typer.Option(help="Why another attempt may succeed")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Let a request that failed be tried again from the start."""

    async def again(session: AsyncSession) -> DeviceRequestDetail:
        found = await service.find_request(session, request)
        return await service.retry(session, command_actor(), found, reason[:500])

    show_one(with_session(again, reason), as_json=as_json)


@app.command()
def handlers(*, as_json: AsJson = False) -> None:
    """List request handlers."""

    async def read(session: AsyncSession) -> list[RequestHandlerRead]:
        return (await all_handlers.list(session, command_actor(), [("limit", "1000")])).results

    columns = ("name", "kind", "request_types", "lease_seconds", "max_attempts", "enabled", "id")
    show(with_session(read), columns, as_json=as_json)


def _object(text: str, option: str) -> dict[str, Any]:
    """A JSON object. Raises InvalidInputError."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidInputError("Nothing was sent.", fields=[FieldError(option, "Must be a JSON object")])
    return value
