"""The devices that come of records do not depend on the order in which these arrive."""

from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.devices.identity.deciding import Grouping, group
from fleetkeeper.devices.identity.matching import match
from fleetkeeper.devices.identity.records import Record, count_sharing

PIECES = [
    ("smbios_uuid", "4c4c4544-0042-3010-8051-b4c04f4a4e32"),
    ("smbios_uuid", "4c4c4544-0043-3110-8052-b5c04f4b4e33"),
    ("serial", "A1"),
    ("serial", "B2"),
    ("mac", "00:1b:21:11:3a:b7"),
    ("mac", "00:50:56:9a:01:02"),
    ("machine_id", "abc1"),
    ("hostname", "web-01"),
    ("hostname", "web-02"),
    ("fqdn", "web-01.example.com"),
]
RECORDS = st.lists(
    st.builds(
        Record,
        source_system=st.sampled_from(["agent", "foreman", "vcenter"]),
        source_id=st.sampled_from(["1", "2", "3"]),
        evidence=st.frozensets(st.sampled_from(PIECES), max_size=6),
        manufacturer=st.sampled_from(["", "Dell Inc."]),
        has_key=st.booleans(),
        is_container=st.booleans(),
    ),
    max_size=7,
    unique_by=lambda record: record.key,
)


def sets(grouping: Grouping):
    devices = {frozenset(record.key for record in one) for one in grouping.devices}
    return devices, {(one.one.key, one.other.key, one.found.explanation) for one in grouping.proposals}


@given(RECORDS.flatmap(lambda records: st.tuples(st.just(records), st.permutations(records))))
def test_order_does_not_matter(both):
    records, shuffled = both
    assert sets(group(records)) == sets(group(shuffled))


@given(RECORDS)
def test_no_device_has_two_records_of_one_source(records):
    for device in group(records).devices:
        assert len({record.source for record in device}) == len(device)


@given(RECORDS)
def test_a_match_has_no_direction(records):
    sharing = count_sharing(records)
    for one in records:
        for other in records:
            assert match(one, other, sharing) == match(other, one, sharing)
