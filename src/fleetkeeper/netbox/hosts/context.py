"""The context data of a device: any JSON object, which Ansible reads as variables."""

import math
from collections.abc import Mapping
from typing import Any

from fleetkeeper.kit.text import is_storable
from fleetkeeper.netbox.protocol.body import Body

DEEPEST = 20
FIELD = "local_context_data"


def context_in(body: Body) -> Any:
    """What a body says of it; None for nothing."""
    told = body.raw(FIELD)
    if told is None:
        return None
    if not isinstance(told, dict):
        body.refuse(FIELD, 'Must be an object such as {"key": "value"}, or null.')
    elif not _is_kept(told):
        body.refuse(
            FIELD, f"Must be at most {DEEPEST} levels deep, with texts without NUL and finite numbers."
        )
    else:
        return told
    return None


def _is_kept(value: Any) -> bool:
    """Whether the database can store a JSON value."""
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        if depth > DEEPEST:
            return False
        if isinstance(one, str) and not is_storable(one):
            return False
        if isinstance(one, float) and not math.isfinite(one):
            return False
        if isinstance(one, Mapping):
            waiting += [(part, depth + 1) for pair in one.items() for part in pair]
        elif isinstance(one, list):
            waiting += [(part, depth + 1) for part in one]
    return True
