"""Channels, rules and events, and receivers on the network that keep what comes."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from ipaddress import ip_network

from aiosmtpd.smtp import SMTP
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.engine import Database
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.outgoing import Reach
from fleetkeeper.kit.sealing import Sealer
from fleetkeeper.notifications.channels.secrets import seal_secret
from fleetkeeper.notifications.channels.service import Outgoing
from fleetkeeper.notifications.deliveries.delivering import deliver_due
from fleetkeeper.notifications.deliveries.dispatch import dispatch
from fleetkeeper.notifications.events import EVENTS, ObjectRef, Severity, declare_event, emit
from fleetkeeper.notifications.models import NotificationChannel, NotificationRule
from tests.fixtures.client import TEST_CONTEXT

LOCAL = Reach(networks=(ip_network("127.0.0.0/8"),))
SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

if "tests.happened" not in EVENTS:
    declare_event(
        "tests.happened",
        "Something happened in a test",
        subject="{subject} happened",
        body="{subject}: {what}",
        fields=("what",),
        severity=Severity.WARNING,
    )


@dataclass
class Receiver:
    """A webhook's receiver: answers with `status` and `headers`, and keeps each request."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b"well"
    is_silent: bool = False
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            # Whoever came went again without a word.
            writer.close()
            return
        pairs = [line.partition(":") for line in head.split("\r\n")[1:] if line]
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((headers, body))
        if self.is_silent:
            await reader.read()
        lines = [f"HTTP/1.1 {self.status} Word", f"Content-Length: {len(self.content)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + self.content)
        # Callers may hang up in the middle.
        with contextlib.suppress(OSError):
            await writer.drain()
            writer.close()
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def receiving(certificate: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on this machine."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0, ssl=certificate)
    async with server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        yield receiver


@dataclass
class MailServer:
    """A mail server that keeps what it takes; `refusal` is what it says to each recipient instead."""

    port: int = 0
    refusal: str = ""
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's own name
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's own name
        mail = BytesParser(policy=default).parsebytes(envelope.content)
        self.mails += [(recipient, mail) for recipient in envelope.rcpt_tos]
        return "250 taken"


@contextlib.asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """A mail server on this machine."""
    kept = MailServer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(kept, hostname="mail.example"), "127.0.0.1", 0)
    async with server:
        kept.port = server.sockets[0].getsockname()[1]
        yield kept


async def make_channel(session: AsyncSession, sealer: Sealer, **columns: object) -> NotificationChannel:
    """A webhook, unless its kind is another; `secret` is in clear."""
    channel_id = uuid7()
    kind = columns.setdefault("kind", "webhook")
    secret = columns.pop("secret", SIGNING_SECRET if kind == "webhook" else None)
    columns.setdefault("name", f"channel-{channel_id}")
    if kind == "email":
        columns = {"host": "127.0.0.1", "security": "none", "sender": "fleet@example.org"} | columns
    sealed = seal_secret(sealer, channel_id, str(secret)) if secret else None
    channel = NotificationChannel(id=channel_id, secret_sealed=sealed, **columns)
    session.add(channel)
    await session.flush()
    return channel


async def make_rule(session: AsyncSession, channel: NotificationChannel, *events: str, **columns: object):
    rule = NotificationRule(name="rule", events=list(events or ["*"]), channel_id=channel.id, **columns)
    session.add(rule)
    await session.flush()
    return rule


@dataclass
class Worker:
    """What the worker does for this room, when a test says so."""

    database: Database
    outgoing: Outgoing

    async def emit(self, what: str = "all of it", name: str = "tests.happened", **more: object) -> None:
        subject = ObjectRef("thing", "1", "The thing", "/things/1")
        async with self.database.session(TEST_CONTEXT) as session:
            await emit(session, name, subject=subject, what=what, **more)

    async def dispatch(self) -> None:
        async with self.database.session(TEST_CONTEXT) as session:
            await dispatch(session)

    async def deliver(self) -> int:
        return await deliver_due(self.database, self.outgoing)

    async def run(self) -> int:
        await self.dispatch()
        return await self.deliver()


def worker_of(app) -> Worker:
    return Worker(app.state.database, Outgoing(app.state.sealer, LOCAL, "https://fleet.example"))
