"""What the API says of itself: choices of fields, and a description of its lists in OpenAPI's terms."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from fleetkeeper.netbox.protocol.answers import VERSION
from fleetkeeper.netbox.protocol.asked import BASE
from fleetkeeper.netbox.protocol.kind import Kind

_PAGING = ("limit", "offset", "ordering", "brief", "fields", "exclude", "omit")
_LOOKUPS = ("n", "ic", "nic", "isw", "nisw", "iew", "niew", "ie", "nie", "empty", "lt", "lte", "gt", "gte")
_ABBREVIATED = frozenset({"q"})


def options_of(kind: Kind) -> dict[str, Any]:
    """What may be written of a kind, with the choices of its fields."""
    fields: dict[str, Any] = {}
    for name in kind.written:
        field: dict[str, Any] = {
            "type": "field",
            "required": name in kind.required,
            "read_only": False,
            "label": name.replace("_", " ").capitalize(),
        }
        if name in kind.choices:
            field["type"] = "choice"
            field["choices"] = [
                {"value": value, "display_name": label} for value, label in kind.choices[name].items()
            ]
        fields[name] = field
    return {
        "name": f"{kind.noun} List",
        "description": "",
        "renders": ["application/json"],
        "parses": ["application/json"],
        "actions": {"POST": fields},
    }


@cache
def schema(kinds: tuple[Kind, ...]) -> bytes:
    """A description that clients check filters against, as JSON: anybody may ask for it, so it is made once.

    Each path stands there as it is here and as NetBox has it at its root, since clients look for either.
    """
    paths: dict[str, Any] = {}
    for kind in kinds:
        methods = {"get": _operation(kind, "list", _parameters(kind))}
        if kind.write is not None:
            methods |= {method: _operation(kind, method) for method in ("post", "put", "patch", "delete")}
        for base in (BASE, "/api"):
            paths[f"{base}/{kind.path}/"] = methods
    info = {"title": "NetBox REST API", "version": f"{VERSION}.0"}
    return msgspec.json.encode({"openapi": "3.0.3", "info": info, "paths": paths})


def _operation(kind: Kind, method: str, parameters: Iterable[Any] = ()) -> dict[str, Any]:
    app, _, name = kind.path.partition("/")
    return {
        "operationId": f"{app}_{name.replace('-', '_')}_{method}",
        "tags": [app],
        "parameters": list(parameters),
        "responses": {"200": {"description": ""}},
    }


def _parameters(kind: Kind) -> list[dict[str, Any]]:
    names = [*_PAGING]
    for name in kind.filters():
        names.append(name)
        if name not in _ABBREVIATED:
            names += [f"{name}__{lookup}" for lookup in _LOOKUPS]
    return [{"in": "query", "name": name, "schema": {"type": "string"}} for name in names]
