"""What a web process shares with all its requests, found by its type."""

from collections.abc import Callable
from typing import TypeVar, cast

from starlette.requests import HTTPConnection

Service = TypeVar("Service")


class Services:
    """One of each type. A room asks for what it works with, and need not know who made it."""

    def __init__(self, *services: object) -> None:
        self._by_type: dict[type, object] = {}
        for one in services:
            self.add(one)

    def add(self, service: Service) -> Service:
        """Share one more, by its type and by what that is a kind of; returns it."""
        self._by_type |= dict.fromkeys(type(service).__mro__[:-1], service)
        return service

    def get(self, kind: type[Service]) -> Service:
        """The one of that type. Raises LookupError before the process has made it."""
        try:
            return cast("Service", self._by_type[kind])
        except KeyError:
            raise LookupError(f"this process shares no {kind.__name__}") from None


def services_of(request: HTTPConnection) -> Services:
    """What the process of a request shares."""
    services: Services = request.app.state.services
    return services


def shared(kind: type[Service]) -> Callable[[HTTPConnection], Service]:
    """A dependency on what the process shares: `Annotated[Settings, Depends(shared(Settings))]`."""

    def find(request: HTTPConnection) -> Service:
        return services_of(request).get(kind)

    return find
