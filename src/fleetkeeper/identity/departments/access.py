"""Who may call the doors of departments."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

DepartmentsRead = Annotated[Actor, Depends(require(Permission.DEPARTMENTS_READ))]
DepartmentsWrite = Annotated[Actor, Depends(require(Permission.DEPARTMENTS_WRITE))]
