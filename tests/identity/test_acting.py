"""What an actor's transactions tell the database."""

from fleetkeeper.identity.acting import context_of_actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.service import actor_of_user
from tests.factories.identity import give, make_role, make_tree, make_user


async def test_one_acts_where_one_may_do_anything(session):
    north, harbour, south = await make_tree(session)
    nora = await make_user(session, "nora")
    await give(session, nora, await make_role(session, Permission.USERS_READ), north)
    await give(session, nora, await make_role(session, Permission.DEVICES_READ), south)
    context = context_of_actor(await actor_of_user(session, nora), {})
    assert context.acting_departments == {north.id, harbour.id, south.id}
    assert context.departments == {south.id}
    assert not context.acts_everywhere
    await give(session, nora, await make_role(session, Permission.CONFIG_READ))
    context = context_of_actor(await actor_of_user(session, nora), {})
    assert context.acts_everywhere
    assert not context.whole_fleet
