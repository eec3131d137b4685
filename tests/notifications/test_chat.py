"""Chat services: which are taken, and that none leads where nothing may be called."""

import pytest

from fleetkeeper.kit.outgoing import Reach
from fleetkeeper.notifications.sending.chat import ChatAddressError, send_chat, service_of
from fleetkeeper.notifications.sending.message import DeliveryFailedError, OpenChannel, trial_message
from tests.factories.notifications import LOCAL


def chat(receiver) -> OpenChannel:
    return OpenChannel("chat", (receiver.url.replace("http://", "ntfy://").replace("/hook", "/topic"),))


@pytest.mark.parametrize(
    ("address", "service"),
    [
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general", "slack"),
        ("discord://1234567890/abcdefghijklmnop", "discord"),
        ("NTFYS://ntfy.example/topic", "ntfys"),
    ],
)
def test_known_services_are_taken(address, service):
    assert service_of(address) == service


@pytest.mark.parametrize(
    "address",
    ["json://localhost/", "syslog://", "file:///etc/passwd", "mailto://a:b@c.example", "slack://", "words"],
)
def test_others_are_not(address):
    with pytest.raises(ChatAddressError):
        service_of(address)


async def test_it_arrives(receiver):
    await send_chat(chat(receiver), trial_message("Chat"), LOCAL)
    ((_, body),) = receiver.requests
    assert b"The notification channel Chat works." in body


async def test_a_server_that_may_not_be_called_is_not_called(receiver):
    with pytest.raises(DeliveryFailedError, match="not a public address") as failure:
        await send_chat(chat(receiver), trial_message("Chat"), Reach())
    assert failure.value.is_final
    assert receiver.requests == []


async def test_a_redirect_is_not_followed(receiver):
    receiver.status, receiver.headers = 307, {"Location": receiver.url}
    with pytest.raises(DeliveryFailedError, match="did not accept"):
        await send_chat(chat(receiver), trial_message("Chat"), LOCAL)
    assert len(receiver.requests) == 1
