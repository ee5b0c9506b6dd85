"""Contracts that lived by the calendar, written to a database as their workflows would write them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from rules import policy
from store import changes, people, policies
from tests.workflows.life import Life

PARTY: dict[str, Any] = {
    "kind": "individual",
    "name": "山田 花子",
    "kana": "ヤマダ ハナコ",
    "email": "hanako@example.jp",
    "phone": "0312345678",
    "postal_code": "1000001",
    "address": "東京都千代田区千代田1-1",
    "language": "ja",
    "braille": False,
    "bill_mail": True,
}


def written(engine: Engine, *lives: Life, **party: Any) -> None:
    """Every change of `lives` that is not written yet; a customer each, `party` changing what is said of them."""
    policies.agree(engine, policy.current())
    with engine.begin() as connection:
        for life in lives:
            contract = life.contract
            if contract.predecessor_contract_id is None:
                life.changes[0].command_id = f"c-{contract.contract_id}"
                people.take_in(connection, life.changes[0].command_id, _application(life, party))
            changes.record(connection, life.changes)


def _application(life: Life, party: dict[str, Any]) -> dict[str, Any]:
    name = life.contract.contract_id.removeprefix("k-")
    first = life.changes[0].contract
    payment = {"payment_id": first.payment_id, "method": first.payment_method, "card_token": "tok_ok"}
    return {
        "account": {"account_id": f"a-{name}", "kind": "individual", "language": "ja"},
        "account_id": f"a-{name}",
        "party": PARTY | {"party_id": f"y-{name}"} | party,
        "payment": payment,
        **({"customer_id": f"CAF{name}"} if first.product == "line" else {}),
    }
