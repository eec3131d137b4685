"""The SQL of handlers."""

from datetime import datetime
from uuid import UUID

from fleetkeeper.device_requests.handlers.schemas import HandlerKind
from fleetkeeper.device_requests.models import RequestHandler
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(RequestHandler.id.expression, UUID, sortable=False),
        "name": Field(RequestHandler.name.expression, str),
        "kind": Field(RequestHandler.kind.expression, str, choices=tuple(HandlerKind)),
        "enabled": Field(RequestHandler.enabled.expression, bool),
        "department_id": Field(RequestHandler.department_id.expression, UUID, sortable=False),
        "created_at": Field(RequestHandler.created_at.expression, datetime),
    },
    search=(RequestHandler.name.expression,),
    key=RequestHandler.id.expression,
    default_ordering="name",
)
