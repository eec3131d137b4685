"""The documented table of routes and roles is the code's."""

from pathlib import Path

import pytest
import typer

from fleetkeeper.cli.routes_docs import doors, print_routes, routes_table
from fleetkeeper.identity.permissions import Permission, Role

DOCUMENT = Path(__file__).parents[2] / "docs" / "routes.md"


class TestTable:
    def test_document_is_current(self):
        """Write it anew: `fleetkeeper routes --write docs/routes.md`."""
        assert DOCUMENT.read_text().endswith(routes_table() + "\n")

    def test_no_door_is_without_a_guard(self):
        assert [door for door in doors() if door.guard == "none"] == []

    def test_each_permission_opens_a_door(self):
        """A permission that no route asks for would be a tick without an effect."""
        asked = {door.guard for door in doors()}
        unasked = {str(permission) for permission in Permission} - asked
        # Asked for inside of services, on top of the door's own.
        assert unasked <= {
            "dashboards:share",
            "devices:create",
            "memberships:write",
            "notes:write",
            "tokens:read",
            "tokens:write",
            "views:share",
        }

    def test_administrator_may_call_all_that_people_may(self):
        for door in doors():
            assert door.is_open_to(Role.ADMIN) == (door.guard != "device key"), door

    def test_roles_differ_as_documented(self):
        by_path = {(door.method, door.path): door for door in doors()}
        delete = by_path["DELETE", "/api/v1/devices/{device_id}"]
        assert [role for role in Role if delete.is_open_to(role)] == [Role.ADMIN, Role.MANAGER]


def test_the_command_replaces_the_table(tmp_path):
    target = tmp_path / "routes.md"
    target.write_text("Who may\n\n| method | path | asks for | old |\n| GET | `/gone` |\n")
    print_routes(target)
    assert target.read_text() == f"Who may\n\n{routes_table()}\n"
    target.write_text("nothing")
    with pytest.raises(typer.BadParameter, match="has no table"):
        print_routes(target)
