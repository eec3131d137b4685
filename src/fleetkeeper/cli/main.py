"""`fleetkeeper`: the commands by noun."""

import sys

import typer

from fleetkeeper.cli import agent, db, serve, settings_docs, simulate, token, user
from fleetkeeper.cli.up import up
from fleetkeeper.errors import FleetkeeperError, StartupError
from fleetkeeper.kit.logging import configure_logging
from fleetkeeper.settings import get_settings

app = typer.Typer(
    name="fleetkeeper",
    help="One self-hosted control plane for the machines an organisation owns.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(up)
app.command("serve")(serve.serve)
app.command("worker")(serve.worker)
app.command("simulate")(simulate.simulate)
app.command("settings")(settings_docs.print_settings)
app.add_typer(agent.app, name="agent")
app.add_typer(db.app, name="db")
app.add_typer(token.app, name="token")
app.add_typer(user.app, name="user")


def main() -> None:
    """Run a command. An expected error is one sentence on standard error and exit code 1."""
    try:
        settings = get_settings()
        configure_logging(settings.log_level, settings.log_format)
        app()
    except (StartupError, FleetkeeperError) as error:
        fields = getattr(error, "fields", ())
        details = "".join(f"\n  {item.field}: {item.message}" for item in fields)
        sys.stderr.write(f"fleetkeeper: {error}{details}\n")
        sys.exit(1)
