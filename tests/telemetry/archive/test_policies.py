"""Which policy holds, and what it says."""

from uuid import UUID

import pytest

from fleetkeeper.telemetry.archive.policies import (
    KEEP_ALL,
    DeviceKind,
    Policy,
    Rules,
    base_policy,
    choose,
    limits,
)
from fleetkeeper.telemetry.rollups.periods import Tier

COMPANY, LAB, BENCH = (UUID(int=n) for n in (1, 2, 3))
SERVER = DeviceKind("server", (BENCH, LAB, COMPANY))
BASE = Policy(1, "Base", raw_days=30)


class TestChoice:
    def test_without_any_everything_is_kept(self):
        found = choose([], "cpu", SERVER)
        assert found.policy is KEEP_ALL
        assert limits(found.policy, 1000).raw_before is None

    def test_the_one_that_names_nothing_fits_any(self):
        assert choose([BASE], "cpu", DeviceKind()).policy is BASE

    @pytest.mark.parametrize(
        ("other", "is_chosen"),
        [
            (Policy(2, metric_group="cpu"), True),
            (Policy(2, metric_group="disk"), False),
            (Policy(2, device_type="server"), True),
            (Policy(2, device_type="vm"), False),
            (Policy(2, department_id=COMPANY), True),
            (Policy(2, department_id=UUID(int=9)), False),
            (Policy(2), False),
            (Policy(2, priority=1), True),
            (Policy(2, metric_group="cpu", priority=-1), False),
        ],
    )
    def test_against_the_base(self, other, is_chosen):
        assert (choose([BASE, other], "cpu", SERVER).policy is other) == is_chosen

    def test_the_nearer_department_wins(self):
        far, near = Policy(2, "Far", department_id=COMPANY), Policy(3, "Near", department_id=BENCH)
        found = choose([BASE, far, near], "cpu", SERVER)
        assert found.policy is near
        assert found.others == (far, BASE)
        assert "nearer department than Far" in found.reason

    def test_two_names_beat_one(self):
        one = Policy(2, "One", metric_group="cpu")
        two = Policy(3, "Two", device_type="server", department_id=COMPANY)
        found = choose([BASE, one, two], "cpu", SERVER)
        assert found.policy is two
        assert "names more than One" in found.reason

    def test_the_base_policy_is_the_first_that_names_nothing(self):
        assert base_policy([Policy(3), BASE, Policy(2, metric_group="cpu")]) is BASE


class TestLimits:
    def test_raw_goes_by_what_comes_first(self):
        keeping = limits(Policy(1, raw_days=30, downsample_after_days=7), 1000)
        assert keeping.raw_before == 993
        assert keeping.is_removed(992)
        assert not keeping.is_removed(993)

    def test_what_goes_is_not_archived_first(self):
        keeping = limits(Policy(1, raw_days=30, archive_after_days=10), 1000)
        assert [keeping.is_archived(day) for day in (969, 970, 989, 990)] == [False, True, True, False]

    def test_never(self):
        keeping = limits(Policy(1), 1000)
        assert not keeping.is_archived(0)
        assert not keeping.is_removed(0)
        assert keeping.rollups_before == {}

    def test_whole_months_go_only_when_no_policy_keeps_any(self):
        assert Rules([BASE, Policy(2, raw_days=90)], 1000).everything_raw_before == 910
        assert Rules([BASE, Policy(2)], 1000).everything_raw_before is None
        assert Rules([], 1000).everything_raw_before is None

    def test_rollups(self):
        rules = Rules([Policy(1, rollup_days={Tier.HOUR: 10, Tier.DAY: None})], 1000)
        assert rules.latest_rollup_day(Tier.HOUR) == 990
        assert rules.latest_rollup_day(Tier.DAY) == 0
