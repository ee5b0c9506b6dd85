"""The ledger of points: granted, spent, lapsed and forfeited once, by dates, however late and however often a run runs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import Engine

from rules.refusal import Refusal
from store import points, points_grant, points_lapse
from store.changes import facts
from store.ledger import PointRow
from store.points_grant import ledger_row
from store.tables import ContractRow
from store.write import insert, set_values
from tests.properties.lived import Lived
from tests.rules.cases import POLICY, at
from tests.rules.lines import line
from tests.store.club import Club, within


@pytest.fixture
def club(engine: Engine) -> Club:
    return Club(engine)


def rule_of(no: Refusal | None) -> str:
    return no.reason if no else "ok"


# Grants


@pytest.mark.rule("PNT-2")
def test_points_are_granted_on_the_first_at_three_to_those_who_were_members_at_midnight(club: Club) -> None:
    club.member("k-1", "2026-04-30 23:59:59")
    club.member("k-2", "2026-05-01 00:00:01")
    club.line("k-3")
    assert club.grant("2026-04") == 1
    assert club.ledger("k-1") == [("2026-05-01 03:00", "2026-05-01", "grant", 100)]
    assert club.ledger("k-2") == club.ledger("k-3") == []


@pytest.mark.rule("PNT-2")
def test_who_joined_at_midnight_was_a_member_at_midnight(club: Club) -> None:
    club.member("k-1", "2026-05-01 00:00:00")
    assert club.grant("2026-04") == 1


@pytest.mark.rule("PNT-2")
def test_the_number_goes_by_line_type_and_year_of_membership(club: Club) -> None:
    club.member("k-1", "2026-04-30 23:59:59", line_type="cross")
    club.member("k-2", "2026-03-31 23:59:59", line_type="next")
    club.member("k-3", "2026-04-01 00:00:00", line_type="light")
    for period in ("2027-02", "2027-03", "2030-02", "2030-03"):
        club.grant(period)
    granted = {line: [number for *_, number in club.ledger(line)] for line in ("k-1", "k-2", "k-3")}
    assert granted == {"k-1": [100, 200, 400, 500], "k-2": [200, 200, 500, 500], "k-3": [50] * 4}


@pytest.mark.rule("PNT-2")
def test_without_the_two_year_discount_there_are_none(club: Club) -> None:
    club.member(two_year_discount=False)
    assert club.grant("2026-04") == 0


@pytest.mark.rule("PNT-2")
@pytest.mark.rule("LIN-3")
def test_the_line_type_is_that_of_the_day_however_late_the_run_is(club: Club) -> None:
    club.member()
    club.costs("k-1", "next", "2026-04-01", "2026-06-30")
    club.costs("k-1", "light", "2026-07-01")
    club.changes("k-1", line_type="light")
    for period in ("2026-04", "2026-05", "2026-06"):
        club.grant(period)
    assert [number for *_, number in club.ledger()] == [100, 100, 50]


@pytest.mark.rule("PNT-3")
def test_a_line_that_ended_with_the_month_before_gets_none_and_one_that_ends_later_does(club: Club) -> None:
    club.member("k-1")
    club.member("k-2")
    club.changes("k-1", in_force_to=date(2026, 4, 30))
    club.changes("k-2", in_force_to=date(2026, 5, 31))
    club.grant("2026-04")
    assert (len(club.ledger("k-1")), len(club.ledger("k-2"))) == (0, 1)


@pytest.mark.rule("PNT-3")
def test_a_line_converted_before_three_gets_none_and_one_converted_after_it_did(club: Club) -> None:
    for name, ended in (("k-1", "2026-05-01 02:59:59"), ("k-2", "2026-05-01 03:00:01")):
        club.member(name)
        club.changes(name, ended_at=at(ended), in_force_to=date(2026, 5, 1))
    club.grant("2026-04")
    assert (len(club.ledger("k-1")), len(club.ledger("k-2"))) == (0, 1)


@pytest.mark.rule("PNT-3")
@pytest.mark.parametrize(
    ("since", "until", "granted"),
    [
        ("2026-04-20 00:00:00", None, 0),
        ("2026-04-20 00:00:00", "2026-05-01 03:00:00", 1),
        ("2026-04-20 00:00:00", "2026-05-01 03:00:01", 0),
        ("2026-05-01 03:00:00", None, 0),
        ("2026-05-01 03:00:01", None, 1),
    ],
)
def test_a_suspended_line_is_not_in_use_at_the_moment_of_granting(
    club: Club, since: str, until: str | None, granted: int
) -> None:
    club.member()
    club.suspended("k-1", since, until)
    assert club.grant("2026-04") == granted


@pytest.mark.rule("PNT-3")
@pytest.mark.rule("PNT-10")
def test_a_suspension_that_a_late_engine_has_not_written_down_counts_all_the_same(engine: Engine) -> None:
    line = Lived(engine, 1, at("2026-04-01 10:00:00"), cap=50000, discount=True)
    Club(engine).joins(line.name, "2026-04-10 12:00:00")
    line.owes(at("2026-05-25 06:00:00"), "2026-04", date(2026, 5, 31), 5720)
    until_suspended = [date(2026, month, 1) for month in (5, 6, 7)]
    assert list(line.lots(at("2026-08-01 04:00:00"))) == until_suspended
    line.wait("2026-08-01 05:00:00")
    assert list(line.lots(at("2026-08-01 06:00:00"))) == until_suspended


@pytest.mark.rule("PNT-10")
def test_a_run_that_comes_again_or_late_changes_nothing(club: Club) -> None:
    club.member("k-1")
    club.grant("2026-04")
    once = club.ledger()
    assert (club.grant("2026-04"), club.ledger()) == (1, once)


@pytest.mark.rule("PNT-10")
def test_a_grant_proves_that_everybody_got_theirs(club: Club) -> None:
    for name in ("k-1", "k-2", "k-3"):
        club.member(name)
    club.changes("k-3", two_year_discount=False)

    def judged() -> tuple[int, list[str]]:
        return within(
            club.engine,
            lambda c: (
                points_grant.expected(c, "2026-04", POLICY),
                points_grant.left(c, "2026-04", POLICY, 10),
            ),
        )

    assert judged() == (2, ["k-1", "k-2"])
    assert within(club.engine, lambda c: points_grant.chunk(c, "2026-04", "k-1", "k-2", POLICY)) == 1
    assert judged() == (2, ["k-1"])
    club.grant("2026-04")
    assert judged() == (2, [])


@pytest.mark.rule("PNT-2")
def test_the_months_before_a_member_was_brought_in_are_not_granted_anew(club: Club) -> None:
    club.line()
    club.joins("k-1", "2020-01-10 12:00:00", counted_from="2026-05-15 00:00:00")
    assert (club.grant("2026-04"), club.grant("2026-05")) == (0, 1)
    assert club.exchange("k-1", 500, "2026-06-10 12:00:00") is None
    assert club.balance("k-1", "2026-06-10 12:00:00") == 0


@pytest.mark.rule("PNT-2")
def test_where_the_policy_has_nothing_for_a_line_type_its_lines_are_not_expected(club: Club) -> None:
    club.member("k-1")
    club.member("k-2", line_type="light")
    grants = [
        grant.model_copy(update={"points": [0]}) if grant.line_type == "light" else grant
        for grant in POLICY.point_grants
    ]
    none_for_light = POLICY.model_copy(update={"point_grants": grants})

    def judged() -> tuple[int, list[str]]:
        with club.engine.begin() as connection:
            given = connection, "2026-04", none_for_light
            return points_grant.expected(*given), points_grant.left(*given, 10)

    assert judged() == (1, ["k-1"])
    done = within(club.engine, lambda c: points_grant.chunk(c, "2026-04", "", "z", none_for_light))
    assert (done, judged()) == (1, (1, []))


# Lapses


@pytest.mark.rule("PNT-4")
def test_points_of_a_fiscal_year_are_there_on_31_march_of_the_year_after_next_and_not_on_1_april(
    club: Club,
) -> None:
    club.member(joined="2026-02-10 12:00:00", in_force_from=date(2026, 2, 1))
    for period in ("2026-02", "2026-03"):
        club.grant(period)
    assert club.balance("k-1", "2028-03-31 23:59:59") == 200
    assert club.balance("k-1", "2028-04-01 00:00:00") == 100, "whether or not the run has run"
    assert club.lapse("FY2027") == 1
    assert club.ledger()[-1] == ("2028-04-01 00:00", "2026-03-01", "lapse", -100)
    assert club.lots("k-1", "2029-03-31 23:59:59") == [("2026-04-01", 100)]
    assert club.balance("k-1", "2029-04-01 00:00:00") == 0


@pytest.mark.rule("PNT-10")
def test_the_lapse_proves_that_nothing_is_left_and_comes_again_without_harm(club: Club) -> None:
    club.member("k-1")
    club.member("k-2", joined="2027-04-10 12:00:00")
    for period in ("2026-04", "2026-05", "2027-04"):
        club.grant(period)

    def judged() -> tuple[int, list[str]]:
        return within(
            club.engine,
            lambda c: (
                points_lapse.expected(c, "FY2028", POLICY),
                points_lapse.left(c, "FY2028", POLICY, 10),
            ),
        )

    assert judged() == (1, ["k-1"])
    assert club.lapse("FY2028") == 1, "who had lots, of which there were two"
    once = club.ledger()
    assert judged() == (1, [])
    assert (club.lapse("FY2028"), club.ledger()) == (1, once)


@pytest.mark.rule("PNT-4")
def test_what_was_spent_does_not_lapse(club: Club) -> None:
    club.member()
    club.grant("2026-04")
    club.exchange("k-1", 30, "2026-05-10 12:00:00")
    club.lapse("FY2028")
    assert [number for *_, number in club.ledger()] == [100, -30, -70]


@pytest.mark.rule("PNT-10")
def test_what_came_back_to_a_lot_that_has_lapsed_is_named_and_holds_up_nobody(club: Club) -> None:
    for name in ("k-1", "k-2"):
        club.member(name)
    club.grant("2026-04")
    within(club.engine, lambda c: points_lapse.chunk(c, "FY2028", "", "k-1", POLICY))
    back = ledger_row(
        "k-1", date(2026, 5, 1), date(2029, 3, 31), "return", "x-9", 30, at("2029-05-01 00:00:00")
    )
    within(club.engine, lambda c: insert(c, PointRow, [back]))
    club.lapse("FY2028")
    assert [number for *_, number in club.ledger("k-2")] == [100, -100]
    assert within(club.engine, lambda c: points_lapse.left(c, "FY2028", POLICY, 10)) == ["k-1"]


# Exchanges


@pytest.mark.rule("PNT-5")
@pytest.mark.rule("PNT-10")
def test_an_exchange_spends_the_oldest_lots_and_is_rows_of_the_ledger(club: Club) -> None:
    club.member()
    for period in ("2026-04", "2026-05", "2026-06"):
        club.grant(period)
    assert club.exchange("k-1", 150, "2026-07-10 12:00:00") is None
    assert club.lots("k-1", "2026-07-10 12:00:00") == [("2026-06-01", 50), ("2026-07-01", 100)]
    assert club.ledger()[3:] == [
        ("2026-07-10 12:00", "2026-05-01", "spend", -100),
        ("2026-07-10 12:00", "2026-06-01", "spend", -50),
    ]


@pytest.mark.rule("PNT-6")
def test_five_thousand_a_month_by_the_month_of_exchange(club: Club) -> None:
    club.member(joined="2021-04-10 12:00:00", in_force_from=date(2021, 4, 1))
    for month in range(1, 13):
        club.grant(f"2026-{month:02}")
    said = [
        rule_of(club.exchange("k-1", 3000, "2027-01-31 23:59:59")),
        rule_of(club.exchange("k-1", 2001, "2027-01-31 23:59:59")),
        rule_of(club.exchange("k-1", 2000, "2027-01-31 23:59:59")),
        rule_of(club.exchange("k-1", 1, "2027-02-01 00:00:00")),
    ]
    assert said == ["ok", "bill_payment_limit", "ok", "ok"]


@pytest.mark.rule("PNT-6")
def test_an_exchange_that_is_refused_leaves_no_row(club: Club) -> None:
    club.member()
    club.grant("2026-04")
    before = club.ledger()
    assert rule_of(club.exchange("k-1", 101, "2026-05-10 12:00:00")) == "too_few_points"
    assert rule_of(club.exchange("k-1", 1, "2026-05-10 12:00:00", "gift", from_line=False)) == (
        "exchange_not_from_line"
    )
    assert club.ledger() == before


@pytest.mark.rule("PNT-10")
def test_a_late_run_takes_nothing_from_whoever_spends_meanwhile(club: Club) -> None:
    club.member()
    assert club.exchange("k-1", 100, "2026-05-01 03:00:00") is None
    once = club.ledger()
    assert (club.grant("2026-04"), club.ledger()) == (1, once)
    assert club.balance("k-1", "2026-05-02 00:00:00") == 0
    assert rule_of(club.exchange("k-1", 1, "2026-06-01 02:59:59")) == "too_few_points"


@pytest.mark.rule("PNT-5")
@pytest.mark.rule("PNT-10")
def test_at_once_from_many_sides_no_point_is_spent_twice(club: Club) -> None:
    club.member()
    club.grant("2026-04")
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(club.exchange, "k-1", 30, "2026-05-10 12:00:00") for _ in range(8)]
        said = sorted(rule_of(one.result()) for one in asked)
    assert said == ["ok"] * 3 + ["too_few_points"] * 5
    assert club.balance("k-1", "2026-05-10 12:00:00") == 10


@pytest.mark.rule("PNT-6")
def test_at_once_from_many_sides_no_more_than_five_thousand_go_into_bills(club: Club) -> None:
    club.member(joined="2021-04-10 12:00:00")
    for year in (2026, 2027):
        for month in range(1, 13):
            club.grant(f"{year}-{month:02}")
    with ThreadPoolExecutor(6) as threads:
        asked = [threads.submit(club.exchange, "k-1", 2000, "2028-01-10 12:00:00") for _ in range(6)]
        said = sorted(rule_of(one.result()) for one in asked)
    assert said == ["bill_payment_limit"] * 4 + ["ok"] * 2


# The end


@pytest.mark.rule("PNT-9")
@pytest.mark.rule("LIN-4")
def test_with_the_line_every_lot_is_forfeited_at_that_instant(club: Club) -> None:
    club.member()
    for period in ("2026-04", "2026-05"):
        club.grant(period)
    club.exchange("k-1", 130, "2026-06-10 12:00:00")
    club.ends("k-1", "2026-06-20 15:00:00")
    assert club.ledger()[-1] == ("2026-06-20 15:00", "2026-06-01", "forfeit", -70)
    assert club.balance("k-1", "2026-06-20 15:00:00") == 0
    club.changes("k-1", ended_at=at("2026-06-20 15:00:00"), in_force_to=date(2026, 6, 20))
    once = club.ledger()
    assert (club.grant("2026-06"), club.grant("2026-05"), club.ledger()) == (0, 1, once)


@pytest.mark.rule("PNT-9")
@pytest.mark.rule("PNT-10")
def test_a_run_that_was_late_grants_nothing_after_the_end_and_the_ledger_is_as_if_it_had_been_in_time(
    club: Club,
) -> None:
    for name in ("k-1", "k-2"):
        club.member(name)
    within(club.engine, lambda c: points_grant.chunk(c, "2026-04", "k-1", "k-2", POLICY))
    for name in ("k-1", "k-2"):
        club.ends(name, "2026-05-01 04:00:00")
        club.changes(name, ended_at=at("2026-05-01 04:00:00"), in_force_to=date(2026, 5, 1))
    club.grant("2026-04")
    assert club.ledger("k-1") == club.ledger("k-2")
    assert [number for *_, number in club.ledger("k-1")] == [100, -100]


@pytest.mark.rule("COL-6")
@pytest.mark.rule("PNT-9")
def test_a_grant_and_an_end_at_the_same_moment_leave_no_point_on_an_ended_line(club: Club) -> None:
    names = [f"k-{number}" for number in range(8)]
    for name in names:
        club.member(name)

    def ends(name: str) -> None:
        """In one transaction, as a switch-over is recorded."""
        ended = {"ended_at": at("2026-05-01 02:59:59"), "in_force_to": date(2026, 5, 1)}
        with club.engine.begin() as connection:
            set_values(connection, ContractRow, [{"contract_id": name, **ended}])
            points.forfeit(connection, name, at("2026-05-01 02:59:59"))

    with ThreadPoolExecutor(9) as threads:
        ending, granting = threads.map(ends, names), threads.submit(club.grant, "2026-04")
        assert (len(list(ending)), granting.result() <= 8) == (8, True)
    assert [club.balance(name, "2026-05-02 00:00:00") for name in names] == [0] * 8


@pytest.mark.rule("COL-6")
@pytest.mark.rule("PNT-9")
def test_exchanges_never_pass_the_end_of_the_line(club: Club) -> None:
    club.member()
    club.grant("2026-04")

    def ends(_: int) -> None:
        """In one transaction, as a switch-over is recorded: the line's row first."""
        ended = at("2026-05-10 12:00:00")
        over = line(contract_id="k-1", state="converted", ended_at=ended, in_force_to=date(2026, 5, 10))
        with club.engine.begin() as connection:
            set_values(connection, ContractRow, [facts(over)])
            points.forfeit(connection, "k-1", ended)

    with ThreadPoolExecutor(7) as threads:
        asked = [threads.submit(club.exchange, "k-1", 20, "2026-05-10 12:00:00") for _ in range(3)]
        ending = threads.submit(ends, 0)
        asked += [threads.submit(club.exchange, "k-1", 20, "2026-05-10 12:00:00") for _ in range(3)]
        ending.result()
        said = [rule_of(one.result()) for one in asked]
    assert set(said) <= {"ok", "not_in_force", "too_few_points"}
    parts = {what: -number for *_, what, number in club.ledger() if what == "forfeit"}
    spent = 20 * said.count("ok")
    assert parts.get("forfeit", 0) == 100 - spent
    assert club.balance("k-1", "2026-05-10 12:00:01") == 0


@pytest.mark.rule("PNT-10")
def test_a_grant_and_exchanges_at_the_same_moment_come_to_the_same(club: Club) -> None:
    club.member()
    with ThreadPoolExecutor(5) as threads:
        asked = [threads.submit(club.exchange, "k-1", 30, "2026-05-01 03:00:01") for _ in range(4)]
        threads.submit(club.grant, "2026-04").result()
        said = sorted(rule_of(one.result()) for one in asked)
    assert said == ["ok"] * 3 + ["too_few_points"]
    assert club.lots("k-1", "2026-05-02 00:00:00") == [("2026-05-01", 10)]
