"""Whether the fields of a channel make sense together. Pure."""

from collections.abc import Mapping
from typing import Any

from fleetkeeper.errors import FieldError
from fleetkeeper.kit.outgoing import ForbiddenAddressError, check_url
from fleetkeeper.notifications.channels.schemas import ChannelKind, MailSecurity
from fleetkeeper.notifications.channels.secrets import signing_key
from fleetkeeper.notifications.sending.chat import ChatAddressError, service_of

_NEEDED = {
    ChannelKind.EMAIL: ("host", "port", "security", "sender"),
    ChannelKind.WEBHOOK: ("url",),
    ChannelKind.CHAT: (),
}
_POSSIBLE = {ChannelKind.EMAIL: ("username",), ChannelKind.WEBHOOK: (), ChannelKind.CHAT: ()}
FIELDS = ("url", "host", "port", "security", "username", "sender")


def problems_of(
    kind: ChannelKind, values: Mapping[str, Any], *, secret: str | None, has_secret: bool
) -> list[FieldError]:
    """What is wrong with a channel's fields. `secret` is a new one; `has_secret` is true where an old one stays."""
    problems = []
    for name in FIELDS:
        is_given = values.get(name) not in {None, ""}
        if name in _NEEDED[kind] and not is_given:
            problems.append(FieldError(name, "is required for this kind of channel"))
        if is_given and name not in (*_NEEDED[kind], *_POSSIBLE[kind]):
            problems.append(FieldError(name, "does not apply to this kind of channel"))
    if kind == ChannelKind.WEBHOOK:
        problems += _problems_of_webhook(values.get("url"), secret)
    elif kind == ChannelKind.EMAIL and (secret or has_secret):
        if not values.get("username"):
            problems.append(FieldError("username", "is required with a password"))
        if values.get("security") == MailSecurity.NONE:
            problems.append(FieldError("security", "must be starttls or tls to protect the password"))
    elif kind == ChannelKind.CHAT:
        problems += _problems_of_chat(secret, has_secret=has_secret)
    return problems


def _problems_of_webhook(url: str | None, secret: str | None) -> list[FieldError]:
    problems = []
    if url:
        try:
            check_url(url)
        except ForbiddenAddressError as error:
            problems.append(FieldError("url", str(error)))
    if secret:
        try:
            signing_key(secret)
        except ValueError:
            problems.append(
                FieldError("secret", "must be whsec_ followed by 24 to 64 random bytes in base64")
            )
    return problems


def _problems_of_chat(secret: str | None, *, has_secret: bool) -> list[FieldError]:
    if not secret:
        return [] if has_secret else [FieldError("secret", "must be the Apprise URL of the service")]
    try:
        service_of(secret)
    except ChatAddressError as error:
        return [FieldError("secret", str(error))]
    return []
