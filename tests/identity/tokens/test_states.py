"""The states of an API token: derived from its columns, filtered by, and kept in the history."""

from datetime import timedelta

from fleetkeeper.database.status_history import changes_of
from fleetkeeper.kit.clock import utc_now
from tests.fixtures.client import TEST_CONTEXT

PATH = "/api/v1/tokens"


async def test_expired_ones_are_found_and_revoking_is_kept(app, admin, connection):
    soon = (utc_now() + timedelta(hours=1)).isoformat()
    made = [
        (await admin.post(PATH, json={"name": name, "permissions": None, "expires_at": soon})).json()
        for name in ("past", "present")
    ]
    connection.execute("UPDATE api_tokens SET expires_at = now() - interval '1 s' WHERE name = 'past'")
    for state, name in (("expired", "past"), ("active", "present")):
        found = (await admin.get(f"{PATH}?state={state}&name={name}")).json()["results"]
        assert [(one["name"], one["state"]) for one in found] == [(name, state)]
    past = next(one["id"] for one in made if one["name"] == "past")
    assert (await admin.delete(f"{PATH}/{past}")).status_code == 204
    async with app.state.database.session(TEST_CONTEXT) as session:
        [change] = await changes_of(session, past)
    assert (change.old_status, change.new_status, change.changed_by) == ("expired", "revoked", "admin")
