"""Objects made through the API of NetBox, as tests need them."""

from typing import Any

import httpx

API = "/netbox/api"


async def make(client: httpx.AsyncClient, path: str, **fields: Any) -> dict[str, Any]:
    """Make an object of a kind; returns what is told of it."""
    answer = await client.post(f"{API}/{path}/", json=fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def names(client: httpx.AsyncClient, path: str, **filters: Any) -> list[str]:
    """What a list shows, by what each is displayed as."""
    answer = await client.get(f"{API}/{path}/", params=filters)
    assert answer.status_code == 200, answer.text
    return [one["display"] for one in answer.json()["results"]]


async def make_connected(client: httpx.AsyncClient, name: str, address: str, **more: Any) -> dict[str, Any]:
    """A device with an interface and an address on it; returns the three by their kinds."""
    device = await make(client, "dcim/devices", name=name, **more)
    interface = await make(
        client,
        "dcim/interfaces",
        device=device["id"],
        name="eth0",
        type="1000base-t",
        mac_address="02:00:00:00:00:01",
    )
    own = {"assigned_object_type": "dcim.interface", "assigned_object_id": interface["id"]}
    assigned = await make(client, "ipam/ip-addresses", address=address, **own)
    return {"device": device, "interface": interface, "address": assigned}
