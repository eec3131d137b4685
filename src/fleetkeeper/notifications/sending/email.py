"""Mails by SMTP, in plain text."""

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

import aiosmtplib

from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.outgoing import ForbiddenAddressError, OutgoingError, Reach, connect, trusted_authorities
from fleetkeeper.notifications.channels.schemas import MailSecurity
from fleetkeeper.notifications.sending.message import DeliveryFailedError, Message, OpenChannel

TIMEOUT_SECONDS = 15.0
_RULE = "\n\n" + "-" * 40 + "\n\n"


async def send_email(channel: OpenChannel, recipient: str, messages: Sequence[Message], reach: Reach) -> int:
    """Hand it over to the mail server; several messages make one digest. Raises DeliveryFailedError."""
    host, sender = channel.host or "", channel.sender or ""
    mail = written(sender, recipient, messages)
    try:
        socket = await connect(host, channel.port or 0, reach)
        await aiosmtplib.send(
            mail,
            sender=sender,
            recipients=[recipient],
            # For the certificate; the connection goes to the address that was checked.
            hostname=host,
            sock=socket,
            local_hostname=sender.rpartition("@")[2],
            username=channel.username if channel.secrets else None,
            password=channel.secrets[0] if channel.secrets else None,
            use_tls=channel.security == MailSecurity.TLS,
            start_tls=channel.security == MailSecurity.STARTTLS,
            tls_context=None if channel.security == MailSecurity.NONE else trusted_authorities(),
            timeout=TIMEOUT_SECONDS,
        )
    except ForbiddenAddressError as error:
        raise DeliveryFailedError(str(error), is_final=True) from None
    except OutgoingError as error:
        raise DeliveryFailedError(str(error)) from None
    except aiosmtplib.SMTPException as error:
        raise _failed(error) from None
    except (OSError, ValueError) as error:
        raise DeliveryFailedError(f"The mail server cannot be reached: {_words(error)}.") from None
    return 250


def written(sender: str, recipient: str, messages: Sequence[Message]) -> EmailMessage:
    """The mail."""
    first = messages[0]
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = sender
    mail["To"] = recipient
    mail["Subject"] = first.title if len(messages) == 1 else f"{len(messages)} notifications from Fleetkeeper"
    mail["Date"] = format_datetime(utc_now())
    # The same at each attempt, so that a mail that arrived twice is shown once.
    mail["Message-ID"] = f"<{first.event_id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_RULE.join(_text(one, with_title=len(messages) > 1) for one in messages))
    return mail


def _text(message: Message, *, with_title: bool) -> str:
    parts = [message.title] if with_title else []
    parts.append(message.body)
    if message.link:
        parts.append(message.link)
    parts.append(f"{message.occurred_at:%Y-%m-%d %H:%M:%S} UTC · {message.severity} · {message.name}")
    return "\n\n".join(parts)


def _failed(error: aiosmtplib.SMTPException) -> DeliveryFailedError:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return DeliveryFailedError(
            f"The mail server refused the sign-in: {_words(error)}.", status=error.code
        )
    if isinstance(error, aiosmtplib.SMTPResponseException):
        # RFC 5321, section 4.2.1: 5yz stays so, 4yz may pass.
        detail = f"The mail server answered {error.code}: {_words(error)}."
        return DeliveryFailedError(detail, status=error.code, is_final=500 <= error.code < 600)
    return DeliveryFailedError(f"The mail server did not accept the message: {_words(error)}.")


def _words(error: Exception) -> str:
    text = " ".join(str(getattr(error, "message", "") or error).split())
    return "".join(mark for mark in text if mark.isprintable())[:300].rstrip(".") or type(error).__name__
