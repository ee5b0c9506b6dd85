"""The cancellation of a line: everything works to its last day, and ends with it."""

from datetime import date

import pytest

from rules.refusal import Refusal
from tests.rules.cases import CARD
from tests.rules.lines import FULL
from tests.workflows.life import Life, line_in_force


def cancelled(now: str = "2026-06-10 12:00:00") -> Life:
    life = line_in_force()
    life.holdings = FULL
    life.ask(now, "cancellation", {})
    return life


@pytest.mark.rule("LIN-4")
@pytest.mark.parametrize(
    ("now", "last_day", "ends"),
    [
        ("2026-06-15 23:59:59", date(2026, 6, 30), "2026-07-01 00:00"),
        ("2026-06-16 00:00:00", date(2026, 7, 31), "2026-08-01 00:00"),
        ("2026-06-25 12:00:00", date(2026, 7, 31), "2026-08-01 00:00"),
        ("2028-01-16 00:00:00", date(2028, 2, 29), "2028-03-01 00:00"),
    ],
)
def test_it_ends_at_the_end_of_its_last_day_and_not_before(now: str, last_day: date, ends: str) -> None:
    life = cancelled(now)
    assert (life.contract.state, life.contract.in_force_to, life.due()) == ("ending", last_day, ends)
    life.wait(f"{last_day} 23:59:59")
    assert (life.contract.state, [change for change in life.changes if change.wiped]) == ("ending", [])
    life.wait(f"{ends}:00")
    assert (life.contract.state, life.changes[-1].wiped) == ("ended", True)


@pytest.mark.rule("LIN-4")
def test_end_and_deletion_are_one_change_and_nothing_is_left_to_wait_for() -> None:
    life = cancelled()
    before = len(life.changes)
    life.wait("2027-01-01 00:00:00")
    assert len(life.changes) == before + 1
    assert life.told()[-4:] == [
        ("2026-06-10 12:00", "cancellation_accepted"),
        ("2026-06-10 12:00", "contract_ending"),
        ("2026-07-01 00:00", "contract_ended"),
        ("2026-07-01 00:00", "line_cancellation_closed"),
    ]
    contract = life.contract
    assert (contract.procedures, contract.tasks, contract.restricted, life.due()) == ([], [], [], None)
    assert life.owed() == []
    assert contract.ended_at == life.changes[-1].entries[0].at


@pytest.mark.rule("LIN-4")
@pytest.mark.rule("MAT-9")
def test_until_then_an_id_can_be_restricted_and_the_payment_method_changed() -> None:
    life = cancelled()
    life.ask("2026-06-30 23:59:58", "restriction", {"passport_id": "i-1"})
    life.ask("2026-06-30 23:59:59", "payment_method", CARD)
    assert life.contract.restricted == ["i-1"]
    life.wait("2026-07-01 00:00:00")
    assert (life.contract.restricted, life.states()) == ([], {"payment_method": "accepted"})
    life.outside("2026-07-01 00:00:20", "register_card", "card_taken")
    assert (life.contract.state, life.contract.payment_id, life.states()) == ("ended", "pay-2", {})


@pytest.mark.rule("RNT-9")
@pytest.mark.rule("CAL-4")
@pytest.mark.parametrize(
    ("kind", "body", "rule"),
    [
        ("cancellation", {}, "RNT-9"),
        ("conversion", {}, "CAL-4"),
        ("move", {}, "CAL-4"),
        ("line_type_change", {"line_type": "cross"}, "CAL-4"),
        ("unrestriction", {"passport_id": "i-1"}, "CAL-4"),
    ],
)
def test_nothing_new_begins_on_a_line_that_is_ending(kind: str, body: dict[str, str], rule: str) -> None:
    no = cancelled().judge("2026-06-25 12:00:00", kind, body)
    assert isinstance(no, Refusal) and no.rule == rule


@pytest.mark.rule("LIN-4")
@pytest.mark.rule("COL-2")
def test_a_number_that_is_out_can_no_longer_be_taken_up_on_a_line_that_ends() -> None:
    life = line_in_force()
    life.ask("2026-06-20 12:00:00", "conversion", {})
    life.ask("2026-06-30 12:00:00", "conversion", {})
    number = life.pending("conversion")
    life.ask("2026-07-01 12:00:00", "cancellation", {})
    no = life.advance("2026-07-02 12:00:00", number, "take_up")
    assert no and (no.rule, no.reason) == ("CAL-4", "beside_cancellation")
    assert life.states() == {"conversion": "number_issued", "cancellation": "accepted"}
    life.wait("2026-07-14 23:59:59")
    assert life.states() == {"conversion": "number_issued", "cancellation": "accepted"}
    life.wait("2026-07-15 00:00:00")
    assert life.states() == {"cancellation": "accepted"}
    assert life.told()[-1] == ("2026-07-15 00:00", "conversion_lapsed")


@pytest.mark.rule("LIN-4")
@pytest.mark.rule("COL-2")
@pytest.mark.parametrize(
    "issued",
    [
        "2027-02-14 12:00:00",  # would lapse at the instant at which the line ends
        "2027-02-15 12:00:00",  # would lapse a day later
    ],
)
def test_in_february_a_number_may_be_out_when_the_line_ends_and_lapses_with_it(issued: str) -> None:
    life = line_in_force()
    life.ask(issued, "conversion", {})
    number = life.pending("conversion")
    life.ask("2027-02-15 23:59:59", "cancellation", {})
    life.wait("2027-02-28 23:59:59")
    assert life.states() == {"conversion": "number_issued", "cancellation": "accepted"}
    life.wait("2027-03-01 00:00:00")
    assert (life.contract.state, life.states(), life.due()) == ("ended", {}, None)
    assert life.told().count(("2027-03-01 00:00", "conversion_lapsed")) == 1
    assert [change.wiped for change in life.changes].count(True) == 1
    no = life.advance("2027-03-01 00:00:00", number, "take_up")
    assert no and (no.rule, no.reason) == ("COL-2", "number_void")


@pytest.mark.rule("LIN-4")
@pytest.mark.parametrize(("kind", "body"), [("move", {}), ("line_type_change", {"line_type": "cross"})])
def test_what_was_not_opened_in_time_is_overtaken_by_the_end(kind: str, body: dict[str, str]) -> None:
    life = line_in_force()
    life.ask("2026-06-01 12:00:00", kind, body)
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    life.wait("2026-07-01 00:00:00")
    assert (life.contract.state, life.states(), life.tasks()) == ("ended", {}, [])
    assert ("2026-07-01 00:00", f"{kind}_superseded") in life.told()
    assert (life.changes[-1].moved, life.contract.line_type) == (None, "next")
    assert [done.action for done in life.changes[-1].done] == ["withdrawn"]


@pytest.mark.rule("LIN-3")
def test_a_move_under_way_may_still_be_done_while_the_line_ends() -> None:
    life = line_in_force()
    life.ask("2026-06-01 12:00:00", "move", {})
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    life.act("2026-06-30 23:59:59", "report_opening")
    assert life.changes[-1].moved is not None
    assert life.states() == {"cancellation": "accepted"}
