"""What the front finds out about a request is handed on to the guard that wants to know the same."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from starlette.requests import Request

Found = TypeVar("Found")
# In a request's state: its credential is a good one.
GOOD_CREDENTIAL = "good_credential"


class HandedOn(Generic[Found]):
    """A question about a request, such as who calls, that is asked ahead of its body and answered once.

    An answer that is handed on is used up: who asks again later, as a view that stays open for hours, gets a new one.
    None says that the credential is none, or a wrong one.
    """

    def __init__(self, find: Callable[[Request], Awaitable[Found]]) -> None:
        self._find = find
        self._key = f"{find.__module__}.{find.__qualname__}"

    async def ahead(self, request: Request) -> Found:
        """Find out, and hand it on."""
        found = await self(request)
        request.scope["state"][self._key] = found
        return found

    async def __call__(self, request: Request) -> Found:
        """What was handed on, or else what is found out now."""
        state = request.scope.setdefault("state", {})
        if self._key in state:
            handed: Found = state.pop(self._key)
            return handed
        found = await self._find(request)
        if found is not None:
            state[GOOD_CREDENTIAL] = True
        return found
