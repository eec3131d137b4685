"""Demand, forecasts, reorder points and plans: reference values, and what holds for any series."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.replenishment.demand import MOST_WEEKS, Demand, weekly
from fleetkeeper.replenishment.forecast import (
    Forecast,
    Method,
    Pattern,
    forecast,
    pattern_of,
    sba_levels,
    ses_levels,
    tsb_levels,
)
from fleetkeeper.replenishment.planning import Known, Place, plan
from fleetkeeper.replenishment.reorder import (
    Deliveries,
    LeadTime,
    Policy,
    lead_time_of,
    lead_time_reason,
    reorder_point,
    rounded_up,
)
from fleetkeeper.stock.suppliers.choosing import Offer

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MONDAY = date(2026, 11, 23)
WEEK = timedelta(days=7)
SUPPLIER = UUID(int=1)
POLICY = Policy()

# What statsforecast 2.1.1 gives for the next week: CrostonSBA(), TSB(alpha_d=0.1, alpha_p=0.1),
# SimpleExponentialSmoothing(alpha=0.2), each by `forecast(y, h=1)`.
REFERENCE = [
    ([0, 2] * 5, 0.95, 0.6856016420000002, 0.9918064640000002),
    (
        [0, 0, 3, 0, 0, 0, 1, 0, 5, 0, 0, 2, 0, 0, 0, 0, 4, 0, 0, 1],
        0.8454605053723788,
        0.817210746631037,
        0.7871141250798719,
    ),
    (
        [4, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        1.789197834645669,
        0.6048929313185725,
        0.11901126336305386,
    ),
    ([5, 6, 4, 5, 7, 5, 6, 5], 4.968400345000001, 5.229895100000001, 5.351692800000001),
    ([1.5, 0, 0, 0.5, 0, 12.25, 0, 0, 0, 0, 0.75], 1.329252421307506, 1.2841703062261507, 1.1348487936000007),
]
series = st.lists(st.integers(0, 50), min_size=6, max_size=MOST_WEEKS).filter(
    lambda found: np.count_nonzero(found) >= 3
)


def array(values) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def offer(**more) -> Offer:
    known = {
        "id": UUID(int=2),
        "supplier_id": SUPPLIER,
        "supplier_name": "Nordic",
        "sku": None,
        "price": Decimal(40),
        "currency": "EUR",
        "breaks": [(Decimal(10), Decimal(35))],
        "pack_size": Decimal(1),
        "least": Decimal(1),
        "lead_time_days": None,
        "lead_time_is_measured": False,
        "is_preferred": False,
    }
    return Offer(**(known | more))


def known_of(values, *offers, available=0, point=None, usual=None, unit="unit", deliveries=None) -> Known:
    place = Place(
        UUID(int=3),
        UUID(int=4),
        None,
        UUID(int=5),
        None,
        unit,
        Decimal(available),
        Decimal(0),
        None if point is None else Decimal(point),
        None if usual is None else Decimal(usual),
    )
    return Known(place, Demand(MONDAY - len(values) * WEEK, array(values)), offers, deliveries or {})


class TestDemand:
    def test_weeks_without_any_count_from_the_first_movement_on(self):
        taken = [(MONDAY - 2 * WEEK, Decimal(2)), (MONDAY - timedelta(days=8), Decimal("1.5"))]
        found = weekly(taken, MONDAY - timedelta(days=25), NOW)
        assert found.quantities.tolist() == [0, 0, 3.5, 0]
        assert found.weeks[0] == MONDAY - 4 * WEEK

    def test_the_week_that_is_not_over_is_left_out(self):
        found = weekly([(MONDAY, Decimal(9)), (MONDAY - WEEK, Decimal(1))], MONDAY - WEEK, NOW)
        assert found.quantities.tolist() == [1]

    def test_two_years_are_remembered(self):
        found = weekly([(MONDAY - 105 * WEEK, Decimal(9))], date(2020, 1, 1), NOW)
        assert (len(found.quantities), found.quantities.sum()) == (MOST_WEEKS, 0)

    def test_nothing_was_ever_moved(self):
        assert weekly([], None, NOW).quantities.size == 0

    @given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 9)), max_size=30), st.randoms())
    def test_the_order_of_movements_is_the_same(self, moved, random):
        taken = [(MONDAY - timedelta(days=days), Decimal(quantity)) for days, quantity in moved]
        first = min((day for day, _ in taken), default=None)
        expected = weekly(taken, first, NOW).quantities.tolist()
        random.shuffle(taken)
        assert weekly(taken, first, NOW).quantities.tolist() == expected
        assert sum(expected) == sum(quantity for _, quantity in moved)


class TestForecast:
    @pytest.mark.parametrize(("values", "sba", "tsb", "ses"), REFERENCE)
    def test_methods_have_reference_values(self, values, sba, tsb, ses):
        quantities = array(values)
        assert sba_levels(quantities)[-1] == pytest.approx(sba, rel=1e-9)
        assert tsb_levels(quantities)[-1] == pytest.approx(tsb, rel=1e-9)
        assert ses_levels(quantities)[-1] == pytest.approx(ses, rel=1e-9)

    def test_a_level_is_what_was_known_then(self):
        values = array([0, 2, 0, 4, 0, 0, 1, 0])
        for method in (ses_levels, sba_levels, tsb_levels):
            whole = method(values)
            for weeks in range(2, len(values)):
                assert method(values[:weeks])[-1] == pytest.approx(whole[weeks - 1])

    @pytest.mark.parametrize(
        ("values", "pattern"),
        [
            ([5, 6, 4, 5, 6, 5], Pattern.SMOOTH),
            ([1, 30, 2, 1, 25, 1], Pattern.ERRATIC),
            ([0, 2, 0, 0, 2, 0, 3, 0], Pattern.INTERMITTENT),
            ([0, 1, 0, 0, 40, 0, 2, 0], Pattern.LUMPY),
            # Three in four weeks: 1.33 is rare, five in six is not.
            ([1, 1, 1, 0], Pattern.INTERMITTENT),
            ([1, 1, 1, 1, 1, 0], Pattern.SMOOTH),
        ],
    )
    def test_patterns(self, values, pattern):
        assert pattern_of(array(values)) == pattern

    def test_demand_that_ends_falls(self):
        values = [2, 0, 2, 0, 2, 0, 2, 0, 0, 0, 0, 0]
        ended = forecast(array(values))
        assert ended.method == Method.TSB
        assert forecast(array([*values, 0, 0])).mean < ended.mean < forecast(array(values[:8])).mean

    @pytest.mark.parametrize("values", [[], [0] * 50, [3], [0, 4, 0, 9, 0]])
    def test_too_little_data_gives_no_number(self, values):
        assert forecast(array(values)) is None

    @given(series)
    def test_it_is_a_possible_quantity(self, values):
        found = forecast(array(values))
        assert 0 <= found.mean <= max(values)
        assert 0 <= found.error <= max(values)
        assert found.demands == np.count_nonzero(values)


forecasts = st.builds(
    Forecast,
    st.just(Pattern.LUMPY),
    st.just(Method.SBA),
    st.floats(0, 1000),
    st.floats(0, 1000),
    st.just(52),
    st.just(9),
)
lead_times = st.builds(LeadTime, st.floats(0, 400), st.floats(0, 100), st.just("measured"), st.just(3))
more = st.floats(0, 500)


class TestReorderPoint:
    def test_by_hand(self):
        """2 weeks: 1.6 expected; 1.6449 · √(2 · 1.2² + (0.8 · 0.5)²) = 2.867 in reserve; 4.467 rounded up."""
        expected = Forecast(Pattern.INTERMITTENT, Method.SBA, 0.8, 1.2, 26, 5)
        found = reorder_point(expected, LeadTime(14, 3.5, "measured", 4), POLICY, "unit")
        assert (found.expected, found.reserve) == (pytest.approx(1.6), pytest.approx(2.867, abs=1e-3))
        assert found.quantity == 5
        assert reorder_point(expected, LeadTime(14, 3.5, "measured", 4), POLICY, "m").quantity == Decimal(
            "4.5"
        )

    @given(forecasts, lead_times, more, more, more, more)
    def test_nothing_that_is_more_lowers_it(self, expected, lead_time, mean, error, days, deviation):
        least = reorder_point(expected, lead_time, POLICY, "m").quantity
        busier = replace(expected, mean=expected.mean + mean)
        longer = replace(lead_time, days=lead_time.days + days)
        for one, time in (
            (busier, lead_time),
            (replace(expected, error=expected.error + error), lead_time),
            (expected, longer),
            (expected, replace(lead_time, deviation_days=lead_time.deviation_days + deviation)),
            (busier, longer),
        ):
            assert reorder_point(one, time, POLICY, "m").quantity >= least

    @given(forecasts, lead_times, st.floats(0.5, 0.999), st.floats(0.5, 0.999))
    def test_a_higher_service_level_keeps_no_less_in_reserve(self, expected, lead_time, one, other):
        low, high = sorted((one, other))
        points = [
            reorder_point(expected, lead_time, replace(POLICY, service_level=level), "unit").quantity
            for level in (low, high)
        ]
        assert points[0] <= points[1]

    @given(series, st.sampled_from([2, 4]))
    def test_more_demand_never_lowers_it(self, values, times):
        points = [
            plan(known_of([one * factor for one in values]), POLICY).suggested.quantity
            for factor in (1, times)
        ]
        assert points[0] <= points[1]

    def test_measured_comes_before_promised_before_assumed(self):
        measured = Deliveries(4, 9.0, 1.5)
        assert lead_time_of(measured, 3, POLICY) == LeadTime(9, 1.5, "measured", 4)
        assert lead_time_of(None, 3, POLICY) == LeadTime(3, 0, "promised")
        assert lead_time_of(None, None, POLICY) == LeadTime(14, 0, "default")
        told = lead_time_reason(lead_time_of(measured, 3, POLICY))
        assert told == "Lead time 9 days measured from 4 deliveries, give or take 1.5"
        assert "1 delivery" in lead_time_reason(LeadTime(1, 0, "measured", 1))

    def test_what_floating_point_adds_is_no_demand(self):
        assert rounded_up(0.1 + 0.2, "m") == Decimal("0.3")
        assert rounded_up(3.0000000001, "unit") == 3
        assert rounded_up(3.01, "unit") == 4


class TestPlan:
    def test_reasons_tell_the_whole_story(self):
        values = [0, 2] * 5
        made = plan(
            known_of(
                values, offer(pack_size=Decimal(10)), available=2, deliveries={SUPPLIER: Deliveries(4, 9.0)}
            ),
            POLICY,
        )
        assert (made.draft.quantity, made.draft.offer.unit_price) == (10, 35)
        price = "35.00 EUR each from this quantity on, instead of 40.00 EUR"
        assert list(made.reasons) == [
            "0.95 a week over 10 weeks, 5 demands: intermittent (Syntetos-Boylan)",
            "Lead time 9 days measured from 4 deliveries",
            f"Reorder point {made.point}: 1.22 during the lead time and 1.87 in reserve for a service level of 95 %",
            "2 available and 0 on order",
            "3 bring stock above the reorder point and last 7 days longer",
            f"Nordic: lowest total price, lead time unknown, {price}, 10 instead of 3: packs of 10",
        ]

    @given(st.integers(0, 60), st.integers(0, 5))
    def test_zero_demand_proposes_nothing(self, weeks, available):
        made = plan(known_of([0] * weeks, offer(), available=available), POLICY)
        assert (made.draft, made.suggested, made.point) == (None, None, None)

    def test_a_point_that_was_set_by_hand_counts_without_any_demand(self):
        made = plan(known_of([0] * 20, available=2, point=2), POLICY)
        assert (made.draft.quantity, made.draft.offer) == (1, None)
        assert made.reasons[-1].startswith("No supplier has a price")
        assert plan(known_of([0] * 20, available=3, point=2), POLICY).draft is None
        assert plan(known_of([0] * 20, available=0, point=0), POLICY).draft.quantity == 1

    def test_a_quantity_that_was_set_by_hand_is_the_least(self):
        made = plan(known_of([0, 2] * 5, offer(least=Decimal(5)), point=3, usual=12), POLICY)
        assert made.draft.quantity == 12
        assert "12 is the reorder quantity that was set by hand" in made.reasons

    def test_the_lead_time_is_that_of_the_supplier_who_is_asked(self):
        other = offer(supplier_id=UUID(int=9), supplier_name="Southern", price=Decimal(1), lead_time_days=70)
        far = plan(known_of([0, 2] * 5, offer(lead_time_days=7), other), POLICY)
        assert (far.lead_time.days, far.draft.offer.offer.supplier_name) == (70, "Southern")

    def test_suppliers_are_compared_by_about_as_many_as_are_ordered(self):
        bulk = offer(supplier_id=UUID(int=9), supplier_name="Bulk", price=Decimal(1), least=Decimal(50))
        assert plan(known_of([40] * 9, offer(), bulk), POLICY).draft.offer.offer.supplier_name == "Bulk"
        assert plan(known_of([0, 1] * 9, offer(), bulk), POLICY).draft.offer.offer.supplier_name == "Bulk"
        dear = replace(bulk, price=Decimal(10))
        assert plan(known_of([0, 1] * 9, offer(), dear), POLICY).draft.offer.offer.supplier_name == "Nordic"

    def test_a_pack_that_no_stock_could_hold_is_none(self):
        huge = offer(pack_size=Decimal("99999999999.999"))
        made = plan(known_of([0, 2] * 5, huge, point=Decimal(9_000_000_000)), POLICY)
        assert made.draft.quantity < 10**11

    @given(
        series,
        st.integers(0, 20),
        st.none() | st.integers(0, 30),
        st.none() | st.integers(1, 9),
        st.integers(1, 12),
        st.sampled_from(["unit", "m"]),
    )
    def test_what_was_ordered_is_not_proposed_again(self, values, available, point, usual, pack, unit):
        known = known_of(
            values, offer(pack_size=Decimal(pack)), available=available, point=point, usual=usual, unit=unit
        )
        made = plan(known, POLICY)
        if made.draft is None:
            assert known.place.position > made.point
            return
        assert made.draft.quantity % pack == 0
        ordered = replace(known.place, on_order=made.draft.quantity)
        assert plan(replace(known, place=ordered), POLICY).draft is None
