"""`fleetkeeper agent …`: the agent that also comes as a package of its own."""

from pathlib import Path
from typing import Annotated

import typer

from fleetkeeper.settings import get_settings

app = typer.Typer(help="The agent on this machine.", no_args_is_help=True)


@app.callback()
def agent() -> None:
    """The agent on this machine."""


@app.command()
def run(
    server: Annotated[str | None, typer.Option(help="Address of the server")] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="FLEETKEEPER_AGENT_TOKEN", help="Enrollment token, for the first start"),
    ] = None,
    state: Annotated[Path | None, typer.Option(help="Folder for the key and the spool")] = None,
) -> None:
    """Measure this machine and report until stopped."""
    # Imported here, so that the agent's process does not carry the server's modules longer than needed.
    from fleetkeeper_agent.main import main as run_agent  # noqa: PLC0415

    folder = state or get_settings().home / "agent"
    arguments = ["run", "--state", str(folder)]
    if server:
        arguments += ["--server", server]
    if token:
        arguments += ["--token", token]
    raise typer.Exit(run_agent(arguments))
