"""`fleetkeeper up`: everything on one machine, supervised."""

from typing import Annotated

import typer

from fleetkeeper.cli.supervisor import Supervisor
from fleetkeeper.settings import get_settings


def up(
    *, agent: Annotated[bool, typer.Option("--agent/--no-agent", help="Measure this machine too")] = True
) -> None:
    """Run the database, the web server, the worker and this machine's agent until Ctrl-C."""
    Supervisor(get_settings(), with_agent=agent).run()
