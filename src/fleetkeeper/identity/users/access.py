"""Who may call the doors of users and their memberships."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

MembershipsWrite = Annotated[Actor, Depends(require(Permission.MEMBERSHIPS_WRITE))]
UsersRead = Annotated[Actor, Depends(require(Permission.USERS_READ))]
UsersWrite = Annotated[Actor, Depends(require(Permission.USERS_WRITE))]
