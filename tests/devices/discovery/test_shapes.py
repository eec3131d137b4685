"""How a device is told to Prometheus and to Ansible. Pure."""

from uuid import UUID

import pytest

from fleetkeeper.devices.discovery.ansible import group_name, groups_of, inventory, variables_of
from fleetkeeper.devices.discovery.found import FoundDevice
from fleetkeeper.devices.discovery.http_sd import labels_of, target_groups

TEXTS = (
    "hostname", "fqdn", "department", "location", "os_name", "os_version", "manufacturer", "model", "serial_number",
    "asset_tag", "owner", "primary_address",
)  # fmt: skip


def device(number: int = 1, **known) -> FoundDevice:
    values = {
        "id": UUID(int=number),
        "name": "web-1",
        "device_type": "server",
        "status": "online",
        "lifecycle": "active",
        "tags": [],
        "custom_fields": {},
        "addresses": [],
        **dict.fromkeys(TEXTS, ""),
    }
    return FoundDevice(**values | known)


class TestReached:
    @pytest.mark.parametrize(
        ("preference", "known", "expected"),
        [
            ("address", {"primary_address": "192.0.2.1", "fqdn": "a.example.com"}, "192.0.2.1:9100"),
            ("address", {"fqdn": "a.example.com", "hostname": "a"}, "a.example.com:9100"),
            ("address", {"hostname": "a"}, "a:9100"),
            ("fqdn", {"primary_address": "192.0.2.1", "fqdn": "a.example.com"}, "a.example.com:9100"),
            ("hostname", {"primary_address": "2001:db8::1"}, "[2001:db8::1]:9100"),
        ],
    )
    def test_preference(self, preference, known, expected):
        (group,) = target_groups([device(**known)], port=9100, address=preference)
        assert group["targets"] == [expected]

    def test_what_has_no_address_is_no_target(self):
        assert target_groups([device()], port=9100, address="address") == []
        assert "ansible_host" not in variables_of(device(), address="address")


class TestLabels:
    def test_several_values_stand_between_commas(self):
        told = labels_of(device(tags=["db", "web"], addresses=["192.0.2.1", "2001:db8::1"]))
        assert told["__meta_fleetkeeper_tags"] == ",db,web,"
        assert told["__meta_fleetkeeper_addresses"] == ",192.0.2.1,2001:db8::1,"

    def test_what_is_unknown_is_left_out(self):
        assert set(labels_of(device())) == {
            f"__meta_fleetkeeper_{name}" for name in ("id", "name", "type", "status", "lifecycle")
        }

    def test_custom_fields(self):
        told = labels_of(device(custom_fields={"rent": 12, "is_leased": True, "since": "2026-11-29"}))
        fields = {name: value for name, value in told.items() if "_field_" in name}
        assert fields == {
            "__meta_fleetkeeper_field_rent": "12",
            "__meta_fleetkeeper_field_is_leased": "true",
            "__meta_fleetkeeper_field_since": "2026-11-29",
        }


class TestGroups:
    def test_departments_and_locations_with_those_above(self):
        told = device(department="Company/North", location="Berlin/Room 1", tags=["web"], os_name="Debian 13")
        found = groups_of(told)
        assert found == [
            "type_server", "status_online", "lifecycle_active", "os_debian_13", "department_company",
            "department_company_north", "location_berlin", "location_berlin_room_1", "tag_web",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("text", "name"), [("Ünï", "tag_n"), ("a-b c", "tag_a_b_c"), ("{{ x }}", "tag_x"), ("--", "tag_")]
    )
    def test_names(self, text, name):
        assert group_name("tag", text) == name

    def test_namesakes_stay_apart(self):
        told = inventory([device(1), device(2), device(3, name="all")], address="address")
        assert set(told["_meta"]["hostvars"]) == {"web-1_00000001", "web-1_00000002", "all_00000003"}
        assert told["type_server"]["hosts"] == told["all"]["hosts"]


class TestHostile:
    """A machine says `{{ lookup('pipe', …) }}`, and nobody must run it."""

    def test_templates_are_marked(self):
        evil = "{{ lookup('pipe', 'id') }}"
        told = variables_of(
            device(os_name=evil, hostname=evil, tags=["{% x %}"], custom_fields={"a": "{# x #}"}),
            address="hostname",
        )
        assert told["fleetkeeper_os_name"] == {"__ansible_unsafe": evil}
        assert told["ansible_host"] == {"__ansible_unsafe": evil}
        assert told["fleetkeeper_tags"] == [{"__ansible_unsafe": "{% x %}"}]
        assert told["fleetkeeper_custom_fields"] == {"a": {"__ansible_unsafe": "{# x #}"}}
        assert told["fleetkeeper_name"] == "web-1"

    def test_names_of_hosts_hold_no_template_and_no_range(self):
        told = inventory([device(name="{{ x }}"), device(2, name="a[1:3]:22")], address="address")
        assert told["all"]["hosts"] == ["_x_", "a_1_3_22"]
