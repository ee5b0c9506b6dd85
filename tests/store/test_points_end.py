"""A line's points end with it, in the transaction of its end and in no other (COL-4, COL-6, LIN-4)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, select

from rules import policy
from rules.points import Wanted
from store import lines, points
from store.ledger import MemberRow
from store.tables import ProcedureRow, PurchaseRow
from store.write import insert, table
from tests.properties.lived import Lived, words
from tests.rules.cases import at
from tests.store.bills import bought
from tests.store.club import within


@pytest.fixture
def line(engine: Engine) -> Lived:
    """A line with an ID, whose customer joined in April 2026 and has two lots of points in June."""
    made = Lived(engine, 1, at("2026-04-01 10:00:00"), cap=50000, discount=True)
    made.adds("i-1", "hanako", None, at("2026-04-01 11:00:00"))
    joined = at("2026-04-10 12:00:00")
    row = {"contract_id": made.name, "email": "hanako@example.jp", "joined_at": joined}
    row |= {"counted_from": joined, "left_at": None}
    within(engine, lambda c: insert(c, MemberRow, [row]))
    figures = policy.current()
    now = at("2026-06-01 03:00:00")
    within(engine, lambda c: points.bring_up(c, made.name, now, figures))
    return made


def balance(line: Lived, now: str) -> int:
    return within(line.engine, lambda c: lines.holdings(c, line.name, at(now))).points


def asked(line: Lived, now: str) -> str:
    """The line's approval number is taken up; its procedure."""
    line.knows(at(now))
    line.personal = {"number": {"number": "A1", "contract_id": line.name}}
    line.ask(now, "conversion", {})
    line.arrives()
    assert line.advance(now, line.pending("conversion"), "take_up") is None
    return line.pending("conversion")


@pytest.mark.rule("LIN-4")
@pytest.mark.rule("PNT-4")
def test_what_hangs_on_the_line_says_by_when_its_points_lapse(line: Lived) -> None:
    now = at("2027-04-01 03:00:00")
    within(line.engine, lambda c: points.bring_up(c, line.name, now, policy.current()))
    held = within(line.engine, lambda c: lines.holdings(c, line.name, now))
    assert held.points_until == {date(2029, 3, 31): 1100, date(2030, 3, 31): 200}
    assert held.points == 1300


@pytest.mark.rule("COL-4")
@pytest.mark.rule("COL-6")
@pytest.mark.rule("PNT-9")
def test_at_the_switch_over_ids_and_points_are_gone_together(line: Lived) -> None:
    procedure_id = asked(line, "2026-06-10 12:00:00")
    assert balance(line, "2026-06-20 15:00:00") == 200
    line.advance("2026-06-20 15:00:00", procedure_id, "switch_over")
    assert balance(line, "2026-06-20 15:00:00") == 0
    assert (
        within(line.engine, lambda c: lines.holdings(c, line.name, at("2026-06-20 15:00:00"))).passport_ids
        == []
    )
    at_once = at("2026-06-20 15:00:00")
    assert within(line.engine, lambda c: points.forfeited(c, line.name, at_once)) == 200
    assert (
        within(line.engine, lambda c: c.execute(select(table(MemberRow).c.left_at)).scalar_one()) == at_once
    )


@pytest.mark.rule("COL-6")
def test_an_end_that_cannot_be_written_takes_no_point(line: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    procedure_id = asked(line, "2026-06-10 12:00:00")

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(lines, "_forget", broken)
    with pytest.raises(ZeroDivisionError):
        line.advance("2026-06-20 15:00:00", procedure_id, "switch_over")
    held = within(line.engine, lambda c: lines.holdings(c, line.name, at("2026-06-20 15:00:00")))
    assert (held.points, held.passport_ids) == (200, ["i-1"])


@pytest.mark.rule("COL-5")
@pytest.mark.rule("LIN-4")
@pytest.mark.parametrize("kind", ["conversion", "cancellation"])
def test_the_points_to_be_lost_are_shown_before(line: Lived, kind: str) -> None:
    line.knows(at("2026-06-10 12:00:00"))
    line.personal = {"number": {"number": "A1", "contract_id": line.name}} if kind == "conversion" else {}
    effects = line.ask("2026-06-10 12:00:00", kind, {})
    assert [effect.amount for effect in effects if effect.what == "points_forfeited"] == [200]
    rows = table(ProcedureRow)
    kept = within(
        line.engine, lambda c: c.execute(select(rows.c.effects).where(rows.c.kind == kind)).scalar_one()
    )
    assert [effect["amount"] for effect in kept if effect["what"] == "points_forfeited"] == [200]


@pytest.mark.rule("LIN-4")
@pytest.mark.rule("PNT-9")
def test_until_the_end_of_a_cancelled_line_its_points_are_there_and_can_be_spent(line: Lived) -> None:
    line.ask("2026-06-10 12:00:00", "cancellation", {})
    now = at("2026-06-30 23:59:59")
    wanted, figures = Wanted("x-1", "bill_payment", 50), policy.current()
    assert within(line.engine, lambda c: points.exchange(c, line.name, wanted, False, now, figures)) is None
    assert balance(line, words(now)) == 150
    line.wait("2026-07-03 12:00:00")
    assert balance(line, "2026-07-01 00:00:00") == 0
    ended = at("2026-07-01 00:00:00")
    assert within(line.engine, lambda c: points.forfeited(c, line.name, ended)) == 150
    late = within(line.engine, lambda c: points.exchange(c, line.name, wanted_again(), False, ended, figures))
    assert late is not None and late.rule == "CAL-4"


def wanted_again() -> Wanted:
    return Wanted("x-2", "bill_payment", 50)


@pytest.mark.rule("COL-6")
@pytest.mark.rule("MAT-6")
def test_what_was_bought_while_the_end_was_written_down_was_bought_before_it(engine: Engine) -> None:
    bought(engine, "2026-06-30 23:59:58", 100)
    bought(engine, "2026-07-01 00:00:00", 200, kind="monthly")
    over = at("2026-06-30 23:59:59")
    within(engine, lambda c: lines.wipe(c, "k-1", over))
    rows = table(PurchaseRow)
    found = select(rows.c.at, rows.c.ended_at).order_by(rows.c.amount)
    told = within(engine, lambda c: [tuple(row) for row in c.execute(found)])
    assert told == [(at("2026-06-30 23:59:58"), None), (over, over)]
