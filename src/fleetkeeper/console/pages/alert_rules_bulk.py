"""`/alerts/rules/bulk-enable` and `bulk-disable`: many rules at once, with a preview of what follows."""

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.access import AlertsWrite
from fleetkeeper.alerts.rules.service import rules
from fleetkeeper.alerts.rules.switching import switch_rules
from fleetkeeper.console.lists.bulk import BulkAct, Words, bulk_act_page
from fleetkeeper.console.pages.alert_rules import HOME
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.access import reason_given
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.bulk import BulkResult, Selection

router = APIRouter()
_ENABLE = Words("Enable", "Will be enabled", "Enabled", "Cannot be enabled", "Not enabled")
_DISABLE = Words(
    "Disable",
    "Will be disabled",
    "Disabled",
    "Cannot be disabled",
    "Not disabled",
    "Their firing alerts are resolved, and they do not fire until they are enabled again.",
)


@router.post(f"{HOME}/bulk-enable")
async def enable_rules(request: Request, sent: FormLists, actor: AlertsWrite, session: Session) -> Response:
    """Enable many rules: the preview, and what became of each."""
    act = _act(request, session, actor, _ENABLE, is_enabled=True)
    return await bulk_act_page(actor, act, sent)


@router.post(f"{HOME}/bulk-disable")
async def disable_rules(request: Request, sent: FormLists, actor: AlertsWrite, session: Session) -> Response:
    """Disable many rules: the preview, and what became of each."""
    act = _act(request, session, actor, _DISABLE, is_enabled=False)
    return await bulk_act_page(actor, act, sent)


def _act(request: Request, session: AsyncSession, actor: Actor, words: Words, *, is_enabled: bool) -> BulkAct:
    async def apply(selection: Selection, expected: int | None) -> BulkResult:
        is_preview = expected is None
        if not is_preview:
            await reason_given(request)
        return await switch_rules(session, actor, selection, is_enabled=is_enabled, dry_run=is_preview)

    action = f"bulk-{words.button.lower()}"
    return BulkAct(HOME, f"{words.button} alert rules", rules.noun, apply, words, action)
