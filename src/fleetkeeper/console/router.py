"""All pages: one line per room."""

from fastapi import APIRouter

from fleetkeeper.console import static_files
from fleetkeeper.console.pages import (
    account,
    account_security,
    agents,
    approval_rules,
    approvals,
    attachments,
    audit,
    bookmarks,
    custom_fields,
    dashboards,
    departments,
    devices,
    explore,
    field_values,
    groups,
    identity,
    inbox,
    jobs,
    notes,
    notification_rules,
    notifications,
    oidc,
    overview,
    providers,
    refusals,
    retention,
    roles,
    sender_rules,
    senders,
    sessions,
    settings,
    space,
    tags,
    tokens,
    users,
    views,
)


def console_router() -> APIRouter:
    """The console's routes; none of them is part of the API's description."""
    router = APIRouter(include_in_schema=False)
    # `/settings/providers` and `/settings/retention` before `/settings/{key}`.
    for room in (
        identity,
        oidc,
        account_security,
        overview,
        devices,
        explore,
        dashboards,
        agents,
        providers,
        retention,
        settings,
        account,
        users,
        groups,
        roles,
        departments,
        tokens,
        sessions,
        space,
        jobs,
        inbox,
        notifications,
        notification_rules,
        # `/approvals/rules` before `/approvals/{request_id}`.
        approval_rules,
        approvals,
        audit,
        senders,
        sender_rules,
        refusals,
        notes,
        attachments,
        bookmarks,
        field_values,
        custom_fields,
        tags,
        views,
        static_files,
    ):
        router.include_router(room.router)
    return router
