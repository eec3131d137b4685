"""Every route that may take a body stands behind the front: its caller is known first, and its body has a bound."""

import re

import pytest
from fastapi.routing import iter_route_contexts

from fleetkeeper.app import create_app
from fleetkeeper.devices.access import calling_device, device_ahead
from fleetkeeper.identity.access import signed_in_ahead
from fleetkeeper.kit.body_front import Door, Doors
from fleetkeeper.routes import (
    BODY_BYTES,
    PUBLIC_BODY_BYTES,
    PUBLIC_ROUTES,
    body_bounds,
    callables_of,
    find_doors,
)
from fleetkeeper.telemetry.senders.access import sender_ahead, sending
from tests.architecture.test_house import ROOT

SOURCE = ROOT / "src" / "fleetkeeper"


@pytest.fixture
def application(settings):
    return create_app(settings, "postgresql://nobody@localhost/nothing").app.app


def changing(application):
    for route in iter_route_contexts(application.routes):
        for method in (getattr(route, "methods", None) or set()) - {"GET", "HEAD"}:
            yield route, method, re.sub(r"\{[^}]*\}", "x", str(route.path))


class TestDoors:
    def test_every_route_that_takes_a_body_has_one(self, application, settings):
        doors = find_doors(application, settings)
        found = list(changing(application))
        assert len(found) > 100
        for route, method, path in found:
            door = doors.find(method, path)
            assert door is not None, path
            calls = set(callables_of(route.dependant))
            wanted = signed_in_ahead
            if calling_device in calls:
                wanted = device_ahead
            elif sending in calls:
                wanted = sender_ahead
            assert door.find_caller is (None if route.path in PUBLIC_ROUTES else wanted), path
            if route.path in PUBLIC_ROUTES:
                assert door.max_bytes == PUBLIC_BODY_BYTES

    def test_the_table_names_routes_that_are_there(self, application, settings):
        paths = {str(route.path) for route in iter_route_contexts(application.routes)}
        assert body_bounds(settings).keys() <= paths

    def test_what_is_not_in_the_table_has_the_small_bound(self, application, settings):
        door = find_doors(application, settings).find("POST", "/api/v1/dashboards")
        assert door is not None
        assert door.max_bytes == BODY_BYTES

    def test_the_first_route_that_fits_counts(self):
        first, second = (Door("/a/{x}", frozenset({method}), 1) for method in ("POST", "PUT"))
        exact = Door("/a/b", frozenset({"POST"}), 1)
        doors = Doors([first, second, exact])
        assert doors.find("POST", "/a/c") is first
        assert doors.find("PUT", "/a/c") is second
        assert doors.find("POST", "/a/b") is exact
        assert doors.find("DELETE", "/a/b") is None
        assert doors.find("POST", "/a/b/c") is None


class TestSource:
    def test_no_route_reads_a_body_while_it_may_hold_a_session(self):
        """The front has read it by then; a stream would wait for the network."""
        for path in SOURCE.rglob("*.py"):
            assert "request.stream()" not in path.read_text(), path
