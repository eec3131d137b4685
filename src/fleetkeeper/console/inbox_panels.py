"""One's own notifications and preferences as a list and a form. Pure."""

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, RowAction, Tag
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.notification_panels import TONES
from fleetkeeper.notifications.inbox import service as inbox
from fleetkeeper.notifications.inbox.schemas import NotificationRead
from fleetkeeper.notifications.preferences.schemas import Preferences

INBOX = "/notifications/inbox"
PREFERENCES = "/account/notifications"
_LINES = 9
PREFERENCE_FORM = Form(
    Preferences,
    "preferences",
    "Email notifications",
    "Save changes",
    {
        "email": "Send me email",
        "digest": Widget("Digest", hint="One email per hour, or per day at 8:00"),
        "quiet_from": Widget("Quiet hours from", kind="time"),
        "quiet_until": Widget("Until", kind="time"),
        "muted_events": Widget(
            "No email for",
            hint="Events or groups of events, such as jobs.*; separated by commas",
            kind="text",
        ),
    },
    text="Critical notifications are always sent at once. Times are in your account's time zone.",
)


def inbox_list() -> ListPage[NotificationRead]:
    """One's own notifications."""

    def actions(one: NotificationRead) -> tuple[RowAction, ...]:
        if one.read_at is not None:
            return ()
        return (RowAction("Mark as read", f"{INBOX}/{one.id}/read", "", is_danger=False),)

    return ListPage(
        path=INBOX,
        title="Inbox",
        noun=("notification", "notifications"),
        listing=inbox.LISTING,
        search="Title or text",
        quick=(
            QuickFilter(
                "unread",
                "Status",
                (
                    Choice("unread", "Unread", (("read_at__isnull", "true"),)),
                    Choice("read", "Read", (("read_at__isnull", "false"),)),
                ),
            ),
        ),
        columns=(
            Column(
                "title", "Notification", lambda one: Cell(one.title, one.href, detail=_beginning(one.body))
            ),
            Column("severity", "Severity", _severity, sort="severity"),
            Column("read_at", "Status", lambda one: Cell("Read" if one.read_at else "Unread")),
            Column(
                "created_at",
                "Received",
                lambda one: Cell(at=one.created_at, kind="time"),
                sort="created_at",
                falls_first=True,
            ),
        ),
        actions=actions,
        empty=Empty("No notifications yet", "Notifications for you appear here."),
        titles={"name": "Event", "read_at": "Read at"},
    )


def _beginning(body: str) -> str:
    """As many lines as leave room for the next notification."""
    lines = body.splitlines()
    left = len(lines) - _LINES
    if left <= 1:
        return body
    return "\n".join([*lines[:_LINES], f"… {left} more lines"])


def _severity(one: NotificationRead) -> Cell:
    return Cell(tags=(Tag(one.severity, TONES[one.severity]),))
