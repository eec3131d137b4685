"""Calls to addresses that people have entered, which must not lead to what only this machine can reach (SSRF).

A name is resolved once, each of its addresses is checked, and the connection goes to one that was checked: a second
answer of the name server changes nothing. Redirects are not followed, and proxies of the environment not used.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

from fleetkeeper.settings.outgoing import OutgoingSettings

CONNECT_SECONDS = 5.0
# Of a whole exchange, however slowly its parts come.
DEADLINE_SECONDS = 15.0
MAX_ANSWER_BYTES = 64 * 1024
# RFC 6052: the last 32 bits are an address of IPv4, which a gateway goes on to.
_NAT64 = ip_network("64:ff9b::/96")
Address = IPv4Address | IPv6Address


class OutgoingError(Exception):
    """The call did not come about; the message is for whoever entered the address."""


class ForbiddenAddressError(OutgoingError):
    """The address may not be called, now or later."""


@dataclass(frozen=True)
class Reach:
    """What may be called besides public addresses."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: OutgoingSettings) -> "Reach":
        """As the operator has set it."""
        return cls(
            tuple(ip_network(one) for one in settings.allowed_networks),
            frozenset(one.lower().rstrip(".") for one in settings.allowed_hosts),
        )

    def allows(self, host: str, address: Address) -> bool:
        """Whether an address that a host's name led to may be called."""
        if host.lower().rstrip(".") in self.hosts:
            return True
        meant = _meant(address)
        if any(meant in network for network in self.networks):
            return True
        return meant.is_global and not meant.is_multicast and not meant.is_reserved


def _meant(address: Address) -> Address:
    """The address of IPv4 that one of IPv6 stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is None and address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFF_FFFF)
    return inner or address


@dataclass(frozen=True)
class Answer:
    """What came back; of a long body the beginning."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def check_url(address: str) -> httpx.URL:
    """The address, where it is one of http or https without a password. Raises ForbiddenAddressError."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, ValueError):
        raise ForbiddenAddressError("The address cannot be read.") from None
    if url.scheme not in {"http", "https"} or not url.host or not address.isprintable() or " " in address:
        raise ForbiddenAddressError("The address starts with https:// or http:// and a host name.")
    if url.userinfo:
        raise ForbiddenAddressError("The URL must not contain a username or password.")
    return url


async def resolve(host: str, port: int, reach: Reach) -> list[str]:
    """The addresses of a host, all of which may be called. Raises OutgoingError."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise OutgoingError(f"The name {host} cannot be resolved.") from None
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    if not addresses:
        raise OutgoingError(f"The name {host} has no address.")
    for text in addresses:
        if not reach.allows(host, ip_address(text)):
            # Not which one: names inside the network would be read by that.
            what = "is not" if _is_address(host) else "leads to an address that is not"
            raise ForbiddenAddressError(
                f"{host} {what} a public address. An operator can allow it with "
                "FLEETKEEPER_OUTGOING__ALLOWED_NETWORKS."
            )
    return addresses


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


async def connect(host: str, port: int, reach: Reach) -> socket.socket:
    """A connected socket to a host, for protocols other than HTTP. Raises OutgoingError."""
    addresses = await resolve(host, port, reach)
    loop = asyncio.get_running_loop()
    for address in addresses:
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.sock_connect(made, (address, port))
        except (OSError, TimeoutError):
            made.close()
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise OutgoingError(f"{host} does not answer on port {port}.")


@cache
def trusted_authorities() -> ssl.SSLContext:
    """Reading them takes a thirtieth of a second, so they are read once."""
    return httpx.create_ssl_context()


@dataclass(frozen=True)
class Patience:
    """How long a call may take: between two pieces of it, and as a whole (seconds)."""

    idle_seconds: float
    deadline_seconds: float


async def post(address: str, content: bytes, headers: Mapping[str, str], reach: Reach) -> Answer:
    """Send a POST and read the answer, of any status. Raises OutgoingError."""
    return await exchange("POST", address, content, headers, reach)


async def exchange(
    method: str,
    address: str,
    content: bytes,
    headers: Mapping[str, str],
    reach: Reach,
    patience: Patience | None = None,
    max_bytes: int = MAX_ANSWER_BYTES,
) -> Answer:
    """Send a request and read the answer, of any status; of a longer one the beginning. Raises OutgoingError."""
    async with calling(method, address, content, headers, reach, patience) as response:
        read = bytearray()
        async for part in response.aiter_raw(8192):
            read += part
            if len(read) >= max_bytes:
                break
        return Answer(response.status_code, response.headers, bytes(read[:max_bytes]))


@asynccontextmanager
async def calling(
    method: str,
    address: str,
    content: bytes,
    headers: Mapping[str, str],
    reach: Reach,
    patience: Patience | None = None,
) -> AsyncIterator[httpx.Response]:
    """Send a request; gives the answer, of any status, to be read as it comes. Raises OutgoingError."""
    url = check_url(address)
    host = url.raw_host.decode()
    patience = patience or Patience(CONNECT_SECONDS * 2, DEADLINE_SECONDS)
    # The certificate is checked for the name, while the connection goes to the address.
    named = {
        **headers,
        "Host": url.netloc.decode(),
        "Accept-Encoding": "identity",
        "User-Agent": "fleetkeeper",
    }
    try:
        async with asyncio.timeout(patience.deadline_seconds), AsyncExitStack() as stack:
            targets = await resolve(host, url.port or (443 if url.scheme == "https" else 80), reach)
            client = await stack.enter_async_context(
                httpx.AsyncClient(
                    verify=trusted_authorities(),
                    timeout=httpx.Timeout(patience.idle_seconds, connect=CONNECT_SECONDS),
                    trust_env=False,
                    follow_redirects=False,
                )
            )
            for number, target in enumerate(targets, 1):
                asked = client.stream(
                    method,
                    url.copy_with(host=target),
                    content=content,
                    headers=named,
                    extensions={"sni_hostname": host},
                )
                try:
                    response = await stack.enter_async_context(asked)
                except httpx.ConnectError:
                    if number == len(targets):
                        raise
                else:
                    break
            yield response
    except TimeoutError:
        raise OutgoingError(
            f"{host} did not answer within {patience.deadline_seconds:.0f} seconds."
        ) from None
    except (httpx.HTTPError, ssl.SSLError, OSError) as error:
        raise OutgoingError(f"{host} cannot be reached: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    text = (str(error).strip().splitlines() or [""])[0]
    return "".join(mark for mark in text if mark.isprintable())[:200].rstrip(".") or type(error).__name__
