"""Evidence of identity: normalized, and void of what identifies nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.devices.identity.evidence import normalise_evidence, normalise_mac


class TestMac:
    @pytest.mark.parametrize(
        "text", ["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b7", "001b.4411.3ab7", " 001B44113AB7 "]
    )
    def test_forms_of_one_address(self, text):
        assert normalise_mac(text) == "00:1b:44:11:3a:b7"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
            "01:00:5e:00:00:01",
            "00:1b:44",
            "lo",
            "00:1b:44:11:3a:b7:00:00",
        ],
    )
    def test_what_names_no_machine(self, text):
        assert normalise_mac(text) is None


class TestEvidence:
    def test_each_kind(self):
        found = normalise_evidence(
            {
                "agent_id": " 42 ",
                "machine_id": "ABC",
                "smbios_uuid": "{4C4C4544-0042-3010-8051-B4C04F4A4E32}",
                "serial": "J0B5NJ2",
                "mac": "00:1b:44:11:3a:b7,lo,00:1b:44:11:3a:b8",
                "fqdn": "Web-01.Example.COM.",
                "hostname": "WEB-01",
                "shoe_size": "43",
            }
        )
        assert found == [
            ("agent_id", "42"),
            ("machine_id", "ABC"),
            ("smbios_uuid", "4c4c4544-0042-3010-8051-b4c04f4a4e32"),
            ("serial", "J0B5NJ2"),
            ("mac", "00:1b:44:11:3a:b7"),
            ("mac", "00:1b:44:11:3a:b8"),
            ("fqdn", "web-01.example.com"),
            ("hostname", "web-01"),
        ]

    @pytest.mark.parametrize(
        ("kind", "text"),
        [
            ("serial", "To Be Filled By O.E.M."),
            ("serial", "Default string"),
            ("serial", "XXXXXXXX"),
            ("serial", "0123456789"),
            ("smbios_uuid", "fefefefe-fefe-fefe-fefe-fefefefefefe"),
            ("serial", "  "),
            ("serial", "\x00"),
            ("smbios_uuid", "03000200-0400-0500-0006-000700080009"),
            ("smbios_uuid", "0300020004000500" + "0006000700080009"),
            ("smbios_uuid", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"),
            ("smbios_uuid", "{00000000-0000-0000-0000-000000000000}"),
            ("smbios_uuid", "not a uuid"),
            ("machine_id", "00000000000000000000000000000000"),
            ("mac", ","),
            ("hostname", "."),
        ],
    )
    def test_placeholder_is_left_out(self, kind, text):
        assert normalise_evidence({kind: text}) == []

    @given(
        st.dictionaries(
            st.sampled_from(["agent_id", "machine_id", "smbios_uuid", "serial", "mac", "fqdn", "hostname"]),
            st.text(st.characters(codec="utf-8"), max_size=400),
        )
    )
    def test_values_fit_their_columns_and_are_normal(self, identities):
        found = normalise_evidence(identities)
        assert all(0 < len(value) <= 300 and "\x00" not in value for _, value in found)
        single = {kind: value for kind, value in found if kind != "mac"}
        assert normalise_evidence(single) == [item for item in found if item[0] != "mac"]
