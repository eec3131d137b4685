"""`fleetkeeper search`: everything at once."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

import fleetkeeper.all_searches  # noqa: F401 - declares what can be found
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, show
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.text import is_storable
from fleetkeeper.search import service
from fleetkeeper.search.schemas import SearchAnswer

COLUMNS = ("kind", "title", "field", "match", "detail")


def search(
    text: Annotated[list[str], typer.Argument(help="Words, a serial number, an IP or a MAC address")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="Maximum number of results")] = 20,
    *,
    as_json: AsJson = False,
) -> None:
    """Search devices, components, addresses, configurations, notes, files, tags, locations and alert rules."""
    typed = " ".join(text)
    if not is_storable(typed) or len(typed) > service.LONGEST:
        wrong = FieldError("text", f"Must be text of at most {service.LONGEST} characters")
        raise InvalidInputError("The search was not understood.", fields=[wrong])

    async def find(session: AsyncSession) -> SearchAnswer:
        return await service.search(session, command_actor(), typed, limit)

    answer = with_session(find)
    show(answer.results, COLUMNS, as_json=as_json)
    if answer.unfinished:
        typer.echo(f"Not everything was searched in time: {', '.join(answer.unfinished)}.", err=True)
