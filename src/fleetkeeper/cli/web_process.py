"""The web server of one process."""

import asyncio
import contextlib
import gc
import socket
import sys

import uvicorn

from fleetkeeper.app import create_app
from fleetkeeper.kit.corked_http import CorkedProtocol
from fleetkeeper.kit.heartbeat import heartbeat
from fleetkeeper.kit.memory import memory_keeper
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.front import IngestFront


class WebServer(uvicorn.Server):
    """Ends the live views before it waits for open requests; they would never end by themselves."""

    def __init__(self, config: uvicorn.Config, front: IngestFront) -> None:
        super().__init__(config)
        self._front = front
        self._background = (heartbeat(), memory_keeper())

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take requests, and tell whoever started this process that it does."""
        await super().startup(sockets)
        for work in self._background:
            work.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, let those that run come to their end, close."""
        self._front.end_streams()
        await super().shutdown(sockets)
        for work in self._background:
            await work.stop()


def run_web_process(settings: Settings, url: str, listener: socket.socket) -> None:
    """Answer requests until SIGTERM or SIGINT."""
    front = create_app(settings, url)
    config = uvicorn.Config(
        front,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=CorkedProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=bool(settings.web.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in settings.web.trusted_proxies] or None,
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
    # Once all is closed, uvicorn raises the signal again that it was stopped by.
    with (
        contextlib.suppress(KeyboardInterrupt),
        asyncio.Runner(loop_factory=config.get_loop_factory()) as runner,
    ):
        runner.run(WebServer(config, front).serve(sockets=[listener]))
