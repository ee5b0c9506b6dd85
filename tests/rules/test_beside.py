"""CAL-4: the request × pending table, told once more by hand."""

from datetime import date
from typing import Any

import pytest

from rules import beside, policy
from rules.decision import KINDS
from rules.facts import Procedure
from tests.rules.cases import CARD, STANDARD, accepted, at, judged, refused
from workflows.step import MACHINES

TABLE = """
request         pending         verdict
plan_change     application     CAL-4
plan_change     plan_change     RNT-6
plan_change     cancellation    CAL-4
plan_change     support_option  ok
plan_change     payment_method  ok
plan_change     collection      ok
plan_change     suspended       CAL-4
cancellation    application     CAL-4
cancellation    plan_change     CAL-4
cancellation    cancellation    RNT-9
cancellation    support_option  ok
cancellation    payment_method  ok
cancellation    collection      ok
cancellation    suspended       ok
support_option  application     CAL-4
support_option  plan_change     CAL-4
support_option  cancellation    CAL-4
support_option  support_option  ok
support_option  payment_method  ok
support_option  collection      ok
support_option  suspended       CAL-4
payment_method  application     ok
payment_method  plan_change     ok
payment_method  cancellation    ok
payment_method  support_option  ok
payment_method  payment_method  CAL-4
payment_method  collection      ok
payment_method  suspended       ok
"""
CELLS = [tuple(line.split()) for line in TABLE.strip().splitlines()[1:]]
BODIES: dict[str, dict[str, Any]] = {
    "plan_change": STANDARD,
    "cancellation": {},
    "support_option": {"option": "support"},
    "payment_method": CARD,
}
# The last state of an unpaid bill that leaves the service as it is, and the first that suspends it.
OWING = {"collection": "suspension_notice", "suspended": "suspended"}
IN_TIME = "2026-06-10 12:00:00"


def pending(kind: str) -> dict[str, Any]:
    return {
        "procedures": [
            Procedure(
                policy=policy.current_digest(),
                procedure_id="p-1",
                kind="collection" if kind in OWING else kind,
                state=OWING.get(kind, "accepted"),
                waiting_on="calendar",
            )
        ]
    }


@pytest.mark.rule("CAL-4")
@pytest.mark.rule("RNT-6")
@pytest.mark.rule("RNT-9")
@pytest.mark.parametrize(("request_", "pending_", "verdict"), CELLS)
def test_what_may_be_asked_for_beside_what(request_: str, pending_: str, verdict: str) -> None:
    found = judged(request_, BODIES[request_], IN_TIME, **pending(pending_))
    assert ("ok" if isinstance(found, list) else found.rule) == verdict


@pytest.mark.rule("CAL-4")
def test_the_table_of_rentals_leaves_out_no_request_and_nothing_pending() -> None:
    assert [cell[:2] for cell in CELLS] == list(beside.VERDICTS["rental"])


@pytest.mark.rule("CAL-4")
def test_the_tables_have_a_row_for_every_request_and_a_column_for_every_machine() -> None:
    cells = [cell for table in beside.VERDICTS.values() for cell in table]
    assert {request for request, _ in cells} == set(KINDS)
    # A restriction is done with its acceptance, so nothing is ever asked for beside it.
    assert {pending for _, pending in cells} == set(MACHINES) - {"restriction"} | {"taken_up", "suspended"}


@pytest.mark.rule("RNT-6")
@pytest.mark.parametrize("now", ["2026-06-10 12:00:00", "2026-06-20 12:00:00"])
def test_a_plan_change_can_be_neither_repeated_nor_altered_on_any_day(now: str) -> None:
    no = refused("plan_change", STANDARD, now, state="ending", **pending("plan_change"))
    assert (no.rule, no.opens_at) == ("RNT-6", None)


@pytest.mark.rule("RNT-9")
@pytest.mark.parametrize("now", ["2026-06-10 12:00:00", "2026-06-25 12:00:00"])
def test_a_second_cancellation_is_refused_whatever_the_day(now: str) -> None:
    no = refused("cancellation", {}, now, state="ending", **pending("cancellation"))
    assert (no.rule, no.reason, no.opens_at) == ("RNT-9", "beside_cancellation", None)


@pytest.mark.rule("CAL-4")
@pytest.mark.parametrize("state", ["ended", "turned_down"])
@pytest.mark.parametrize("kind", BODIES)
def test_nothing_begins_on_a_contract_that_is_over(kind: str, state: str) -> None:
    no = refused(kind, BODIES[kind], IN_TIME, state=state)
    assert (no.rule, no.reason, no.opens_at) == ("CAL-4", "contract_over", None)


@pytest.mark.rule("CAL-4")
@pytest.mark.parametrize("kind", ["plan_change", "cancellation"])
def test_the_payment_method_can_be_changed_to_the_end(kind: str) -> None:
    assert accepted("payment_method", CARD, IN_TIME, state="ending", **pending(kind)) == []


@pytest.mark.rule("CAL-4")
def test_of_two_pending_procedures_either_can_say_no() -> None:
    both = pending("payment_method")["procedures"] + pending("cancellation")["procedures"]
    assert (
        refused("plan_change", STANDARD, IN_TIME, state="ending", procedures=both).reason
        == "beside_cancellation"
    )


@pytest.mark.rule("CAL-4")
@pytest.mark.parametrize(
    ("kind", "body", "opens_at"),
    [
        ("support_option", {"option": "support"}, "2026-07-01 00:00:00"),
        ("cancellation", {}, "2026-07-01 00:00:00"),
        ("plan_change", STANDARD, "2026-07-01 00:00:00"),
        ("plan_change", {"plan": "wifi-50", "course": "standard"}, None),
    ],
)
def test_what_comes_too_early_for_a_successor_is_taken_from_its_first_on(
    kind: str, body: dict[str, Any], opens_at: str | None
) -> None:
    begins = at("2026-07-01 00:00:00")
    waiting = pending("application")["procedures"][0].model_copy(update={"due_at": begins})
    facts: dict[str, Any] = {"started_at": None, "in_force_from": date(2026, 7, 1)}
    no = refused(kind, body, IN_TIME, state="preparing", procedures=[waiting], **facts)
    assert (no.rule, no.opens_at) == ("CAL-4", opens_at and at(opens_at))
    if opens_at:
        accepted(kind, body, opens_at, state="active", **facts)
