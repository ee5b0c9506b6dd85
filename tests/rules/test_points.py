"""Points: how many, until when, in which order, and what they go for."""

from datetime import date, datetime

import pytest

from rules import points
from rules.figures import LAPSE_AFTER_AT_MOST
from rules.points import Lot, Wanted
from tests.rules.cases import POLICY, at
from tests.rules.lines import line


@pytest.mark.rule("PNT-2")
@pytest.mark.parametrize(
    ("joined", "granted_on", "year"),
    [
        ("2026-04-01 00:00:00", date(2026, 4, 1), 1),
        ("2026-04-10 12:00:00", date(2026, 5, 1), 1),
        ("2026-04-30 23:59:59", date(2027, 3, 1), 1),
        ("2026-04-30 23:59:59", date(2027, 4, 1), 2),
        ("2026-03-31 23:59:59", date(2027, 3, 1), 2),
        ("2024-02-29 12:00:00", date(2025, 1, 1), 1),
        ("2024-02-29 12:00:00", date(2025, 2, 1), 2),
        ("2026-04-10 12:00:00", date(2030, 4, 1), 5),
        ("2026-04-10 12:00:00", date(2036, 4, 1), 11),
    ],
)
def test_the_month_of_joining_and_the_eleven_after_it_are_the_first_year(
    joined: str, granted_on: date, year: int
) -> None:
    assert points.joined_from(granted_on, year) <= at(joined)
    assert year == 1 or at(joined) < points.joined_from(granted_on, year - 1)


@pytest.mark.rule("PNT-4")
@pytest.mark.rule("CAL-2")
@pytest.mark.parametrize(
    ("granted_on", "last"),
    [
        (date(2026, 4, 1), date(2029, 3, 31)),
        (date(2027, 3, 1), date(2029, 3, 31)),
        (date(2027, 4, 1), date(2030, 3, 31)),
        (date(2028, 2, 29), date(2030, 3, 31)),
    ],
)
def test_all_points_of_a_fiscal_year_lapse_with_the_year_after_next(granted_on: date, last: date) -> None:
    assert points.lapses_on(granted_on, POLICY) == last


OLD = Lot(date(2026, 5, 1), date(2029, 3, 31), 100)
NEW = Lot(date(2027, 5, 1), date(2030, 3, 31), 200)


@pytest.mark.rule("PNT-5")
@pytest.mark.parametrize(
    ("number", "taken"),
    [
        (0, []),
        (1, [(OLD, 1)]),
        (100, [(OLD, 100)]),
        (101, [(OLD, 100), (NEW, 1)]),
        (300, [(OLD, 100), (NEW, 200)]),
    ],
)
def test_the_oldest_are_spent_first(number: int, taken: list[tuple[Lot, int]]) -> None:
    assert points.spend([NEW, OLD], number) == taken


@pytest.mark.rule("PNT-5")
def test_nobody_spends_more_than_there_is() -> None:
    with pytest.raises(ValueError, match="more than there are"):
        points.spend([OLD, NEW], 301)


@pytest.mark.rule("PNT-6")
def test_what_a_bill_did_not_need_returns_to_the_lots_that_were_spent_last() -> None:
    spent = [(OLD.granted_on, 100), (NEW.granted_on, 150)]
    assert points.give_back(spent, 150) == [(NEW.granted_on, 150)]
    assert points.give_back(spent, 151) == [(NEW.granted_on, 150), (OLD.granted_on, 1)]
    assert points.give_back(spent, 0) == []


@pytest.mark.rule("PNT-8")
@pytest.mark.parametrize(
    ("today", "lapsing"), [("2029-03-31", 100), ("2028-04-01", 100), ("2028-03-31", 0), ("2029-04-01", 200)]
)
def test_what_lapses_with_this_fiscal_year_is_told_apart(today: str, lapsing: int) -> None:
    assert points.balance([OLD, NEW]) == 300
    assert points.lapsing([OLD, NEW], date.fromisoformat(today)) == lapsing


def having(held: int, lapses_on: date = date(2029, 3, 31)) -> list[Lot]:
    return [Lot(date(2026, 5, 1), lapses_on, held)]


def verdict(wanted: Wanted, paid: int = 0, held: int = 9000, proven: bool = False) -> tuple[str, str] | None:
    no = points.refusal(wanted, paid, having(held), proven, at("2026-06-10 12:00:00"), POLICY)
    return (no.rule, no.reason) if no else None


def bill(number: int) -> Wanted:
    return Wanted("x-1", "bill_payment", number)


@pytest.mark.rule("PNT-6")
def test_five_thousand_points_a_month_go_into_bills() -> None:
    assert verdict(bill(5000)) is None
    assert verdict(bill(5001)) == ("PNT-6", "bill_payment_too_large")
    assert verdict(bill(1), paid=4999) is None
    assert verdict(bill(2), paid=4999) == ("PNT-6", "bill_payment_limit")


@pytest.mark.rule("PNT-6")
def test_what_is_over_the_month_is_taken_again_from_the_first_of_the_next() -> None:
    now = at("2026-12-31 23:59:59")
    no = points.refusal(bill(1), 5000, having(9000), False, now, POLICY)
    assert no and no.opens_at == at("2027-01-01 00:00:00")
    never = points.refusal(bill(5001), 0, having(9000), False, now, POLICY)
    assert never and never.opens_at is None


@pytest.mark.rule("PNT-6")
@pytest.mark.parametrize(
    ("held", "last_day", "verdict"),
    [
        (2000, None, ("bill_payment_limit", at("2029-04-01 00:00:00"))),
        (2000, date(2029, 4, 30), ("bill_payment_limit", at("2029-04-01 00:00:00"))),
        (2000, date(2029, 3, 31), ("bill_payment_left", None)),
        (1999, None, ("too_few_points", None)),
    ],
)
def test_no_day_is_named_from_which_on_it_would_not_be_taken_either(
    held: int, last_day: date | None, verdict: tuple[str, datetime | None]
) -> None:
    lots = having(held, date(2030, 3, 31))
    no = points.refusal(bill(2000), 4000, lots, False, at("2029-03-10 12:00:00"), POLICY, last_day)
    assert no and (no.reason, no.opens_at) == verdict


@pytest.mark.rule("PNT-4", "PNT-6")
def test_points_that_lapse_before_the_month_is_counted_anew_are_not_waited_for() -> None:
    lots = [*having(1500, date(2029, 3, 31)), *having(600, date(2030, 3, 31))]
    no = points.refusal(bill(2000), 4000, lots, False, at("2029-03-31 23:59:59"), POLICY)
    assert no and (no.reason, no.opens_at, no.data["left"]) == ("bill_payment_left", None, 1000)


@pytest.mark.rule("PNT-6")
def test_nothing_is_bought_with_points_that_are_not_there() -> None:
    assert verdict(bill(101), held=100) == ("PNT-6", "too_few_points")
    assert verdict(bill(100), held=100) is None


@pytest.mark.rule("PNT-7")
def test_all_but_bill_payment_needs_the_line_or_a_registered_key() -> None:
    item = Wanted("x-1", "item", 8000, "router")
    assert verdict(item) == ("PNT-7", "exchange_not_from_line")
    assert verdict(item, proven=True) is None
    assert verdict(item, proven=True, held=7999) == ("PNT-6", "too_few_points")
    assert verdict(bill(100)) is None


@pytest.mark.rule("PNT-6")
def test_the_list_of_items_has_no_money_and_no_points_of_others() -> None:
    assert [item.item for item in POLICY.point_items] == ["gift-coffee", "gift-towel", "router"]


@pytest.mark.rule("PNT-9")
@pytest.mark.parametrize(
    ("state", "usable"),
    [
        ("active", True),
        ("ending", True),
        ("suspended", True),
        ("preparing", False),
        ("ended", False),
        ("converted", False),
    ],
)
def test_points_are_usable_to_the_lines_end_and_not_after_it(state: str, usable: bool) -> None:
    no = points.not_usable(line(state=state), at("2026-06-10 12:00:00"))
    assert (no is None) == usable
    assert usable or (no and no.rule == "CAL-4")


@pytest.mark.rule("PNT-9")
def test_a_line_that_ended_by_its_dates_has_no_points_whether_or_not_a_timer_has_fired() -> None:
    ending = line(state="ending", in_force_to=date(2026, 6, 30))
    assert points.not_usable(ending, at("2026-06-30 23:59:59")) is None
    assert points.not_usable(ending, at("2026-07-01 00:00:00")) is not None


@pytest.mark.rule("PNT-4")
@pytest.mark.parametrize("today", [date(2026, 4, 1), date(2027, 3, 31), date(2028, 2, 29)])
@pytest.mark.parametrize("years", [1, 2, LAPSE_AFTER_AT_MOST])
@pytest.mark.parametrize("ended", [0, 1])
def test_a_lot_of_today_is_looked_for_however_late_it_lapses(today: date, years: int, ended: int) -> None:
    figures = POLICY.points.model_copy(update={"lapse_after_fiscal_years": years})
    longer = POLICY.model_copy(update={"points": figures})
    assert points.lapses_on(today, longer) in points.last_days(today, ended)


@pytest.mark.rule("PNT-4")
def test_what_ended_yesterday_is_looked_for_where_the_year_just_ended() -> None:
    today, yesterday = date(2027, 4, 1), date(2027, 3, 31)
    assert yesterday not in points.last_days(today)
    assert yesterday in points.last_days(today, ended=1)
