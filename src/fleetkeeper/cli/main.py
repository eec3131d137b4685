"""`fleetkeeper`: the commands by noun."""

import sys
from importlib import import_module

import typer

from fleetkeeper.errors import FleetkeeperError, StartupError
from fleetkeeper.kit.logging import configure_logging
from fleetkeeper.settings import get_settings

# Command or group of commands -> where it is. Only what is asked for is imported: each brings libraries of its own.
COMMANDS = {
    "agent": "fleetkeeper.cli.agent:app",
    "approval": "fleetkeeper.cli.approval:app",
    "archive": "fleetkeeper.cli.archive:app",
    "audit": "fleetkeeper.cli.audit:app",
    "dashboard": "fleetkeeper.cli.dashboard:app",
    "db": "fleetkeeper.cli.db:app",
    "demo": "fleetkeeper.cli.demo:app",
    "department": "fleetkeeper.cli.department:app",
    "device": "fleetkeeper.cli.device:app",
    "field": "fleetkeeper.cli.field:app",
    "group": "fleetkeeper.cli.group:app",
    "job": "fleetkeeper.cli.job:app",
    "notification": "fleetkeeper.cli.notification:app",
    "order": "fleetkeeper.cli.order:app",
    "part": "fleetkeeper.cli.part:app",
    "promql": "fleetkeeper.cli.promql:promql",
    "request": "fleetkeeper.cli.request:app",
    "role": "fleetkeeper.cli.role:app",
    "routes": "fleetkeeper.cli.routes_docs:print_routes",
    "search": "fleetkeeper.cli.search:search",
    "sender": "fleetkeeper.cli.sender:app",
    "serve": "fleetkeeper.cli.serve:serve",
    "stock": "fleetkeeper.cli.stock:app",
    "settings": "fleetkeeper.cli.settings_docs:print_settings",
    "simulate": "fleetkeeper.cli.simulate:simulate",
    "alert": "fleetkeeper.cli.alert:app",
    "rule": "fleetkeeper.cli.rule:app",
    "silence": "fleetkeeper.cli.silence:app",
    "tag": "fleetkeeper.cli.tag:app",
    "telemetry": "fleetkeeper.cli.telemetry:app",
    "token": "fleetkeeper.cli.token:app",
    "up": "fleetkeeper.cli.up:up",
    "user": "fleetkeeper.cli.user:app",
    "worker": "fleetkeeper.cli.serve:worker",
}


def build_app(wanted: str | None) -> typer.Typer:
    """The command line: with one command, or with all of them where none, or an unknown one, is asked for."""
    app = typer.Typer(
        name="fleetkeeper",
        help="Self-hosted fleet management: monitor, measure and audit your machines.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    # With a single command Typer would drop its name; a callback keeps it.
    app.callback()(_keep_names)
    for name in [wanted] if wanted in COMMANDS else COMMANDS:
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(import_module(module), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _keep_names() -> None:
    """Self-hosted fleet management: monitor, measure and audit your machines."""


def main() -> None:
    """Run a command. An expected error is one sentence on standard error and exit code 1."""
    try:
        settings = get_settings()
        configure_logging(settings.log_level, settings.log_format)
        build_app(sys.argv[1] if len(sys.argv) > 1 else None)()
    except (StartupError, FleetkeeperError) as error:
        fields = getattr(error, "fields", ())
        # "body" is all of an API's input, which a command does not have.
        details = "".join(
            f"\n  {item.message}" if item.field == "body" else f"\n  {item.field}: {item.message}"
            for item in fields
        )
        sys.stderr.write(f"fleetkeeper: {error}{details}\n")
        sys.exit(1)
