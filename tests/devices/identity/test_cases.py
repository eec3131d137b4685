"""The cases that tools get wrong, by name; `pytest -s` prints why each was decided as it was."""

from uuid import UUID

import pytest

from fleetkeeper.devices.identity.deciding import Decision, Grouping, decide, group
from fleetkeeper.devices.identity.evidence import normalise_evidence
from fleetkeeper.devices.identity.matching import match
from fleetkeeper.devices.identity.records import Record, count_sharing, swapped_uuid

UUID_1 = "4c4c4544-0042-3010-8051-b4c04f4a4e32"
UUID_2 = "4c4c4544-0043-3110-8052-b5c04f4b4e33"
MAC_1, MAC_2, VM_MAC = "00:1b:21:11:3a:b7", "00:1b:21:11:3a:b8", "00:50:56:9a:01:02"
NORTH, SOUTH = UUID(int=1), UUID(int=2)


def known(source: str, number: str, department: UUID = NORTH, manufacturer: str = "", **told: str) -> Record:
    return Record(
        source_system=source,
        source_id=number,
        evidence=frozenset(normalise_evidence(told)),
        department_id=department,
        manufacturer=manufacturer,
        has_key=source == "agent",
    )


def explained(one: Record, other: Record, *more: Record) -> Decision:
    """The decision between the first two, with the others about."""
    found = match(one, other, count_sharing([one, other, *more]))
    decision = decide(one, other, found)
    print(f"{one.key} and {other.key}: {decision}, {found.score:g} points")
    for part in found.contributions:
        print(f"  {part.points:+g} {part.sentence}")
    return decision


def told(grouping: Grouping) -> list[list[str]]:
    for proposal in grouping.proposals:
        print(f"propose {proposal.one.key} and {proposal.other.key}:", *proposal.found.explanation)
    return [[record.source_system + " " + record.source_id for record in one] for one in grouping.devices]


def bare_host(source: str, number: str, **other: str) -> Record:
    usual = {
        "manufacturer": "Dell Inc.",
        "smbios_uuid": UUID_1,
        "serial": "J0B5NJ2",
        "mac": f"{MAC_1},{MAC_2}",
        "machine_id": "a" * 31 + "1",
        "hostname": "web-01",
    }
    return known(source, number, **{**usual, **other})


def test_two_clones_with_one_uuid_stay_two():
    first = known("vcenter", "vm-1", smbios_uuid=UUID_1, mac=VM_MAC, hostname="app-1")
    second = known("vcenter", "vm-2", smbios_uuid=UUID_1, mac="00:50:56:9a:01:03", hostname="app-2")
    assert explained(first, second) is Decision.NEW
    agent = known("agent", "1", smbios_uuid=UUID_1, mac=VM_MAC, hostname="app-1")
    assert explained(agent, second, first) is Decision.NEW
    assert told(group([first, second, agent])) == [["agent 1"], ["vcenter vm-1"], ["vcenter vm-2"]]
    assert explained(agent, first, second) is Decision.REVIEW


def test_a_replaced_mainboard_is_proposed():
    before = bare_host("agent", "1")
    after = bare_host("agent", "2", smbios_uuid=UUID_2, serial="K1C6OK3", mac="00:1b:21:22:3a:b7", fqdn="")
    assert explained(before, after) is Decision.NEW
    before, after = (
        bare_host(one.source_system, one.source_id, fqdn="web-01.example.com", **changed)
        for one, changed in ((before, {}), (after, {"smbios_uuid": UUID_2, "mac": "00:1b:21:22:3a:b7"}))
    )
    assert explained(before, after) is Decision.REVIEW


def test_a_machine_that_was_installed_again_is_proposed_not_taken_over():
    again = bare_host("agent", "2", machine_id="b" * 31 + "2")
    assert explained(bare_host("agent", "1"), again) is Decision.REVIEW


def test_a_renamed_host_is_the_same():
    renamed = bare_host("foreman", "7", hostname="db-09")
    assert explained(bare_host("glpi", "1"), renamed) is Decision.SAME


def test_what_has_a_key_is_proposed_however_much_agrees():
    assert explained(bare_host("agent", "1"), bare_host("foreman", "1")) is Decision.REVIEW


def test_two_machines_that_swap_names_keep_their_devices():
    other_hardware = {
        "smbios_uuid": UUID_2,
        "serial": "K1C6OK3",
        "mac": "00:1b:21:22:3a:b7",
        "machine_id": "c" * 31 + "3",
    }
    one, two = bare_host("glpi", "1"), bare_host("glpi", "2", hostname="web-02", **other_hardware)
    one_renamed = bare_host("foreman", "1", hostname="web-02")
    two_renamed = bare_host("foreman", "2", **other_hardware)
    assert explained(one, one_renamed, two, two_renamed) is Decision.SAME
    assert explained(one, two_renamed, two, one_renamed) is Decision.NEW
    devices = told(group([one, two, one_renamed, two_renamed]))
    assert devices == [["foreman 1", "glpi 1"], ["foreman 2", "glpi 2"]]


def test_the_address_of_a_docking_station_is_worth_nothing():
    docked = "00:50:b6:12:34:56"
    first = known("agent", "1", mac=docked, hostname="laptop-1")
    second = known("foreman", "2", mac=docked, hostname="laptop-2")
    assert explained(first, second) is Decision.NEW


def test_containers_that_share_the_uuid_of_their_host_stay_apart():
    host = bare_host("agent", "1")
    inside = Record(
        "puppet",
        "web",
        frozenset(
            normalise_evidence(
                {
                    "smbios_uuid": UUID_1,
                    "serial": "J0B5NJ2",
                    "hostname": "f00ba4",
                    "machine_id": "d" * 31 + "4",
                }
            )
        ),
        department_id=NORTH,
        is_container=True,
    )
    assert explained(host, inside) is Decision.NEW


def test_a_full_and_a_short_name_agree():
    full, short = known("puppet", "1", fqdn="web-01.example.com"), known("foreman", "1", hostname="web-01")
    assert explained(full, short) is Decision.REVIEW
    elsewhere = known("vcenter", "1", fqdn="web-01.example.org")
    assert explained(full, elsewhere) is Decision.NEW


def test_a_vm_that_is_powered_off_is_known_by_what_its_platform_says():
    running = known("puppet", "1", smbios_uuid=UUID_1, mac=VM_MAC, hostname="app-1", fqdn="app-1.example.com")
    off = known("vcenter", "vm-1", smbios_uuid=swapped_uuid(UUID_1), mac=VM_MAC, hostname="app-1")
    assert explained(running, off) is Decision.SAME


def test_one_machine_in_three_systems_is_one_device():
    foreman = known("foreman", "web-prod-01", hostname="web-prod-01", mac=VM_MAC, smbios_uuid=UUID_1)
    puppet = known(
        "puppet", "web-prod-01.example.com", fqdn="web-prod-01.example.com", mac=VM_MAC, smbios_uuid=UUID_1
    )
    vcenter = known("vcenter", "vm-69696", hostname="web-prod-01", mac=VM_MAC, smbios_uuid=UUID_1)
    assert [explained(foreman, puppet, vcenter), explained(puppet, vcenter, foreman)] == [Decision.SAME] * 2
    assert len(group([foreman, puppet, vcenter]).devices) == 1


def test_a_name_alone_proposes():
    by_name = [known(source, "1", hostname="web-prod-01") for source in ("foreman", "vcenter")]
    grouping = group(by_name)
    assert (len(told(grouping)), len(grouping.proposals)) == (2, 1)


def test_departments_never_meet():
    assert explained(bare_host("glpi", "1"), bare_host("foreman", "1", department=SOUTH)) is Decision.NEW


@pytest.mark.parametrize(
    ("makers", "decision"), [(("Dell Inc.", "dell inc."), "same"), (("Dell Inc.", "HPE"), "review")]
)
def test_a_serial_number_counts_with_its_manufacturer(makers, decision):
    one, other = (
        known(source, "1", manufacturer=maker, serial="A1B2C3", hostname="x1")
        for source, maker in zip(("foreman", "glpi"), makers, strict=True)
    )
    assert explained(one, other) == decision


def test_what_many_machines_have_tells_nothing():
    many = [known("glpi", str(number), serial="A1B2C3", manufacturer="Acme") for number in range(9)]
    assert (
        explained(many[0], known("foreman", "1", serial="A1B2C3", manufacturer="Acme"), *many[1:])
        is Decision.NEW
    )
