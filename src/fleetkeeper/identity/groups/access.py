"""Who may call the doors of groups."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

GroupsRead = Annotated[Actor, Depends(require(Permission.GROUPS_READ))]
GroupsWrite = Annotated[Actor, Depends(require(Permission.GROUPS_WRITE))]
