"""Every HTTP door says who may pass: a permission, a device's key, a sign-in, or a reason on the public list."""

from collections.abc import Mapping

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts

from fleetkeeper.app import create_app
from fleetkeeper.devices.access import calling_device, connecting_device
from fleetkeeper.identity.access import signed_in, signed_in_to_enrol
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.patterns import pattern_words
from fleetkeeper.routes import PUBLIC_ROUTES, callables_of


def is_guarded(route) -> bool:
    dependant = getattr(route, "dependant", None)
    found = list(callables_of(dependant)) if dependant is not None else []
    return any(isinstance(getattr(call, "permission", None), Permission) for call in found) or any(
        call in {calling_device, connecting_device, signed_in, signed_in_to_enrol} for call in found
    )


def open_paths(app: FastAPI) -> set[str]:
    """Paths of routes that anyone may call."""
    return {str(route.path) for route in iter_route_contexts(app.routes) if not is_guarded(route)}


def undeclared_paths(app: FastAPI, public: Mapping[str, str] = PUBLIC_ROUTES) -> set[str]:
    return open_paths(app) - public.keys()


@pytest.fixture
def application(settings) -> FastAPI:
    return create_app(settings, "postgresql://nobody@localhost/nothing").app.app


def patterns_in(part: object) -> set[str]:
    """The patterns of a schema."""
    if isinstance(part, list):
        return set().union(*map(patterns_in, part))
    if not isinstance(part, dict):
        return set()
    own = part.get("pattern")
    return set().union(*map(patterns_in, part.values()), {own} if isinstance(own, str) else set())


class TestRoutes:
    def test_no_one_is_shown_a_pattern(self, application):
        found = patterns_in(application.openapi())
        assert len(found) > 5
        assert [pattern for pattern in found if pattern_words(pattern) is None] == []

    def test_every_route_is_guarded_or_declared_public(self, application):
        assert not undeclared_paths(application)

    def test_walk_sees_every_room(self, application):
        paths = {str(route.path) for route in iter_route_contexts(application.routes)}
        rooms = (
            "/",
            "/health/",
            "/agent/",
            *(f"/api/v1/{name}" for name in ("devices", "agents", "telemetry", "me")),
        )
        for beginning in rooms:
            assert any(path.startswith(beginning) for path in paths), beginning

    def test_public_list_holds_no_entry_without_a_route(self, application):
        assert PUBLIC_ROUTES.keys() <= open_paths(application)

    @pytest.mark.parametrize("depth", [0, 1, 2])
    def test_planted_route_without_a_permission_is_found(self, application, depth):
        router = APIRouter()

        @router.get("/planted")
        async def planted() -> None: ...

        for _ in range(depth):
            outer = APIRouter(prefix="/outer")
            outer.include_router(router)
            router = outer
        application.include_router(router)
        assert undeclared_paths(application) == {"/outer" * depth + "/planted"}

    def test_every_reason_is_a_sentence(self):
        assert all(len(reason.split()) > 3 for reason in PUBLIC_ROUTES.values())
