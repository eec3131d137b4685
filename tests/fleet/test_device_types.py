"""What kind of device a machine is, by its own account."""

import itertools

import pytest

from fleetkeeper.fleet.device_types import device_type_of
from fleetkeeper.simulation.catalog import KINDS
from fleetkeeper_protocol.messages import Inventory


class TestDeviceType:
    @pytest.mark.parametrize(
        ("system", "model", "virtualization", "kind"),
        [
            ("Debian GNU/Linux", "PowerEdge R650", None, "server"),
            ("Ubuntu", "OptiPlex 7020", None, "workstation"),
            ("Microsoft Windows 11 Pro", "", None, "workstation"),
            ("Windows Server 2025", "ProLiant DL360", None, "server"),
            ("TrueNAS SCALE", "SSG-6029P-E1CR12L", None, "storage"),
            ("OpenWrt", "Compute Module 4 Rev 1.1", None, "network_device"),
            ("VyOS", "", "kvm", "vm"),
            ("Ubuntu", "ThinkPad T14", "docker", "container"),
            ("Debian GNU/Linux", "Precision Instruments PI-9", None, "server"),
        ],
    )
    def test_by_system_and_model(self, system, model, virtualization, kind):
        inventory = Inventory(
            hostname="x", os_name=system, model=model or None, virtualization=virtualization
        )
        assert device_type_of(inventory) == kind

    def test_simulated_machines_are_what_they_play(self):
        for kind in KINDS:
            for (name, version, _), (manufacturer, model) in itertools.product(kind.systems, kind.models):
                inventory = Inventory(
                    hostname="x",
                    os_name=name,
                    os_version=version,
                    manufacturer=manufacturer,
                    model=model,
                    virtualization=kind.virtualization,
                )
                assert device_type_of(inventory) == kind.device_type, (name, model)
