"""Work for a caller who may go away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fleetkeeper.kit.request_body import CallerGoneError

_Result = TypeVar("_Result")
Receive = Callable[[], Awaitable[Any]]


async def while_connected(receive: Receive, work: Awaitable[_Result]) -> _Result:
    """The result of `work`, which is cancelled when the client goes away; then raises CallerGoneError.

    `receive` is the request's, whose body has been read.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise CallerGoneError
        return task.result()
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
