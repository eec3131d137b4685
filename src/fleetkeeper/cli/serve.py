"""`fleetkeeper serve` and `fleetkeeper worker`: one process each, for production."""

import asyncio
import gc
import os
import socket
import sys
from typing import Annotated

import typer
import uvicorn

from fleetkeeper.app import create_app
from fleetkeeper.cli.running import reachable_url
from fleetkeeper.database.migrate import check_revision
from fleetkeeper.errors import StartupError
from fleetkeeper.settings import get_settings
from fleetkeeper.worker import run_worker

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
    config = uvicorn.Config(
        create_app(settings, url),
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=bool(settings.web.trusted_proxies),
        forwarded_allow_ips=settings.web.trusted_proxies or None,
        server_header=False,
        date_header=True,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=65_536,
    )
    # Objects made at import live as long as the process; the collector need not visit them on each round.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(uvicorn.Server(config).serve(sockets=[listener]))


def worker(
    *, check: Annotated[bool, typer.Option("--check", help="Only see whether it could start")] = False
) -> None:
    """Run one worker process. The database must be there, with its schema up to date."""
    check_revision(reachable_url())
    if not check:
        asyncio.run(run_worker(get_settings()))
