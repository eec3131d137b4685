"""`fleetkeeper serve` and `fleetkeeper worker`: one process each, for production."""

import asyncio
import os
import socket
from typing import Annotated

import typer

from fleetkeeper.cli.running import keeper_url, reachable_url
from fleetkeeper.database.migrate import check_revision
from fleetkeeper.errors import StartupError
from fleetkeeper.settings import get_settings

# The supervisor hands its listening socket down under this name.
SOCKET_VARIABLE = "FLEETKEEPER_LISTEN_FD"
BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises StartupError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
    except OSError as error:
        listener.close()
        raise StartupError(
            f"Port {port} on {host} cannot be used ({error.strerror}); choose another with FLEETKEEPER_WEB__PORT."
        ) from None
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def serve() -> None:
    """Run one web process. The database must be there, with its schema up to date."""
    settings = get_settings()
    url = reachable_url()
    check_revision(url)
    inherited = os.environ.pop(SOCKET_VARIABLE, None)
    listener = (
        socket.socket(fileno=int(inherited)) if inherited else listen(settings.web.host, settings.web.port)
    )
    # The other commands, and the supervisor above all, start in half the time without the web application.
    from fleetkeeper.cli.web_process import run_web_process  # noqa: PLC0415

    run_web_process(settings, url, listener)


def worker(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Check whether the worker can start, then exit")
    ] = False,
) -> None:
    """Run one worker process. The database must be there, with its schema up to date."""
    check_revision(reachable_url())
    keeper_url()
    from fleetkeeper.worker import run_worker  # noqa: PLC0415 - as above

    if not check:
        asyncio.run(run_worker(get_settings()))
