from datetime import UTC, datetime

import pytest

from rules.decision import decide
from rules.payment_method import not_taken
from tests.rules.cases import CARD, POLICY, accepted, at, refused, rental

METHODS = """
held         asked             verdict
credit_card  credit_card       ok
credit_card  atone             RNT-15
credit_card  np_invoice        RNT-15
credit_card  account_transfer  RNT-15
credit_card  invoice           RNT-15
credit_card  isp_collection    RNT-15
atone        credit_card       ok
atone        atone             RNT-15
atone        np_invoice        RNT-15
atone        account_transfer  RNT-15
atone        invoice           RNT-15
atone        isp_collection    RNT-15
np_invoice   credit_card       ok
np_invoice   atone             RNT-15
np_invoice   np_invoice        RNT-15
np_invoice   account_transfer  RNT-15
np_invoice   invoice           RNT-15
np_invoice   isp_collection    RNT-15
"""


@pytest.mark.rule("RNT-15")
@pytest.mark.parametrize(
    ("held", "asked", "verdict"), [line.split() for line in METHODS.strip().splitlines()[1:]]
)
def test_a_rental_may_change_to_card_and_to_nothing_else(held: str, asked: str, verdict: str) -> None:
    body = {"payment": {"method": asked, "payment_id": "pay-2"}}
    found = decide(rental(payment_method=held), "payment_method", body, at("2026-06-10 12:00:00"), POLICY)
    assert ("ok" if isinstance(found, list) else found.rule) == verdict


@pytest.mark.rule("RNT-14")
@pytest.mark.parametrize("now", ["2026-06-24 23:59:59", "2026-06-26 00:00:00", "2026-06-16 00:00:00"])
def test_card_data_can_be_changed_on_any_other_day(now: str) -> None:
    assert accepted("payment_method", CARD, now) == []


@pytest.mark.rule("RNT-14")
@pytest.mark.parametrize("now", ["2026-06-25 00:00:00", "2026-06-25 23:59:59"])
def test_card_data_cannot_be_changed_on_the_25th(now: str) -> None:
    no = refused("payment_method", CARD, now)
    assert (no.rule, no.opens_at and no.opens_at.isoformat()) == ("RNT-14", "2026-06-26T00:00:00+09:00")


@pytest.mark.rule("RNT-14")
@pytest.mark.rule("CAL-1")
def test_the_25th_is_that_of_japan() -> None:
    before = decide(rental(), "payment_method", CARD, datetime(2026, 6, 24, 14, 59, 59, tzinfo=UTC), POLICY)
    after = decide(rental(), "payment_method", CARD, datetime(2026, 6, 24, 15, 0, 0, tzinfo=UTC), POLICY)
    assert isinstance(before, list)
    assert not isinstance(after, list)


@pytest.mark.rule("RNT-14")
@pytest.mark.parametrize("applied_at", ["2019-10-31 23:59:59", "2018-01-01 00:00:00"])
def test_who_applied_by_the_end_of_october_2019_is_sent_to_another_page(applied_at: str) -> None:
    no = refused("payment_method", CARD, "2026-06-10 12:00:00", applied_at=at(applied_at))
    assert (no.rule, no.reason, no.opens_at) == ("RNT-14", "legacy_card_page", None)
    assert no.data == {"legacy_page": POLICY.card.legacy_page}


@pytest.mark.rule("RNT-14")
def test_who_applied_on_1_november_2019_is_not() -> None:
    assert accepted("payment_method", CARD, "2026-06-10 12:00:00", applied_at=at("2019-11-01 00:00:00")) == []


@pytest.mark.rule("RNT-15")
@pytest.mark.parametrize("method", ["credit_card", "atone", "np_invoice"])
def test_these_methods_pay_a_rental(method: str) -> None:
    assert not_taken("rental", method) is None


@pytest.mark.rule("RNT-15")
@pytest.mark.parametrize("method", ["account_transfer", "invoice", "isp_collection"])
def test_those_of_a_line_do_not(method: str) -> None:
    no = not_taken("rental", method)
    assert no and no.rule == "RNT-15"
