"""Scripts written for NetBox run here with only the address changed: pynetbox itself does the asking."""

import uuid

import pynetbox
import pytest


@pytest.fixture(scope="module")
def token(installation):
    if installation.process is None:
        installation.start()
    return installation.api_token()


@pytest.fixture
def netbox(product, token):
    api = pynetbox.api(f"{product.url}/netbox", token=token)
    yield api
    api.http_session.close()


@pytest.fixture
def unique():
    """A beginning of names that no other test has."""
    return f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def site(netbox, unique):
    return netbox.dcim.sites.create(name=f"{unique} Berlin", slug=f"{unique}-ber")


@pytest.fixture
def device_type(netbox, unique):
    maker = netbox.dcim.manufacturers.create(name=f"{unique} Dell", slug=f"{unique}-dell")
    return netbox.dcim.device_types.create(manufacturer=maker.id, model="R640", slug=f"{unique}-r640")


@pytest.fixture
def device(netbox, unique, site, device_type):
    role = netbox.dcim.device_roles.get(slug="server")
    return netbox.dcim.devices.create(
        name=f"{unique}-1", site=site.id, device_type=device_type.id, role=role.id, serial="ABC123"
    )


@pytest.fixture
def interface(netbox, device):
    return netbox.dcim.interfaces.create(
        device=device.id, name="eth0", type="1000base-t", mac_address="52:54:00:12:34:56"
    )


class TestApi:
    def test_version_and_status(self, netbox):
        assert netbox.version == "4.4"
        assert netbox.status()["netbox-version"].startswith("4.4")

    def test_wrong_token_is_refused_as_netbox_does(self, product):
        stranger = pynetbox.api(f"{product.url}/netbox", token="fkt_wrong")
        with pytest.raises(pynetbox.RequestError, match="403"):
            list(stranger.dcim.devices.all())
        stranger.http_session.close()

    def test_choices(self, netbox):
        choices = netbox.dcim.devices.choices()
        assert {"value": "active", "display_name": "Active"} in choices["status"]
        assert "1000base-t" in {one["value"] for one in netbox.dcim.interfaces.choices()["type"]}
        assert {one["value"] for one in netbox.extras.custom_fields.choices()["type"]} >= {"text", "date"}

    def test_strict_filters(self, product, token):
        strict = pynetbox.api(f"{product.url}/netbox", token=token, strict_filters=True)
        assert list(strict.dcim.devices.filter(name="none", site__n=[])) == []
        with pytest.raises(pynetbox.ParameterValidationError):
            strict.dcim.devices.filter(colour="blue")
        strict.http_session.close()

    def test_unknown_filter_is_refused(self, netbox):
        with pytest.raises(pynetbox.RequestError, match="Unknown filter field"):
            list(netbox.dcim.devices.filter(colour="blue"))

    def test_kinds_that_only_netbox_has_are_empty(self, netbox):
        assert list(netbox.dcim.racks.all()) == []
        assert netbox.ipam.prefixes.count() == 0
        assert netbox.dcim.racks.get(1) is None


class TestSites:
    def test_life_of_a_site(self, netbox, unique):
        made = netbox.dcim.sites.create(
            name=f"{unique} A", slug=f"{unique}-a", description="First", status="active"
        )
        assert (made.name, made.slug, made.status.value) == (f"{unique} A", f"{unique}-a", "active")
        found = netbox.dcim.sites.get(slug=f"{unique}-a")
        assert found.id == made.id
        found.description = "Second"
        assert found.save()
        assert netbox.dcim.sites.get(made.id).description == "Second"
        assert [one.id for one in netbox.dcim.sites.filter(unique)] == [made.id]
        assert [one.id for one in netbox.dcim.sites.filter(name__ic=unique.upper())] == [made.id]
        assert found.delete()
        assert netbox.dcim.sites.get(made.id) is None

    def test_location_in_a_site(self, netbox, unique, site):
        room = netbox.dcim.locations.create(name="Room 1", slug=f"{unique}-r1", site=site.id)
        rack = netbox.dcim.locations.create(name="Row", slug=f"{unique}-row", site=site.id, parent=room.id)
        assert rack.parent.id == room.id
        assert {one.id for one in netbox.dcim.locations.filter(site=site.slug)} == {room.id, rack.id}
        assert [one.id for one in netbox.dcim.locations.filter(parent_id=room.id)] == [rack.id]

    def test_slug_that_is_taken(self, netbox, unique, site):
        with pytest.raises(pynetbox.RequestError) as error:
            netbox.dcim.sites.create(name=f"{unique} other", slug=site.slug)
        assert '"slug"' in error.value.error


class TestDevices:
    def test_what_was_created_is_told(self, netbox, unique, device, site, device_type):
        found = netbox.dcim.devices.get(name=f"{unique}-1")
        assert found.id == device.id
        assert (found.serial, found.status.value, found.role.slug) == ("ABC123", "active", "server")
        assert (found.site.slug, found.device_type.model) == (site.slug, "R640")
        assert found.device_type.manufacturer.slug == f"{unique}-dell"
        assert found.device_type.id == device_type.id

    @pytest.mark.parametrize(
        "filters",
        [
            {"name": "{0}-1"},
            {"name__ic": "{0}"},
            {"name__isw": "{0}-"},
            {"site": "{0}-ber"},
            {"manufacturer": "{0}-dell"},
            {"device_type": "{0}-r640"},
            {"q": "{0}"},
            {"name": ["{0}-1", "nothing"]},
            {"name__ic": "{0}", "status": "active", "role": "server", "has_primary_ip": False},
            {"name__ic": "{0}", "serial": "ABC123", "tenant": "null", "platform": "null"},
            {"name__ic": "{0}", "status__n": "offline", "name__n": "{0}-2", "role__n": "vehicle"},
        ],
    )
    def test_filters(self, netbox, unique, device, filters):
        def filled(value):
            if isinstance(value, list):
                return [filled(one) for one in value]
            return value.format(unique) if isinstance(value, str) else value

        wanted = {name: filled(value) for name, value in filters.items()}
        assert [one.id for one in netbox.dcim.devices.filter(**wanted)] == [device.id]

    def test_filters_that_find_nothing(self, netbox, unique, device):
        for filters in (
            {"status": "offline"},
            {"role": "vehicle"},
            {"has_primary_ip": True},
            {"serial": "x"},
        ):
            assert list(netbox.dcim.devices.filter(name__ic=unique, **filters)) == []

    def test_choice_that_does_not_exist_is_refused(self, netbox):
        for filters in ({"site": "atlantis"}, {"status": "lost"}, {"tag": "none"}, {"role_id": 5}):
            with pytest.raises(pynetbox.RequestError, match="not one of the available choices"):
                list(netbox.dcim.devices.filter(**filters))

    def test_update_by_attributes(self, netbox, device):
        device.serial = "XYZ"
        device.status = "planned"
        device.comments = "# Bought used"
        device.local_context_data = {"ntp": ["192.0.2.1"]}
        assert device.save()
        found = netbox.dcim.devices.get(device.id)
        assert (found.serial, found.status.value, found.comments) == ("XYZ", "planned", "# Bought used")
        assert found.config_context == {"ntp": ["192.0.2.1"]}
        assert [one.id for one in netbox.dcim.devices.filter(status="planned", id=device.id)] == [device.id]
        assert list(netbox.dcim.devices.filter(status="offline", id=device.id)) == []
        assert not found.save()

    def test_update_by_dict_and_full_save(self, netbox, device, unique):
        assert device.update({"name": f"{unique}-new", "asset_tag": "A-1", "description": "Rack 4"})
        found = netbox.dcim.devices.get(device.id)
        assert (found.name, found.asset_tag, found.description) == (f"{unique}-new", "A-1", "Rack 4")
        assert found.update({"asset_tag": None, "description": ""})
        assert netbox.dcim.devices.get(device.id).asset_tag is None

    def test_platform_and_role_that_were_registered(self, netbox, device, unique):
        platform = netbox.dcim.platforms.create(name=f"{unique} IOS", slug=f"{unique}-ios")
        role = netbox.dcim.device_roles.create(name=f"{unique} Leaf", slug=f"{unique}-leaf", color="ff0000")
        assert device.update({"platform": platform.id, "role": role.id})
        found = netbox.dcim.devices.get(platform=f"{unique}-ios", role=f"{unique}-leaf")
        assert found.id == device.id
        assert (found.platform.id, found.role.id) == (platform.id, role.id)
        with pytest.raises(pynetbox.RequestError, match="409"):
            platform.delete()

    def test_tags_and_custom_fields(self, netbox, device, unique):
        tag = netbox.extras.tags.create(name=f"{unique} web", slug=f"{unique}-web", color="f44336")
        other = netbox.extras.tags.create(name=f"{unique} db", slug=f"{unique}-db")
        field = netbox.extras.custom_fields.create(
            name=f"{unique}_rent", label="Rent", type="integer", object_types=["dcim.device"]
        )
        device.tags = [tag.id, {"slug": other.slug}]
        device.custom_fields = {field.name: 12}
        assert device.save()
        found = netbox.dcim.devices.get(tag=[tag.slug, other.slug])
        assert sorted(one.slug for one in found.tags) == sorted([tag.slug, other.slug])
        assert found.custom_fields[field.name] == 12
        assert [one.id for one in netbox.dcim.devices.filter(**{f"cf_{field.name}": 12})] == [device.id]
        assert list(netbox.dcim.devices.filter(**{f"cf_{field.name}": 13})) == []
        found.tags = [tag.id]
        assert found.save()
        assert [one.slug for one in netbox.dcim.devices.get(device.id).tags] == [tag.slug]
        assert netbox.extras.tags.get(slug=tag.slug).tagged_items == 1
        assert field.delete()

    def test_bulk(self, netbox, site, device_type, unique):
        made = netbox.dcim.devices.create(
            [
                {
                    "name": f"{unique}-b{number}",
                    "site": {"slug": site.slug},
                    "device_type": {"slug": device_type.slug},
                }
                for number in range(5)
            ]
        )
        assert len(made) == 5
        assert netbox.dcim.devices.count(name__isw=f"{unique}-b") == 5
        for one in made:
            one.status = "offline"
        assert len(netbox.dcim.devices.update(made)) == 5
        assert netbox.dcim.devices.count(name__isw=f"{unique}-b", status="offline") == 5
        paged = list(netbox.dcim.devices.filter(name__isw=f"{unique}-b", limit=2))
        assert [one.name for one in paged] == [f"{unique}-b{number}" for number in range(5)]
        assert [one.name for one in netbox.dcim.devices.filter(name__isw=f"{unique}-b", limit=2, offset=3)] == [
            f"{unique}-b3", f"{unique}-b4",
        ]  # fmt: skip
        assert netbox.dcim.devices.delete(made)
        assert netbox.dcim.devices.count(name__isw=f"{unique}-b") == 0

    def test_bulk_that_is_wrong_does_nothing(self, netbox, unique):
        with pytest.raises(pynetbox.RequestError) as error:
            netbox.dcim.devices.create([{"name": f"{unique}-x"}, {"name": f"{unique}-y", "site": 999_999}])
        assert error.value.req.status_code == 400
        first, second = error.value.req.json()
        assert (first, list(second)) == ({}, ["site"])
        assert netbox.dcim.devices.count(name__ic=unique) == 0

    def test_what_is_not_kept_is_refused_by_name(self, netbox, unique):
        with pytest.raises(pynetbox.RequestError) as error:
            netbox.dcim.devices.create(name=f"{unique}-x", rack=4, position=None, airflow="")
        assert list(error.value.req.json()) == ["rack"]

    def test_delete(self, netbox, device):
        assert device.delete()
        assert netbox.dcim.devices.get(device.id) is None

    def test_threads_page_alike(self, product, token, netbox, unique, site):
        netbox.dcim.devices.create(
            [{"name": f"{unique}-{number:02}", "site": site.id} for number in range(12)]
        )
        threaded = pynetbox.api(f"{product.url}/netbox", token=token, threading=True)
        names = sorted(one.name for one in threaded.dcim.devices.filter(name__ic=unique, limit=5))
        assert names == [f"{unique}-{number:02}" for number in range(12)]
        threaded.http_session.close()


class TestInterfaces:
    def test_interface_with_address(self, netbox, device, interface):
        assert interface.device.id == device.id
        assert (interface.type.value, interface.mac_address) == ("1000base-t", "52:54:00:12:34:56")
        address = netbox.ipam.ip_addresses.create(
            address="192.0.2.10/24",
            assigned_object_type="dcim.interface",
            assigned_object_id=interface.id,
            dns_name="host.example.com",
        )
        assert (address.family.value, str(address)) == (4, "192.0.2.10/24")
        assert address.assigned_object.id == interface.id
        device.primary_ip4 = address.id
        assert device.save()
        found = netbox.dcim.devices.get(has_primary_ip=True, id=device.id)
        assert found.primary_ip.address == "192.0.2.10/24"
        assert netbox.dcim.interfaces.get(interface.id).count_ipaddresses == 1
        for filters in (
            {"address": "192.0.2.10"},
            {"device": device.name},
            {"interface_id": interface.id},
            {"parent": "192.0.2.0/24"},
            {"dns_name__ic": "example"},
        ):
            found = netbox.ipam.ip_addresses.filter(device_id=device.id, **filters)
            assert [one.id for one in found] == [address.id], filters
        found = netbox.dcim.devices.filter(mac_address="52-54-00-12-34-56", id=device.id)
        assert [one.id for one in found] == [device.id]
        device.primary_ip4 = None
        assert device.save()
        assert netbox.dcim.devices.get(device.id).primary_ip is None
        assert address.delete()

    def test_change_interface(self, netbox, interface):
        interface.enabled = False
        interface.description = "Uplink"
        interface.mtu = 9000
        interface.speed = 10_000_000
        assert interface.save()
        found = netbox.dcim.interfaces.get(interface.id)
        assert (found.enabled, found.description, found.mtu, found.speed) == (
            False,
            "Uplink",
            9000,
            10_000_000,
        )
        assert [one.id for one in netbox.dcim.interfaces.filter(enabled=False, id=interface.id)] == [
            interface.id
        ]

    def test_address_without_interface_is_refused(self, netbox):
        with pytest.raises(pynetbox.RequestError, match="assigned_object_id"):
            netbox.ipam.ip_addresses.create(address="192.0.2.1/24")

    def test_mac_address_object(self, netbox, device):
        bare = netbox.dcim.interfaces.create(device=device.id, name="eth1", type="virtual")
        mac = netbox.dcim.mac_addresses.create(
            mac_address="02:00:00:00:00:01", assigned_object_type="dcim.interface", assigned_object_id=bare.id
        )
        assert bare.update({"primary_mac_address": mac.id}) in {True, False}
        assert netbox.dcim.interfaces.get(bare.id).mac_address == "02:00:00:00:00:01"
        assert [one.id for one in netbox.dcim.mac_addresses.filter(device_id=device.id)] == [mac.id]
        assert mac.delete()
        assert netbox.dcim.interfaces.get(bare.id).mac_address is None

    def test_same_name_twice_is_refused(self, netbox, device, interface):
        with pytest.raises(pynetbox.RequestError) as error:
            netbox.dcim.interfaces.create(device=device.id, name=interface.name, type="virtual")
        assert "name" in error.value.req.json()


class TestVirtualMachines:
    def test_life_of_a_machine(self, netbox, device, unique, site):
        vm = netbox.virtualization.virtual_machines.create(
            name=f"{unique}-vm",
            site=site.id,
            device=device.id,
            vcpus=4,
            memory=8192,
            disk=50_000,
            status="active",
        )
        assert (vm.vcpus, vm.memory, vm.disk) == (4.0, 8192, 50_000)
        assert (vm.cluster.name, vm.device.id) == (device.name, device.id)
        cluster = netbox.virtualization.clusters.get(name=device.name)
        assert (cluster.virtualmachine_count, cluster.type.slug) == (1, "host")
        found = netbox.virtualization.virtual_machines.filter(cluster_id=cluster.id)
        assert [one.id for one in found] == [vm.id]
        nic = netbox.virtualization.interfaces.create(virtual_machine=vm.id, name="ens3")
        address = netbox.ipam.ip_addresses.create(
            address="2001:db8::1/64",
            assigned_object_type="virtualization.vminterface",
            assigned_object_id=nic.id,
        )
        assert vm.update({"primary_ip6": address.id, "memory": 16384})
        found = netbox.virtualization.virtual_machines.get(vm.id)
        assert (found.primary_ip.address, found.memory, found.vcpus) == ("2001:db8::1/64", 16384, 4.0)
        assert list(netbox.dcim.devices.filter(name=f"{unique}-vm")) == []
        assert netbox.dcim.devices.get(vm.id) is None
        assert vm.update({"device": None, "cluster": None})
        assert netbox.virtualization.virtual_machines.get(vm.id).cluster is None
        assert vm.delete()
