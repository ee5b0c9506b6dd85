"""The shapes that workflows take, each lived on a running service. They give the contracts to look at."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
from sqlalchemy import select

from api.callers import issue
from credentials import Credentials
from gate import run_id
from rules import jobs, policy
from rules.calendar import day_of
from rules.runs import Run, put_off_id
from store.database import connect, reading
from store.tables import ContractRow
from store.write import table
from tests.club import ask_to_join, link_of, open_link
from tests.line import active_line
from tests.owing import INVOICE, Owing
from tests.stack import APPLICANT, CARD, Customer, Rental, Stack, eventually

CHANGE = {"plan": "wifi-50", "course": "standard"}
PHONE = "08012345678"


def individual(stack: Stack) -> list[str]:
    rental = stack.active_contract(course="omatome", support_option="support")
    return [rental.contract_id]


def corporate(stack: Stack) -> list[str]:
    rental = stack.active_contract(applicant={"kind": "corporate"}, payment={"method": "np_invoice"})
    return [rental.contract_id]


def corporate_line(stack: Stack) -> list[str]:
    """Its opening brings letter and mail."""
    line = active_line(stack, applicant={"kind": "corporate"}, payment=INVOICE)
    stack.mailed("login", line.contract_id)
    eventually(lambda: not on_their_way(stack, line.contract_id))
    return [line.contract_id]


def turned_down(stack: Stack) -> list[str]:
    contract_id = stack.apply()
    stack.do("confirm_application", contract_id, "turn_down")
    return [contract_id]


def declined_at_application(stack: Stack) -> list[str]:
    rental = stack.active_contract(payment={"method": "credit_card", "card_token": "tok_declined"})
    return [rental.contract_id]


def plan_changed(stack: Stack, days_until_return: int) -> list[str]:
    """The successor is first begun by the wake of its predecessor."""
    rental = stack.active_contract(course="depocomi")
    stack.at(day=range(1, 15))
    successor = rental.agree("plan_change", **CHANGE)["successor_contract_id"]
    stack.at(day=1, time="00:00:01")
    stack.pass_days(days_until_return)
    stack.do("receive_device", rental.contract_id)
    return [rental.contract_id, successor]


def shipped_before_its_month(stack: Stack) -> list[str]:
    """The successor is first begun by an operator."""
    rental = stack.active_contract()
    stack.at(day=range(1, 15))
    successor = rental.agree("plan_change", **CHANGE)["successor_contract_id"]
    stack.ship(successor)
    stack.at(day=1, time="00:00:01")
    return [successor]


def cancelled(stack: Stack) -> list[str]:
    rental = stack.active_contract()
    stack.at(day=range(1, 15))
    assert rental.ask("support_option", option="support").status_code == 202
    rental.agree("cancellation")
    stack.pass_days(40)
    stack.do("receive_device", rental.contract_id)
    return [rental.contract_id]


def support_option_changed(stack: Stack) -> list[str]:
    rental = stack.active_contract(support_option="support")
    stack.at(day=range(1, 15))
    assert rental.ask("support_option", option="support_premium").status_code == 202
    stack.pass_days(32)
    return [rental.contract_id]


def paid_otherwise(stack: Stack) -> list[str]:
    rental = stack.active_contract(payment={"method": "atone"})
    stack.at(day=range(2, 20))
    for token in ("tok_declined", "tok_flaky"):
        card(rental, token)
    return [rental.contract_id]


def overtaken(stack: Stack) -> list[str]:
    """A plan change while the gateway is still being asked about a new card: the successor asks, too."""
    rental = stack.active_contract(payment={"method": "atone"})
    stack.at(day=range(2, 15))
    faults(stack, gateway="down")
    assert rental.ask("payment_method", payment=CARD).status_code == 202
    successor = rental.agree("plan_change", **CHANGE)["successor_contract_id"]
    faults(stack, gateway="up")
    for one in (rental, rental.other(successor)):
        eventually(partial(paid_by_card, one))
    stack.at(day=1, time="00:00:01")
    return [rental.contract_id, successor]


def paid_by_card(rental: Rental) -> bool:
    return bool(rental.read()["payment_method"] == "credit_card")


def collected(stack: Stack) -> list[str]:
    """A line is suspended, paid for in parts and too much, and ended by its next bill."""
    stack.at(day=range(2, 20))
    line = active_line(stack, payment=INVOICE)
    owing = Owing(stack, line)
    owing.until("suspended_after_days")
    owing.pay(1)
    owing.pay(owing.statement["total_with_tax"] + 10)
    stack.pass_days(180)
    assert line.state == "ended"
    return [line.contract_id]


def terminated(stack: Stack) -> list[str]:
    """A rental whose card was declined; its device comes back."""
    stack.at(day=range(2, 20))
    rental = stack.active_contract(payment={"method": "credit_card", "card_token": "tok_declined"})
    Owing(stack, rental).until("terminated_after_days")
    stack.do("receive_device", rental.contract_id)
    return [rental.contract_id]


def club(stack: Stack) -> list[str]:
    """By easy entry, whose link nobody opens; then by a second link that replaces a first; then a key for exchanges."""
    stack.at(day=range(2, 20))
    line = active_line(stack, applicant={"phone": PHONE})
    entry = {"email": "easy@example.jp", "name": APPLICANT["name"], "phone": PHONE}
    assert stack.call("POST", "/v1/memberships", json=entry).status_code == 202
    stack.do("check_membership", line.contract_id, "approve")
    stack.pass_days(8)
    for _ in range(2):
        assert ask_to_join(line).status_code == 202
    assert open_link(stack, link_of(stack, line.contract_id, 3)).status_code == 200
    assert line.customer.post(f"{line.path}/authentication-keys").status_code == 201
    stack.mailed("authentication_key", line.contract_id)
    return [line.contract_id]


def rested(stack: Stack) -> list[str]:
    """All is quiet for so long that its workflow ends."""
    return [at_rest(stack).contract_id]


def woken(stack: Stack) -> list[str]:
    """What is asked for after the rest begins a new run; and it comes to rest again."""
    rental = at_rest(stack)
    stack.at(day=range(2, 20))
    card(rental, "tok_ok")
    quiet(stack, rental)
    return [rental.contract_id]


def at_rest(stack: Stack) -> Rental:
    rental = stack.active_contract()
    quiet(stack, rental)
    return rental


def quiet(stack: Stack, rental: Rental) -> None:
    """Nothing is on its way, and nothing happens for a month and longer."""
    eventually(lambda: not on_their_way(stack, rental.contract_id))
    stack.pass_days(policy.load().workflow.rest_after_days + 2)


def refused_recipient(stack: Stack) -> list[str]:
    contract_id = stack.apply()
    faults(stack, smtp="refuse")
    stack.approve(contract_id)
    eventually(lambda: not on_their_way(stack, contract_id))
    faults(stack, smtp="up")
    return [contract_id]


def begun_anew(stack: Stack) -> list[str]:
    """Long enough for several runs."""
    rental = pending_in_every_way(stack)
    many_cards(rental, 16)
    faults(stack, smtp="up")
    stack.mailed("login", rental.contract_id)
    many_cards(rental, 8)
    return [rental.contract_id]


def pending_in_every_way(stack: Stack) -> Rental:
    """The mail server is down, so that the login is on its way; a deadline lies ahead; the device is to be sent."""
    stack.at(day=range(1, 15))
    contract_id = stack.apply(payment={"method": "atone"})
    faults(stack, smtp="down")
    stack.approve(contract_id)
    rental = Rental(Unmailed(stack, contract_id), contract_id)
    stack.ship(contract_id)
    assert rental.ask("support_option", option="support").status_code == 202
    rental.agree("plan_change", **CHANGE)
    return rental


class Unmailed(Customer):
    """Somebody whose login has not come yet; the test lets them in."""

    def __init__(self, stack: Stack, contract_id: str) -> None:
        super().__init__(stack, "", "")
        self.contract_id = contract_id

    @property
    def token(self) -> str:
        credentials = Credentials((self.stack.folder / "secret.key").read_text().strip())
        rows = table(ContractRow)
        with reading(connect(self.stack.database_url)).begin() as connection:
            mine = select(rows.c.account_id).where(rows.c.contract_id == self.contract_id)
            account_id = connection.execute(mine).scalar_one()
        return issue(credentials, account_id, self.stack.now(), 12)[0]


def many_cards(rental: Rental, number: int) -> None:
    for count in range(number):
        card(rental, "tok_ok" if count % 2 else "tok_declined")


def card(rental: Rental, token: str) -> None:
    """A card is given, and the gateway has answered."""
    answer = rental.ask("payment_method", payment={"method": "credit_card", "card_token": token})
    assert answer.status_code == 202, answer.text
    eventually(lambda: rental.procedure(answer.json()["procedure_id"])["state"] in ("in_effect", "declined"))


def settled(stack: Stack) -> list[str]:
    """A run over all contracts: the gateway is down, so that it waits for an operator, who then has it go on."""
    stack.at(day=range(2, 20))
    stack.active_contract(payment=CARD)
    period = jobs.month(day_of(stack.now()))
    stack.at(day=1)
    stack.at(day=25, time="00:00:01")
    faults(stack, gateway="down")
    stack.at(day=25)
    faults(stack, gateway="up")
    again = stack.operate("POST", "/jobs/settlement/run", json={"period": period})
    assert (again.status_code, again.json()["result"]["left"]) == (200, []), again.text
    return [run_id(Run(job="settlement", period=period))]


def put_off(stack: Stack) -> list[str]:
    """A run over all contracts and what mailboxes put off of it: not yet at the first try, taken at a later one."""
    stack.at(day=range(2, 20))
    rental = stack.active_contract(payment=CARD)
    run = Run(job="month-end", period=jobs.month(day_of(stack.now())))
    stack.at(day=1, time="00:00:01")
    faults(stack, smtp="busy")
    stack.at(day=1, time="00:30:00")
    faults(stack, smtp="up")
    stack.at(day=1, time="09:00:00")
    assert not on_their_way(stack, rental.contract_id)
    return [put_off_id(run)]


def faults(stack: Stack, **how: str) -> None:
    httpx.post(f"{stack.note['sandbox']}/faults", json=how, trust_env=False).raise_for_status()


def on_their_way(stack: Stack, contract_id: str) -> list[dict[str, Any]]:
    answer = stack.operate("GET", f"/contracts/{contract_id}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["on_their_way"])


LIVES: dict[str, Callable[[Stack], list[str]]] = {
    "individual": individual,
    "corporate": corporate,
    "corporate-line": corporate_line,
    "turned-down": turned_down,
    "declined-at-application": declined_at_application,
    "returned": lambda stack: plan_changed(stack, 5),
    "returned-late": lambda stack: plan_changed(stack, 15),
    "charged": lambda stack: plan_changed(stack, 60),
    "shipped-before-its-month": shipped_before_its_month,
    "cancelled": cancelled,
    "support-option": support_option_changed,
    "paid-otherwise": paid_otherwise,
    "overtaken": overtaken,
    "refused-recipient": refused_recipient,
    "collected": collected,
    "terminated": terminated,
    "club": club,
    "rested": rested,
    "woken": woken,
    "settled": settled,
    "put-off": put_off,
}
LONG_LIVES: dict[str, Callable[[Stack], list[str]]] = {"begun-anew": begun_anew}
