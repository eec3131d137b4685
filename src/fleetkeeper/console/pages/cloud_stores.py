"""`/cloud-stores`: where files of device requests are copied to."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cloud_files.stores.schemas import CloudStoreRead, Provider, StoreCheck
from fleetkeeper.cloud_files.stores.service import stores
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts, Option, Tag
from fleetkeeper.console.details import Panels
from fleetkeeper.console.forms.form import Widget
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Options, Pairs, departments
from fleetkeeper.console.panels import show_page
from fleetkeeper.console.records import record_pages
from fleetkeeper.console.request_list import HOME as REQUESTS_HOME
from fleetkeeper.database.request_session import Session
from fleetkeeper.device_requests.access import RequestsWrite
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

HOME = "/cloud-stores"
declare(
    Place(
        HOME,
        "Cloud stores",
        "database",
        Permission.REQUESTS_READ,
        parent=REQUESTS_HOME,
        order=16,
        words="sharepoint google drive s3 bucket folder credentials storage",
    )
)
_HINTS = {
    Provider.LOCAL: "A folder of this server",
    Provider.S3: "Amazon S3, MinIO and others",
    Provider.SHAREPOINT: "A document library, by Microsoft Graph",
    Provider.GOOGLE_DRIVE: "A folder that is shared with a service account",
}
_S3, _SHAREPOINT = "provider=s3", "provider=sharepoint"
_APIS = "provider=sharepoint provider=google-drive"

PAGE: ListPage[CloudStoreRead] = ListPage(
    path=HOME,
    title="Cloud stores",
    noun=stores.noun,
    listing=stores.listing,
    search="Name",
    quick=(
        QuickFilter("provider", "Provider", tuple(Choice(one, one.label) for one in Provider), is_chips=True),
    ),
    columns=(
        Column("name", "Name", lambda one: Cell(one.name, f"{HOME}/{one.id}"), sort="name"),
        Column("provider", "Provider", lambda one: Cell(one.provider.label), sort="provider"),
        Column("folder", "Folder", lambda one: Cell(_where(one))),
        Column("is_active", "Active", lambda one: Cell("Yes" if one.is_active else "No"), sort="is_active"),
    ),
    titles={"id": "ID", "department_id": "Department ID", "created_at": "Created"},
    empty=Empty("No cloud stores yet", "A cloud store says where files of device requests are copied to."),
    export="/api/v1/cloud-stores/export",
    text="A file goes to a store of its department or the nearest one above, and to a local folder last.",
)


def _where(one: CloudStoreRead) -> str:
    return "/".join(part for part in (one.bucket, one.folder) if part)


def _facts(one: CloudStoreRead) -> Pairs:
    pairs = [
        ("Provider", one.provider.label),
        ("Active", "Yes" if one.is_active else "No"),
        ("Folder", one.folder),
        ("Bucket", one.bucket),
        ("Endpoint", one.endpoint),
        ("Region", one.region),
        ("Document library", one.drive_id),
        ("Tenant", one.tenant_id),
        ("Client ID", one.client_id),
        ("API URL", one.api_url),
        ("Sign-in URL", one.login_url),
    ]
    if one.provider != Provider.LOCAL:
        pairs.append(("Credential", "Stored, sealed" if one.has_secret else "Missing"))
    return [(label, Cell(text)) for label, text in pairs if text]


async def _options(session: AsyncSession, actor: Actor) -> Options:
    return {
        **await departments(Permission.REQUESTS_WRITE)(session, actor),
        "provider": [Option(one, one.label, hint=_HINTS[one]) for one in Provider],
    }


async def _check_form(session: AsyncSession, actor: Actor, one: CloudStoreRead, may_write: bool) -> Panels:
    del session, actor
    return [_checking(one.id)] if may_write else []


def _checking(store_id: UUID) -> EntryForm:
    return EntryForm(
        "check",
        "Check connection",
        f"{HOME}/{store_id}/check",
        "Check connection",
        text="Signs in and looks into the folder. Nothing is changed there.",
        is_open=True,
    )


router = APIRouter()


@router.post(f"{HOME}/{{key}}/check")
async def check_store(request: Request, key: UUID, actor: RequestsWrite, session: Session) -> Response:
    """Try the connection, and show how it went."""
    del request
    outcome = await stores.check_connection(session, actor, key)
    found = await stores.get(session, actor, key)
    crumbs = ((HOME, PAGE.title), (f"{HOME}/{key}", found.name))
    return show_page(
        actor, HOME, "Check connection", [_outcome_facts(found, outcome), _checking(key)], crumbs=crumbs
    )


def _outcome_facts(one: CloudStoreRead, outcome: StoreCheck) -> Facts:
    tag = Tag("Works", "good") if outcome.works else Tag("Does not work", "bad")
    facts = (
        ("Store", Cell(one.name, f"{HOME}/{one.id}")),
        ("Connection", Cell(tags=(tag,))),
        ("Detail", Cell(outcome.detail)),
    )
    return Facts("outcome", "Connection", facts)


router.include_router(
    record_pages(
        stores,
        PAGE,
        {
            "name": "Name",
            "provider": Widget("Provider", kind="choice"),
            "department_id": Widget("Department", hint="Files of this department and those below it"),
            "folder": Widget(
                "Folder",
                hint="Such as fleet/requests; for Google Drive the ID at the end of the folder's address",
                is_required=False,
            ),
            "bucket": Widget("Bucket", only_if=_S3, is_required=False),
            "endpoint": Widget("Endpoint", hint="Empty for Amazon S3", only_if=_S3, is_required=False),
            "region": Widget("Region", hint="Such as eu-central-1", only_if=_S3, is_required=False),
            "tenant_id": Widget("Tenant", hint="Of Microsoft Entra", only_if=_SHAREPOINT, is_required=False),
            "drive_id": Widget(
                "Document library", hint="Its drive ID", only_if=_SHAREPOINT, is_required=False
            ),
            "client_id": Widget(
                "Client ID",
                hint="Access key ID, or application (client) ID",
                only_if=f"{_S3} {_SHAREPOINT}",
                is_required=False,
            ),
            "secret": Widget(
                "Credential",
                hint="Secret access key, client secret, or the service account's JSON key file; empty keeps the one "
                "that is stored",
                kind="password",
                only_if=f"{_S3} {_APIS}",
                is_required=False,
                autocomplete="new-password",
            ),
            "api_url": Widget("API URL", hint="Only for national clouds", only_if=_APIS, is_required=False),
            "login_url": Widget(
                "Sign-in URL", hint="Only for national clouds", only_if=_APIS, is_required=False
            ),
            "is_active": Widget("Active", hint="Others take new files; what waits for this one waits on"),
        },
        facts=_facts,
        options=_options,
        more=_check_form,
        deletion="Only a store without files can be deleted.",
    )
)
