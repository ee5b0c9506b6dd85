"""CAL-4 for lines: the request × pending table, told once more by hand."""

import pytest

from rules import beside
from tests.rules.lines import BODIES, judged, pending, refused, verdict

TABLE = """
request             pending           verdict
cancellation        application       CAL-4
cancellation        cancellation      RNT-9
cancellation        payment_method    ok
cancellation        conversion        ok
cancellation        taken_up          CAL-4
cancellation        move              ok
cancellation        line_type_change  ok
cancellation        unrestriction     ok
payment_method      application       ok
payment_method      cancellation      ok
payment_method      payment_method    CAL-4
payment_method      conversion        ok
payment_method      taken_up          ok
payment_method      move              ok
payment_method      line_type_change  ok
payment_method      unrestriction     ok
conversion          application       CAL-4
conversion          cancellation      CAL-4
conversion          payment_method    ok
conversion          conversion        ok
conversion          taken_up          COL-2
conversion          move              CAL-4
conversion          line_type_change  CAL-4
conversion          unrestriction     ok
move                application       CAL-4
move                cancellation      CAL-4
move                payment_method    ok
move                conversion        ok
move                taken_up          CAL-4
move                move              CAL-4
move                line_type_change  CAL-4
move                unrestriction     ok
line_type_change    application       CAL-4
line_type_change    cancellation      CAL-4
line_type_change    payment_method    ok
line_type_change    conversion        ok
line_type_change    taken_up          CAL-4
line_type_change    move              CAL-4
line_type_change    line_type_change  CAL-4
line_type_change    unrestriction     ok
restriction         application       CAL-4
restriction         cancellation      ok
restriction         payment_method    ok
restriction         conversion        ok
restriction         taken_up          ok
restriction         move              ok
restriction         line_type_change  ok
restriction         unrestriction     ok
unrestriction       application       CAL-4
unrestriction       cancellation      CAL-4
unrestriction       payment_method    ok
unrestriction       conversion        ok
unrestriction       taken_up          CAL-4
unrestriction       move              ok
unrestriction       line_type_change  ok
unrestriction       unrestriction     ok
access_key          application       CAL-4
access_key          cancellation      ok
access_key          payment_method    ok
access_key          conversion        ok
access_key          taken_up          ok
access_key          move              ok
access_key          line_type_change  ok
access_key          unrestriction     ok
membership          application       CAL-4
membership          cancellation      CAL-4
membership          payment_method    ok
membership          conversion        ok
membership          taken_up          CAL-4
membership          move              ok
membership          line_type_change  ok
membership          unrestriction     ok
authentication_key  application       CAL-4
authentication_key  cancellation      ok
authentication_key  payment_method    ok
authentication_key  conversion        ok
authentication_key  taken_up          ok
authentication_key  move              ok
authentication_key  line_type_change  ok
authentication_key  unrestriction     ok
cancellation        collection        ok
cancellation        suspended         ok
payment_method      collection        ok
payment_method      suspended         ok
conversion          collection        ok
conversion          suspended         CAL-4
move                collection        ok
move                suspended         CAL-4
line_type_change    collection        ok
line_type_change    suspended         CAL-4
restriction         collection        ok
restriction         suspended         ok
unrestriction       collection        ok
unrestriction       suspended         ok
access_key          collection        ok
access_key          suspended         ok
membership          collection        ok
membership          suspended         ok
authentication_key  collection        ok
authentication_key  suspended         ok
cancellation        membership        ok
payment_method      membership        ok
conversion          membership        ok
move                membership        ok
line_type_change    membership        ok
restriction         membership        ok
unrestriction       membership        ok
access_key          membership        ok
membership          membership        ok
authentication_key  membership        ok
"""
CELLS = [tuple(row.split()) for row in TABLE.strip().splitlines()[1:]]
# In which state each column stands: that of its machine while it is pending.
STANDING = {
    "taken_up": pending("conversion", "taken_up"),
    "conversion": pending("conversion", "number_issued"),
    "unrestriction": pending("unrestriction", "form_sent", passport_id="i-3"),
    "application": pending("application", "preparing"),
    "membership": pending("membership", "link_sent"),
    "collection": pending("collection", "suspension_notice"),
    "suspended": pending("collection", "termination_notice"),
}


@pytest.mark.rule("CAL-4")
@pytest.mark.rule("RNT-9")
@pytest.mark.rule("COL-2")
@pytest.mark.parametrize(("request_", "pending_", "expected"), CELLS)
def test_what_may_be_asked_of_a_line_beside_what(request_: str, pending_: str, expected: str) -> None:
    standing = STANDING.get(pending_) or pending(pending_)
    assert verdict(request_, procedures=[standing]) == expected


@pytest.mark.rule("CAL-4")
def test_the_table_of_lines_leaves_out_no_request_and_nothing_pending() -> None:
    assert [cell[:2] for cell in CELLS] == list(beside.VERDICTS["line"])


@pytest.mark.rule("COL-2")
def test_the_refusal_beside_a_number_that_was_taken_up_says_so() -> None:
    no = refused("conversion", procedures=[STANDING["taken_up"]])
    assert (no.rule, no.reason, no.data, no.opens_at) == (
        "COL-2",
        "beside_taken_up",
        {"pending": "conversion"},
        None,
    )


@pytest.mark.rule("COL-2")
def test_outside_the_hours_too_it_is_the_number_taken_up_that_says_no() -> None:
    assert verdict("conversion", "2026-06-10 23:00:00", procedures=[STANDING["taken_up"]]) == "COL-2"


@pytest.mark.rule("CAL-4")
@pytest.mark.parametrize("state", ["ended", "converted", "turned_down"])
@pytest.mark.parametrize("kind", BODIES)
def test_nothing_begins_on_a_line_that_is_over(kind: str, state: str) -> None:
    no = refused(kind, state=state)
    assert (no.rule, no.reason, no.opens_at, no.data) == ("CAL-4", "contract_over", None, {"state": state})


@pytest.mark.rule("CAL-4")
@pytest.mark.parametrize("kind", ["payment_method", "restriction", "access_key", "authentication_key"])
def test_what_the_rules_grant_to_the_end_is_granted_to_the_end(kind: str) -> None:
    assert isinstance(judged(kind, state="ending", procedures=[pending("cancellation")]), list)


@pytest.mark.rule("CAL-4")
@pytest.mark.rule("COL-2")
def test_of_several_pending_procedures_any_can_say_no() -> None:
    both = [STANDING["unrestriction"], pending("payment_method"), STANDING["taken_up"]]
    assert verdict("move", procedures=both) == "CAL-4"
    assert verdict("conversion", procedures=both) == "COL-2"
    assert verdict("restriction", procedures=both) == "ok"
