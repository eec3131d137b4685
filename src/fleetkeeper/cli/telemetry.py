"""`fleetkeeper telemetry …`: measurements."""

import typer

from fleetkeeper.cli.telemetry_delete import delete
from fleetkeeper.cli.telemetry_export import export
from fleetkeeper.cli.telemetry_space import space
from fleetkeeper.cli.telemetry_states import states

app = typer.Typer(help="Telemetry: export, delete, storage and states.", no_args_is_help=True)
app.command()(delete)
app.command()(export)
app.command()(space)
app.command()(states)


@app.callback()
def telemetry() -> None:
    """Telemetry: export, delete, storage and states."""
