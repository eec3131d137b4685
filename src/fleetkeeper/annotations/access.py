"""Who may call the doors of this room."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

FieldsRead = Annotated[Actor, Depends(require(Permission.FIELDS_READ))]
FieldsReveal = Annotated[Actor, Depends(require(Permission.FIELDS_REVEAL))]
FieldsWrite = Annotated[Actor, Depends(require(Permission.FIELDS_WRITE))]
TagsRead = Annotated[Actor, Depends(require(Permission.TAGS_READ))]
TagsWrite = Annotated[Actor, Depends(require(Permission.TAGS_WRITE))]
