"""Chat and push services, by Apprise: one library that knows the API of each."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from fleetkeeper.kit.outgoing import ForbiddenAddressError, OutgoingError, Reach, resolve
from fleetkeeper.notifications.sending.message import DeliveryFailedError, Message, OpenChannel

# Schemas of Apprise whose servers are the service's own, whatever the address says.
HOSTED = frozenset(
    {
        "discord",
        "gchat",
        "msteams",
        "ntfy",
        "pagerduty",
        "pbul",
        "pover",
        "slack",
        "tgram",
        "webex",
        "wxteams",
    }
)
# Those that lead to a server which the address names.
ON_OWN_SERVER = frozenset(
    {"gotify", "gotifys", "matrix", "matrixs", "mmost", "mmosts", "ntfys", "rocket", "rockets", "workflows"}
)
_SEVERITIES = {"info": "info", "warning": "warning", "critical": "failure"}


class ChatAddressError(Exception):
    """The address names no service that can be used."""


def service_of(address: str) -> str:
    """The schema of an Apprise URL. Raises ChatAddressError for an unknown one, or an address that is not whole."""
    schema = address.partition("://")[0].lower()
    if schema not in HOSTED | ON_OWN_SERVER:
        known = ", ".join(sorted(HOSTED | ON_OWN_SERVER))
        raise ChatAddressError(f"must begin with the name of a service and ://; services are {known}")
    if _notifier(address) is None:
        raise ChatAddressError("must be a complete address of that service")
    return schema


def _notifier(address: str) -> Any:
    # It takes a second to load, and most processes never need it.
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415

    asset = AppriseAsset(http_redirects=False, app_id="Fleetkeeper", async_mode=False)
    return Apprise.instantiate(address, asset=asset, suppress_exceptions=True)


async def send_chat(channel: OpenChannel, message: Message, reach: Reach) -> None:
    """Send it. Raises DeliveryFailedError."""
    address = channel.secrets[0] if channel.secrets else ""
    try:
        service = await asyncio.to_thread(service_of, address)
        await _check_host(address, service, reach)
    except (ChatAddressError, ForbiddenAddressError) as error:
        raise DeliveryFailedError(f"The chat service cannot be used: {error}", is_final=True) from None
    except OutgoingError as error:
        raise DeliveryFailedError(str(error)) from None
    text = f"{message.body}\n{message.link}".strip()
    arrived = await asyncio.to_thread(_notify, address, message.title, text, message.severity)
    if not arrived:
        raise DeliveryFailedError(f"The chat service ({service}) did not accept the message.")


async def _check_host(address: str, service: str, reach: Reach) -> None:
    host = urlsplit(address).hostname
    # `ntfy://topic` is the public server; `ntfy://host/topic` is one's own.
    if host and (service in ON_OWN_SERVER or (service == "ntfy" and urlsplit(address).path.strip("/"))):
        await resolve(host, urlsplit(address).port or 443, reach)


def _notify(
    address: str, title: str, text: str, severity: str, names: Mapping[str, str] = _SEVERITIES
) -> bool:
    return bool(_notifier(address).notify(body=text, title=title, notify_type=names[severity]))
