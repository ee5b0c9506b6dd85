"""What stands on which statement, month after month."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import pairwise

import pytest
from sqlalchemy import Engine, update

from store import statements
from store.ledger import StatementRow
from store.write import table
from tests.rules.cases import CARD, POLICY, STANDARD, at
from tests.store.bills import bill, billed, bought, charged, close, expected, left, lines, notices, sums
from tests.store.lives import written
from tests.workflows.life import in_force, line_in_force

FEE = ("monthly_fee", "wifi-50", "2026-04-01", 2800)


@pytest.mark.rule("BIL-8")
@pytest.mark.rule("LIN-6")
@pytest.mark.parametrize("shipped", ["2026-04-01 00:00:00", "2026-04-17 09:00:00", "2026-04-30 23:59:59"])
def test_the_month_in_which_a_contract_begins_is_charged_whole(engine: Engine, shipped: str) -> None:
    written(engine, in_force(shipped))
    close(engine, "2026-03", "2026-04")
    assert billed(engine) == ["2026-04"]
    assert lines(engine, "2026-04") == [("monthly_fee", "wifi-50", shipped[:10], 2800)]
    assert sums(engine, "2026-04") == (2800, 280, 0, 0, 3080)


@pytest.mark.rule("BIL-8")
def test_every_month_has_its_statement_and_the_short_ones_cost_as_much(engine: Engine) -> None:
    written(engine, in_force())
    months = ["2027-01", "2027-02", "2027-03", "2027-12", "2028-01", "2028-02", "2028-03"]
    assert close(engine, *months) == [1] * 7
    assert {lines(engine, month)[0] for month in months} == {
        ("monthly_fee", "wifi-50", f"{month}-01", 2800) for month in months
    }
    assert (bill(engine, "2028-01")["due_on"], bill(engine, "2027-12")["due_on"]) == (
        date(2028, 2, 29),
        date(2028, 1, 31),
    )


@pytest.mark.rule("LIN-6")
@pytest.mark.rule("RNT-18")
@pytest.mark.rule("RNT-5")
def test_a_plan_change_costs_the_successor_and_the_old_contract_its_last_month_whole(engine: Engine) -> None:
    old = in_force()
    old.ask("2028-02-15 12:00:00", "plan_change", STANDARD)
    new = old.successor()
    new.wait("2028-03-01 00:00:00")
    old.act("2028-03-05 12:00:00", "receive_device")
    written(engine, old, new)
    close(engine, "2028-02", "2028-03")
    new_id = new.contract.contract_id
    assert (billed(engine), billed(engine, new_id)) == (["2028-02"], ["2028-03"])
    assert lines(engine, "2028-02") == [("monthly_fee", "wifi-50", "2028-02-01", 2800)]
    assert lines(engine, "2028-03", new_id) == [
        ("fee", "plan_change", "2028-03-01", 1500),
        ("monthly_fee", "wifi-100", "2028-03-01", 3500),
    ]
    assert sums(engine, "2028-03", new_id) == (5000, 500, 0, 0, 5500)


@pytest.mark.rule("RNT-10")
def test_a_device_that_does_not_come_back_is_charged_and_the_charge_taken_back_in_the_month_it_came(
    engine: Engine,
) -> None:
    life = in_force()
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    life.act("2026-09-02 14:00:00", "receive_device")
    written(engine, life)
    close(engine, "2026-06", "2026-07", "2026-08", "2026-09", "2026-10")
    assert billed(engine) == ["2026-06", "2026-07", "2026-09"]
    assert lines(engine, "2026-07") == [("device", "device", "2026-07-25", 20000)]
    assert sums(engine, "2026-07") == (20000, 2000, 0, 0, 22000)
    assert lines(engine, "2026-09") == [("correction", "device", "2026-09-02", -20000)]
    assert sums(engine, "2026-09") == (-20000, -2000, 0, 0, -22000)


@pytest.mark.rule("BIL-8")
def test_nothing_is_due_where_nothing_is_left_to_pay(engine: Engine) -> None:
    life = in_force()
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    life.act("2026-09-02 14:00:00", "receive_device")
    written(engine, life)
    close(engine, "2026-07", "2026-09")
    assert (bill(engine, "2026-07")["paid_on"], bill(engine, "2026-09")["paid_on"]) == (
        None,
        date(2026, 10, 1),
    )


@pytest.mark.rule("RNT-2")
@pytest.mark.rule("BIL-9")
def test_a_deposit_bears_no_tax_and_comes_back_after_the_twelfth_month(engine: Engine) -> None:
    life = in_force(course="depocomi")
    life.ask("2027-03-10 12:00:00", "cancellation", {})
    life.wait("2027-04-01 00:00:00")
    written(engine, life)
    close(engine, "2026-04", "2027-03")
    assert lines(engine, "2026-04") == [("deposit", "deposit", "2026-04-01", 20000), FEE]
    assert sums(engine, "2026-04") == (2800, 280, 0, 20000, 23080)
    assert lines(engine, "2027-03") == [
        ("monthly_fee", "wifi-50", "2027-03-01", 2800),
        ("deposit", "deposit_returned", "2027-03-31", -20000),
    ]
    assert sums(engine, "2027-03") == (2800, 280, 0, -20000, -16920)


@pytest.mark.rule("RNT-7")
def test_a_forfeited_deposit_does_not_come_back_and_the_last_statement_says_so(engine: Engine) -> None:
    life = in_force(course="depocomi")
    life.ask("2027-02-10 12:00:00", "cancellation", {})
    life.wait("2027-03-01 00:00:00")
    written(engine, life)
    close(engine, "2026-04", "2027-02")
    assert lines(engine, "2027-02") == [
        ("monthly_fee", "wifi-50", "2027-02-01", 2800),
        ("deposit", "deposit_forfeited", "2027-02-28", 0),
    ]
    assert sums(engine, "2027-02") == (2800, 280, 0, 0, 3080)


@pytest.mark.rule("RNT-2")
@pytest.mark.rule("RNT-7")
def test_months_paid_ahead_stand_on_the_first_statement_and_the_next_ones_bear_no_fee(engine: Engine) -> None:
    life = in_force("2026-04-20 09:00:00", course="omatome")
    written(engine, life)
    close(engine, "2026-04", "2026-05", "2026-09", "2026-10")
    assert lines(engine, "2026-04") == [("fee", "prepaid_months", "2026-04-20", 16800)]
    assert sums(engine, "2026-04") == (16800, 1680, 0, 0, 18480)
    for month in ("2026-05", "2026-09"):
        assert (lines(engine, month), sums(engine, month)) == ([], (0, 0, 0, 0, 0))
    assert lines(engine, "2026-10") == [("monthly_fee", "wifi-50", "2026-10-01", 2800)]


@pytest.mark.rule("RNT-7")
def test_unused_months_paid_ahead_are_not_refunded(engine: Engine) -> None:
    life = in_force(course="omatome")
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    life.wait("2026-07-01 00:00:00")
    written(engine, life)
    close(engine, "2026-04", "2026-06")
    assert lines(engine, "2026-06") == [("fee", "prepaid_months_forfeited", "2026-06-30", 0)]
    assert sums(engine, "2026-06") == (0, 0, 0, 0, 0)


@pytest.mark.rule("RNT-11")
@pytest.mark.parametrize(
    ("option", "after"),
    [("support_premium", [("monthly_fee", "support_premium", "2026-07-01", 700)]), (None, [])],
)
def test_a_support_option_is_charged_for_its_months(
    engine: Engine, option: str | None, after: list[tuple[str, str, str, int]]
) -> None:
    life = in_force(support_option="support")
    life.ask("2026-06-15 23:59:59", "support_option", {"option": option})
    written(engine, life)
    close(engine, "2026-06", "2026-07")
    assert lines(engine, "2026-06")[1:] == [("monthly_fee", "support", "2026-06-01", 400)]
    assert lines(engine, "2026-07")[1:] == after


@pytest.mark.rule("RNT-11")
def test_an_option_that_would_have_begun_after_the_contract_s_end_costs_nothing(engine: Engine) -> None:
    life = in_force(support_option="support")
    life.ask("2026-06-10 12:00:00", "support_option", {"option": "support_premium"})
    life.ask("2026-06-12 12:00:00", "cancellation", {})
    written(engine, life)
    close(engine, "2026-06", "2026-07")
    assert [item for _, item, _, _ in lines(engine, "2026-06")] == ["wifi-50", "support"]
    assert billed(engine) == ["2026-06"]


@pytest.mark.rule("MAT-6")
@pytest.mark.rule("LIN-3")
def test_another_type_of_line_costs_more_from_the_next_month_on(engine: Engine) -> None:
    life = line_in_force()
    life.ask("2026-06-10 12:00:00", "line_type_change", {"line_type": "cross"})
    life.act("2026-06-20 15:00:00", "report_opening")
    written(engine, life)
    close(engine, "2026-06", "2026-07")
    assert lines(engine, "2026-06") == [("monthly_fee", "next", "2026-06-01", 5200)]
    assert lines(engine, "2026-07") == [("monthly_fee", "cross", "2026-07-01", 6500)]


@pytest.mark.rule("MAT-6")
@pytest.mark.rule("BIL-9")
def test_purchases_are_added_as_sent_and_bear_no_more_tax(engine: Engine) -> None:
    written(engine, line_in_force())
    bought(engine, "2026-06-01 00:00:00", 333)
    bought(engine, "2026-06-30 23:59:59", 500)
    bought(engine, "2026-07-01 00:00:00", 700)
    bought(engine, "2026-05-31 23:59:59", 900)
    close(engine, "2026-06")
    assert lines(engine, "2026-06")[1:] == [
        ("purchase", "Film 1", "2026-06-01", 333),
        ("purchase", "Film 2", "2026-06-30", 500),
    ]
    assert sums(engine, "2026-06") == (5200, 520, 833, 0, 6553)


@pytest.mark.rule("MAT-8")
@pytest.mark.rule("MAT-9")
@pytest.mark.parametrize(
    ("ended", "months"),
    [
        (None, ["2026-05", "2026-06", "2026-07"]),
        # Its ID was deleted or restricted before the 1st: that month is not settled any more.
        ("2026-05-31 23:59:59", ["2026-05"]),
        # Settled on the 1st already.
        ("2026-06-01 00:00:00", ["2026-05", "2026-06"]),
        ("2026-06-20 12:00:00", ["2026-05", "2026-06"]),
        # Bought and ended in one month.
        ("2026-05-11 12:00:00", ["2026-05"]),
    ],
)
def test_a_monthly_item_is_settled_on_the_1st_until_it_ends(
    engine: Engine, ended: str | None, months: list[str]
) -> None:
    written(engine, line_in_force())
    bought(engine, "2026-05-10 12:00:00", 800, "monthly", ended_at=ended and at(ended))
    close(engine, "2026-05", "2026-06", "2026-07")
    assert [m for m in ("2026-05", "2026-06", "2026-07") if bill(engine, m)["included"]] == months


@pytest.mark.rule("MAT-8")
@pytest.mark.rule("LIN-4")
def test_the_items_of_a_line_that_ended_with_the_month_are_not_settled_on_the_1st(engine: Engine) -> None:
    life = line_in_force()
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    written(engine, life)
    bought(engine, "2026-05-10 12:00:00", 800, "monthly")
    life.wait("2026-07-01 00:00:00")
    written(engine, life)
    close(engine, "2026-06", "2026-07")
    assert billed(engine) == ["2026-06"]
    assert bill(engine, "2026-06")["included"] == 800


@pytest.mark.rule("COL-3")
@pytest.mark.rule("LIN-6")
def test_a_converted_line_s_last_month_is_charged_whole(engine: Engine) -> None:
    life = line_in_force()
    life.ask("2026-06-10 12:00:00", "conversion", {})
    number = life.pending("conversion")
    life.advance("2026-06-11 12:00:00", number, "take_up")
    life.advance("2026-07-01 00:00:00", number, "switch_over")
    written(engine, life)
    close(engine, "2026-06", "2026-07", "2026-08")
    assert billed(engine) == ["2026-06", "2026-07"]
    assert lines(engine, "2026-07") == [("monthly_fee", "next", "2026-07-01", 5200)]


@pytest.mark.rule("MAT-6")
@pytest.mark.parametrize(
    ("method", "buys", "invoice"),
    [
        ("isp_collection", True, "separate"),
        ("isp_collection", False, "line"),
        ("account_transfer", True, "line"),
    ],
)
def test_purchases_come_as_a_separate_invoice_where_the_provider_collects(
    engine: Engine, method: str, buys: bool, invoice: str
) -> None:
    written(engine, line_in_force(payment_method=method))
    if buys:
        bought(engine, "2026-06-10 12:00:00", 500)
    close(engine, "2026-06")
    assert (bill(engine, "2026-06")["invoice"], bill(engine, "2026-06")["standard"]) == (invoice, 5200)


@pytest.mark.rule("RNT-15")
def test_a_statement_is_paid_as_the_contract_was_when_its_month_ended(engine: Engine) -> None:
    life = in_force(payment_method="atone")
    life.ask("2026-06-10 12:00:00", "payment_method", CARD)
    life.outside("2026-07-01 00:00:00", "register_card", "card_taken")
    written(engine, life)
    close(engine, "2026-06", "2026-07")
    assert [
        (bill(engine, m)["payment_method"], bill(engine, m)["payment_id"]) for m in ("2026-06", "2026-07")
    ] == [
        ("atone", "pay-1"),
        ("credit_card", "pay-2"),
    ]


@pytest.mark.rule("BIL-8")
def test_run_twice_it_changes_nothing(engine: Engine) -> None:
    written(engine, in_force(course="depocomi"), line_in_force(contract_id="k-2"))
    first = close(engine, "2026-04")
    before = [(lines(engine, "2026-04", one), bill(engine, "2026-04", one)) for one in ("k-1", "k-2")]
    assert close(engine, "2026-04") == first == [2]
    after = [(lines(engine, "2026-04", one), bill(engine, "2026-04", one)) for one in ("k-1", "k-2")]
    assert after == before


@pytest.mark.rule("BIL-8")
def test_a_closed_month_never_changes_what_is_written_down_later_stands_on_the_next(engine: Engine) -> None:
    written(engine, line_in_force())
    close(engine, "2026-06")
    before = (lines(engine, "2026-06"), bill(engine, "2026-06"))
    charged(engine, date(2026, 6, 30), 1500)
    bought(engine, "2026-06-30 23:59:59", 500)
    close(engine, "2026-06", "2026-07")
    assert (lines(engine, "2026-06"), bill(engine, "2026-06")) == before
    late = {("fee", "plan_change", "2026-06-30", 1500), ("purchase", "Film 1", "2026-06-30", 500)}
    assert late <= set(lines(engine, "2026-07"))
    assert sums(engine, "2026-07") == (6700, 670, 500, 0, 7870)
    close(engine, "2026-08")
    assert not late & set(lines(engine, "2026-08"))


@pytest.mark.rule("BIL-8")
@pytest.mark.rule("MAT-8")
def test_a_monthly_item_that_was_written_down_late_costs_both_months(engine: Engine) -> None:
    written(engine, line_in_force())
    close(engine, "2026-06")
    bought(engine, "2026-06-30 23:59:59", 500, "monthly")
    close(engine, "2026-07", "2026-08")
    assert (bill(engine, "2026-07")["included"], bill(engine, "2026-08")["included"]) == (1000, 500)


@pytest.mark.rule("BIL-8")
def test_what_was_bought_in_a_month_that_is_closed_after_the_next_stands_on_its_own(engine: Engine) -> None:
    written(engine, line_in_force())
    bought(engine, "2026-06-30 23:59:59", 500)
    close(engine, "2026-07", "2026-06")
    assert (bill(engine, "2026-07")["included"], bill(engine, "2026-06")["included"]) == (0, 500)


@pytest.mark.rule("BIL-8")
def test_chunks_leave_nobody_out_and_nobody_in_twice(engine: Engine) -> None:
    names = [f"k-{number}" for number in range(1, 8)]
    written(engine, *(in_force(contract_id=name) for name in names))
    bounds = ["", "k-2", "k-3", "k-30", "k-6", "~"]
    dealt = [close(engine, "2026-04", between=pair)[0] for pair in pairwise(bounds)]
    assert (dealt, expected(engine, "2026-04"), left(engine, "2026-04")) == ([2, 1, 0, 3, 1], 7, [])


@pytest.mark.rule("BIL-8")
def test_who_has_no_statement_yet_is_named(engine: Engine) -> None:
    written(engine, *(in_force(contract_id=name) for name in ("k-1", "k-2", "k-3")))
    close(engine, "2026-04", between=("k-1", "k-2"))
    assert (expected(engine, "2026-04"), left(engine, "2026-04")) == (3, ["k-1", "k-3"])
    assert (expected(engine, "2026-03"), left(engine, "2026-03")) == (0, [])


@pytest.mark.rule("BIL-8")
def test_a_statement_that_is_not_the_sum_of_its_lines_is_named(engine: Engine) -> None:
    written(engine, in_force(), in_force(contract_id="k-2"))
    close(engine, "2026-04")
    rows = table(StatementRow)
    with engine.begin() as connection:
        wrong = update(rows).where(rows.c.contract_id == "k-2")
        connection.execute(wrong.values(standard=2801, total_with_tax=3081))
    assert left(engine, "2026-04") == ["k-2"]


def test_who_was_never_in_force_gets_no_bill(engine: Engine) -> None:
    life = in_force()
    life.ask("2026-06-10 12:00:00", "plan_change", STANDARD)
    written(engine, life)
    assert (expected(engine, "2026-06"), close(engine, "2026-06")) == (1, [1])


@pytest.mark.rule("BIL-4")
@pytest.mark.parametrize(
    ("method", "bill_mail", "channel"),
    [
        ("credit_card", True, "mail"),
        ("credit_card", False, None),
        ("isp_collection", True, "mail"),
        ("invoice", True, "post"),
        ("invoice", False, "post"),
    ],
)
def test_a_bill_is_told_by_mail_to_whoever_wants_it_and_by_post_where_it_is_paid_by_invoice(
    engine: Engine, method: str, bill_mail: bool, channel: str | None
) -> None:
    written(engine, line_in_force(payment_method=method), bill_mail=bill_mail)
    close(engine, "2026-06", "2026-06")
    told = [
        ("r-month-end-2026-06-k-1-statement", "2026-07-01 00:10", {"period": "2026-06", "channel": channel})
    ]
    assert notices(engine) == (told if channel else [])


@pytest.mark.rule("BIL-8")
def test_a_month_closed_late_is_as_one_closed_in_time(engine: Engine) -> None:
    """What happens after the month does not tell on it."""
    intime, late = line_in_force(), line_in_force(contract_id="k-2")
    written(engine, intime, late)
    close(engine, "2026-06", between=("", "k-1"))
    for life in (intime, late):
        life.ask(
            "2026-07-01 08:00:00",
            "payment_method",
            {"payment": {"method": "isp_collection", "payment_id": "pay-3"}},
        )
        life.ask("2026-07-01 09:00:00", "line_type_change", {"line_type": "cross"})
        life.act("2026-07-01 10:00:00", "report_opening")
        life.ask("2026-07-02 10:00:00", "conversion", {})
        life.advance("2026-07-02 11:00:00", life.pending("conversion"), "take_up")
        life.advance("2026-07-03 12:00:00", life.pending("conversion"), "switch_over")
    written(engine, intime, late)
    close(engine, "2026-06")
    own = ("contract_id", "billing_number")
    one, other = (
        {name: value for name, value in bill(engine, "2026-06", k).items() if name not in own}
        for k in ("k-1", "k-2")
    )
    assert one == other
    assert lines(engine, "2026-06", "k-1") == lines(engine, "2026-06", "k-2")


@pytest.mark.rule("BIL-8")
def test_a_chunk_that_is_broken_off_leaves_nothing_and_is_done_whole_afterwards(engine: Engine) -> None:
    written(engine, in_force(course="depocomi"))
    with pytest.raises(ZeroDivisionError), engine.begin() as connection:
        statements.chunk(connection, "2026-04", "", "z", POLICY)
        raise ZeroDivisionError
    assert (billed(engine), left(engine, "2026-04"), notices(engine)) == ([], ["k-1"], [])
    close(engine, "2026-04")
    assert (sums(engine, "2026-04"), len(notices(engine))) == ((2800, 280, 0, 20000, 23080), 1)


@pytest.mark.rule("BIL-8")
def test_the_same_chunk_done_by_many_at_once_is_done_once(engine: Engine) -> None:
    names = [f"k-{number}" for number in range(1, 6)]
    written(engine, *(in_force(contract_id=name, course="depocomi") for name in names))
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(lambda _: close(engine, "2026-04"), range(6))) == [[5]] * 6
    assert {sums(engine, "2026-04", name) for name in names} == {(2800, 280, 0, 20000, 23080)}
    assert (left(engine, "2026-04"), len(notices(engine))) == ([], 5)
