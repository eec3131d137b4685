"""`dcim/devices` and `virtualization/virtual-machines`."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Select

from fleetkeeper.annotations.fields.queries import values_of
from fleetkeeper.annotations.tags.queries import slugs_of
from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.devices.deleting import ask_for_deletion, ask_for_deletions
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import machines, visible_to
from fleetkeeper.errors import ForbiddenError
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.bulk import Selection
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.netbox.hosts import filters as host_filters
from fleetkeeper.netbox.hosts.status_words import STATUSES
from fleetkeeper.netbox.hosts.telling import tell_hosts
from fleetkeeper.netbox.hosts.writing import create_host, update_host
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.kind import BulkError, Told
from fleetkeeper.netbox.protocol.rows import Rows

ORDERINGS: Mapping[str, ColumnElement[Any]] = {
    "id": Device.number.expression,
    "name": Device.name.expression,
    "serial": Device.serial_number.expression,
    "asset_tag": Device.asset_tag.expression,
    "created": Device.created_at.expression,
    "last_updated": Device.updated_at.expression,
    "status": Device.lifecycle.expression,
}


class Hosts(Rows):
    """What devices and virtual machines have in common."""

    delete_with = Permission.DEVICES_DELETE
    is_virtual: ClassVar[bool]
    known: ClassVar[Mapping[str, host_filters.Make]]
    brief: ClassVar = ("id", "url", "display", "name", "description")
    choices: ClassVar = {"status": STATUSES}
    table: ClassVar = Device
    orderings: ClassVar = ORDERINGS

    def filters(self) -> Collection[str]:
        """The names of its filters."""
        return (*host_filters.TEXTS, *host_filters.NUMBERS, *self.known)

    def visible(self, asked: Asked) -> Select[Any]:
        """Those that the caller may see; the product's own and containers are none that NetBox knows."""
        statement = machines(visible_to(asked.actor))
        if self.is_virtual:
            return statement.where(Device.device_type == "vm")
        return statement.where(Device.device_type.not_in(("vm", "container")))

    async def conditions(
        self, asked: Asked, filters: Mapping[str, Sequence[str]]
    ) -> list[ColumnElement[bool]]:
        """What a list is filtered by."""
        return await host_filters.conditions(asked, self.known, filters)

    async def create(self, asked: Asked, data: Any) -> Told:
        """Enter one."""
        number = await create_host(asked, data, is_virtual=self.is_virtual, told=self.told_only())
        return await self.anew(asked, number)

    async def change(self, asked: Asked, number: int, data: Any) -> Told:
        """Change one."""
        row = await self.row(asked, number)
        await update_host(asked, row, data, is_virtual=self.is_virtual, told=self.told_only())
        return await self.anew(asked, number)

    async def delete(self, asked: Asked, number: int) -> ApprovalRead | None:
        """Delete one with its telemetry, or ask for approval."""
        return await ask_for_deletion(
            asked.session, asked.actor, (await self.row(asked, number)).id, asked.reason
        )

    async def delete_many(self, asked: Asked, numbers: Sequence[int]) -> Sequence[str]:
        """Delete several. All of them count for an approval rule, as they do elsewhere."""
        found = await asked.session.execute(
            self.visible(asked)
            .with_only_columns(Device.number, Device.id, maintain_column_froms=True)
            .where(Device.number.in_(numbers))
        )
        keys = {row.number: row.id for row in found}
        for position, number in enumerate(numbers):
            if number not in keys:
                raise BulkError(position, self.missing())
        outcome = await ask_for_deletions(
            asked.session,
            asked.actor,
            Selection(ids=list(keys.values())),
            asked.reason,
            dry_run=False,
            stale_before=utc_now(),
        )
        refused = next((one for one in outcome.results if one.outcome == "refused"), None)
        if refused is not None:
            position = next(at for at, number in enumerate(numbers) if keys[number] == refused.id)
            raise BulkError(position, ForbiddenError(f"{refused.detail}."))
        return [one.name for one in outcome.results if one.outcome == "held"]

    @staticmethod
    def told_only() -> Collection[str]:
        """What is told and cannot be written; who sends it back means nothing by it."""
        return (
            "url", "display", "display_url", "created", "last_updated", "primary_ip", "config_context", "parent_device",
            "console_port_count", "console_server_port_count", "power_port_count", "power_outlet_count",
            "interface_count", "front_port_count", "rear_port_count", "device_bay_count", "module_bay_count",
            "inventory_item_count", "virtual_disk_count",
        )  # fmt: skip

    async def tell(self, asked: Asked, chosen: Select[Any]) -> list[Told]:
        """As NetBox tells of them."""
        key = Device.id.expression
        tags, values = slugs_of("devices", key), values_of(asked.actor, "devices", key)
        rows = (await asked.session.execute(chosen.add_columns(tags, values))).all()
        return await tell_hosts(asked, rows, path=self.path, is_virtual=self.is_virtual)


class Devices(Hosts):
    """Machines that can be touched."""

    path = "dcim/devices"
    model = "dcim.device"
    noun = "Device"
    is_virtual = False
    known = host_filters.OF_DEVICES
    required: ClassVar = ("name",)
    written: ClassVar = (
        "name", "device_type", "role", "tenant", "platform", "serial", "asset_tag", "site", "location", "status",
        "primary_ip4", "primary_ip6", "description", "comments", "local_context_data", "tags", "custom_fields",
    )  # fmt: skip


class VirtualMachines(Hosts):
    """Machines that run on others."""

    path = "virtualization/virtual-machines"
    model = "virtualization.virtualmachine"
    noun = "Virtual machine"
    is_virtual = True
    known = host_filters.OF_MACHINES
    written: ClassVar = (
        "name", "status", "site", "cluster", "device", "serial", "role", "tenant", "platform", "primary_ip4",
        "primary_ip6", "vcpus", "memory", "disk", "description", "comments", "local_context_data", "tags",
        "custom_fields",
    )  # fmt: skip


DEVICES = Devices()
VIRTUAL_MACHINES = VirtualMachines()
