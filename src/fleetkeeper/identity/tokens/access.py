"""Who may see and revoke everybody's tokens."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

TokensRead = Annotated[Actor, Depends(require(Permission.TOKENS_READ))]
TokensWrite = Annotated[Actor, Depends(require(Permission.TOKENS_WRITE))]
