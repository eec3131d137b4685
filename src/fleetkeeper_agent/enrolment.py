"""The first contact: a token and evidence of who the machine is, for a key of its own."""

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
import msgspec

from fleetkeeper_agent.channel import Channel, Verdict, is_key, is_loopback
from fleetkeeper_agent.clock import Clock
from fleetkeeper_agent.state_files import Credentials, StateDirectory
from fleetkeeper_protocol.messages import EnrollRequest, EnrollResponse

LOG = logging.getLogger(__name__)


class EnrolmentError(Exception):
    """The device is not enrolled; the message says why, for people.

    A temporary reason is worth another try.
    """

    def __init__(self, message: str, *, temporary: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.temporary = temporary
        self.retry_after = retry_after


def check_server(url: str) -> str:
    """Return the server's address in the form to keep. Raises EnrolmentError."""
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise EnrolmentError(f"the server is an address such as https://fleet.example.org, not {url!r}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise EnrolmentError("the server's address has no user, no query and no fragment")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def sends_in_clear(url: str) -> bool:
    """Whether the key would travel unencrypted over a network."""
    return urlsplit(url).scheme != "https" and not is_loopback(url)


def enrol(
    state: StateDirectory,
    server: str,
    token: str,
    hostname: str,
    evidence: Mapping[str, str],
    clock: Clock,
    transport: httpx.BaseTransport | None = None,
) -> Credentials:
    """Enroll and keep the key. Raises EnrolmentError."""
    address = check_server(server)
    request = EnrollRequest(token=token.strip(), hostname=hostname, identities=dict(evidence))
    channel = Channel(address, clock, transport=transport)
    try:
        answer = channel.post_plain("/api/v1/enroll", msgspec.json.encode(request))
    finally:
        channel.close()
    if answer.verdict is not Verdict.ACCEPTED:
        raise EnrolmentError(
            f"{address} does not enroll this device: {answer.reason}",
            temporary=answer.verdict is Verdict.RETRY,
            retry_after=answer.retry_after,
        )
    try:
        response = msgspec.json.decode(answer.body, type=EnrollResponse)
    except msgspec.DecodeError as error:
        raise EnrolmentError(f"{address} answers, but not as a Fleetkeeper server does: {error}") from error
    if response.note:
        LOG.warning("%s", response.note)
    if not is_key(response.device_key):
        raise EnrolmentError(f"{address} answers with a key that cannot stand in a header")
    credentials = Credentials(
        address, response.device_id, response.device_key, key_since=round(clock.wall(), 3)
    )
    state.keep_credentials(credentials)
    return credentials
