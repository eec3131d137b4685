"""`fleetkeeper notification …`: channels, tests of them, and the delivery log."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, show, show_one
from fleetkeeper.notifications.channels import service as channel_service
from fleetkeeper.notifications.channels.schemas import ChannelRead, ChannelTestOutcome
from fleetkeeper.notifications.deliveries import service
from fleetkeeper.notifications.deliveries.schemas import DeliveryRead
from fleetkeeper.notifications.deliveries.status import DeliveryState
from fleetkeeper.notifications.jobs import outgoing_of
from fleetkeeper.settings import get_settings

app = typer.Typer(help="Notification channels and the delivery log.", no_args_is_help=True)

Limit = Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of rows")]


@app.command()
def channels(*, as_json: AsJson = False) -> None:
    """List channels."""

    async def read(session: AsyncSession) -> list[ChannelRead]:
        return (await channel_service.list_channels(session, command_actor(), [("limit", "1000")])).results

    show(with_session(read), ("name", "kind", "enabled", "url", "host", "service", "id"), as_json=as_json)


@app.command(name="test")
def send_test(
    channel: Annotated[str, typer.Argument(help="Name or ID of the channel")],
    recipient: Annotated[str | None, typer.Option(help="Email address, for an email channel")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send a test notification. Exit code 1 if it does not arrive."""

    async def send(session: AsyncSession) -> ChannelTestOutcome:
        actor, outgoing = command_actor(), outgoing_of(get_settings())
        found = await channel_service.find_channel(session, actor, channel)
        return await channel_service.try_channel(session, actor, outgoing, found, recipient)

    outcome = with_session(send)
    show_one(outcome, as_json=as_json)
    if not outcome.works:
        raise typer.Exit(1)


@app.command()
def deliveries(
    state: Annotated[DeliveryState | None, typer.Option(help="Deliveries in this state only")] = None,
    event: Annotated[str | None, typer.Option(help="Event, such as jobs.run_failed")] = None,
    limit: Limit = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List deliveries, newest first."""

    async def read(session: AsyncSession) -> list[DeliveryRead]:
        parameters = [("limit", str(limit)), ("state", state or ""), ("event", event or "")]
        return (await service.list_deliveries(session, command_actor(), parameters)).results

    columns = ("event", "channel", "recipient", "state", "attempts", "last_error", "created_at", "id")
    show(with_session(read), columns, as_json=as_json)


@app.command()
def replay(
    delivery: Annotated[str, typer.Argument(help="ID of the delivery, or a unique beginning of it")],
    *,
    as_json: AsJson = False,
) -> None:
    """Send a finished delivery again."""

    async def again(session: AsyncSession) -> DeliveryRead:
        actor = command_actor()
        return await service.replay(session, actor, await service.find_delivery(session, delivery))

    show_one(with_session(again), as_json=as_json)
