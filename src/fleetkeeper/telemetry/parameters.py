"""Devices as the parameters of addresses give them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BeforeValidator


def _read_devices(value: object) -> object:
    texts = value if isinstance(value, list) else [value]
    try:
        ids = [UUID(part) for text in texts for part in str(text).split(",") if part]
    except ValueError:
        raise ValueError("Must be the UUID of a device") from None
    return list(dict.fromkeys(ids))


_Devices = Annotated[list[UUID], BeforeValidator(_read_devices)]
DeviceId = Annotated[UUID, Query(alias="device", description="UUID of a device")]
MaybeDeviceId = Annotated[UUID | None, Query(alias="device", description="UUID of a device; default: all")]
DeviceIds = Annotated[
    _Devices, Query(alias="device", description="UUIDs of devices, apart or separated by commas")
]
MaybeDeviceIds = Annotated[
    _Devices | None,
    Query(alias="device", description="UUIDs of devices, apart or separated by commas; default: all"),
]
