"""`fleetkeeper telemetry …`: measurements."""

import typer

from fleetkeeper.cli.telemetry_delete import delete

app = typer.Typer(help="Measurements.", no_args_is_help=True)
app.command()(delete)


@app.callback()
def telemetry() -> None:
    """Measurements."""
