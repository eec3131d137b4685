"""What most API tokens are made for, as a choice instead of a list of permissions. Pure."""

from enum import StrEnum

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import ROLE_PERMISSIONS, Permission, Role


class Preset(StrEnum):
    """What a token is for."""

    SEND_TELEMETRY = "send_telemetry"
    READ = "read"
    ADMINISTER = "administer"


_PERMISSIONS: dict[Preset, frozenset[Permission]] = {
    Preset.SEND_TELEMETRY: ROLE_PERMISSIONS[Role.DATA_COLLECTOR],
    Preset.READ: frozenset(one for one in Permission if one.endswith(":read")),
}
# Without these the token would not do what it was made for.
_NEEDED: dict[Preset, frozenset[Permission]] = {
    Preset.SEND_TELEMETRY: frozenset({Permission.TELEMETRY_WRITE}),
    Preset.READ: frozenset(),
    Preset.ADMINISTER: frozenset(),
}


def is_open_to(actor: Actor, preset: Preset) -> bool:
    """Whether a token of the actor's could do what the preset is for."""
    return bool(actor.permissions) and actor.permissions >= _NEEDED[preset]


def permissions_of(actor: Actor, preset: Preset) -> list[Permission] | None:
    """The preset's permissions that the actor has; None is all that the actor has, now and later.

    Raises InvalidInputError where the token could not do what it is for.
    """
    if not is_open_to(actor, preset):
        lacking = ", ".join(sorted(_NEEDED[preset])) or "any permission"
        raise InvalidInputError(
            "The token would not work.", fields=[FieldError("preset", f"You do not have {lacking} yourself")]
        )
    if preset not in _PERMISSIONS:
        return None
    return sorted(_PERMISSIONS[preset] & actor.permissions)
