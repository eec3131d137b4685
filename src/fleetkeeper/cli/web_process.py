"""The web server of one process."""

import asyncio
import contextlib
import gc
import socket
import sys
from functools import partial
from typing import Any

import uvicorn

from fleetkeeper.app import create_app
from fleetkeeper.kit.bounded_http import BoundedProtocol
from fleetkeeper.kit.bounded_sockets import MAX_MESSAGE_BYTES, PING_SECONDS, BoundedWebSocket
from fleetkeeper.kit.connections import Connections
from fleetkeeper.kit.heartbeat import heartbeat
from fleetkeeper.kit.memory import memory_keeper
from fleetkeeper.settings import Settings
from fleetkeeper.settings.web import WebSettings
from fleetkeeper.telemetry.front import IngestFront

# Open files that are no clients' connections: the database's, logs, exports.
OTHER_FILES = 200
# Threads read large answers beside the event loop: with the usual 5 ms each could hold up each turn of it so long.
THREAD_TURN_SECONDS = 0.0005


class WebServer(uvicorn.Server):
    """Closes connections that send nothing, and ends the live views before it waits for open requests."""

    def __init__(self, config: uvicorn.Config, front: IngestFront, connections: Connections) -> None:
        super().__init__(config)
        self._front = front
        self._connections = connections
        self._background = (heartbeat(), memory_keeper())

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take requests, and tell whoever started this process that it does."""
        await super().startup(sockets)
        for work in self._background:
            work.start()

    async def on_tick(self, counter: int) -> bool:
        """Look ten times a second at what is late."""
        self._connections.end_late()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, let those that run come to their end, close."""
        self._front.end_streams()
        await super().shutdown(sockets)
        for work in self._background:
            await work.stop()


def open_files_for(connections: int) -> int:
    """How many connections the limit of open files leaves room for, once it is raised as far as it goes."""
    try:
        import resource  # noqa: PLC0415 - not there on Windows, where nothing limits them
    except ImportError:
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return connections
    wanted = connections + OTHER_FILES
    ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if ceiling > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
        soft = ceiling
    return max(soft - OTHER_FILES, 1)


def run_web_process(settings: Settings, url: str, listener: socket.socket) -> None:
    """Answer requests until SIGTERM or SIGINT."""
    front = create_app(settings, url)
    web = settings.web
    connections = Connections(
        most=min(web.max_connections, open_files_for(web.max_connections)),
        max_head_bytes=web.max_head_bytes,
        head_seconds=web.head_seconds,
        stalled_seconds=web.stalled_seconds,
        max_unfinished_per_address=web.max_unfinished_heads_per_address,
        trusted_proxies=web.trusted_proxies,
    )
    config = server_config(front, web, connections)
    # Objects made at import live as long as the process; the collector need not visit them on each round.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    sys.setswitchinterval(THREAD_TURN_SECONDS)
    # Once all is closed, uvicorn raises the signal again that it was stopped by.
    with (
        contextlib.suppress(KeyboardInterrupt),
        asyncio.Runner(loop_factory=config.get_loop_factory()) as runner,
    ):
        runner.run(WebServer(config, front, connections).serve(sockets=[listener]))


def server_config(
    front: IngestFront, web: WebSettings, connections: Connections, **more: Any
) -> uvicorn.Config:
    """How uvicorn serves the product: `more` goes to uvicorn as it is."""
    values: dict[str, Any] = {
        "loop": "uvloop" if sys.platform != "win32" else "asyncio",
        "http": partial(BoundedProtocol, connections=connections),
        "ws": partial(BoundedWebSocket, bounds=connections),
        "ws_max_size": MAX_MESSAGE_BYTES,
        "ws_ping_interval": PING_SECONDS,
        "ws_ping_timeout": PING_SECONDS,
        "ws_per_message_deflate": False,
        "lifespan": "on",
        "access_log": False,
        "log_config": None,
        "proxy_headers": bool(web.trusted_proxies),
        "forwarded_allow_ips": [str(network) for network in web.trusted_proxies] or None,
        "server_header": False,
        "date_header": True,
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": 10,
    }
    return uvicorn.Config(front, **(values | more))
