"""What an actor's transactions may see of the fleet, and who acts in them."""

from collections.abc import Mapping

import msgspec

from fleetkeeper.database.context import TransactionContext
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission


def context_of_actor(actor: Actor, more: Mapping[str, str | None]) -> TransactionContext:
    """The context of an actor's transaction; `more` is what else the audit log keeps, such as the reason."""
    known = {
        "kind": actor.kind,
        "name": actor.name,
        "user": actor.user_id and str(actor.user_id),
        "token": actor.token_id and str(actor.token_id),
        "session": actor.session_id and str(actor.session_id),
        **more,
    }
    readable = actor.scope(Permission.DEVICES_READ)
    changeable = (
        actor.scope(Permission.DEVICES_WRITE)
        | actor.scope(Permission.DEVICES_DELETE)
        | actor.scope(Permission.ENROLLMENT_WRITE)
        | actor.scope(Permission.DEVICES_CREATE)
    )
    anywhere = actor.anywhere
    return TransactionContext(
        whole_fleet=readable.everywhere,
        departments=readable.departments,
        changeable_departments=changeable.departments,
        acts_everywhere=anywhere.everywhere,
        acting_departments=anywhere.departments,
        audit=msgspec.json.encode({key: value for key, value in known.items() if value}).decode(),
    )
