"""What a step writes, and that the snapshot carries all of it."""

import pytest

from rules.facts import Contract
from tests.rules.cases import CARD, STANDARD
from tests.workflows.life import Life, in_force
from workflows.step import Impossible, Step


def long_life() -> Life:
    life = in_force(support_option="support")
    life.ask("2026-05-02 12:00:00", "support_option", {"option": "support_premium"})
    life.ask("2026-05-03 12:00:00", "payment_method", CARD)
    life.outside("2026-05-03 12:00:30", "register_card", "card_taken")
    life.ask("2026-06-10 12:00:00", "plan_change", STANDARD)
    life.act("2026-09-01 12:00:00", "receive_device")
    return life


def test_transitions_are_numbered_without_a_gap() -> None:
    numbers = [change.contract.number for change in long_life().changes]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 10


def test_a_contract_read_back_from_its_snapshot_goes_on_as_it_would_have() -> None:
    """Continue-as-new, and a restart of the worker, lose nothing."""
    whole, cut = in_force(), in_force()
    for life in (whole, cut):
        life.ask("2026-06-10 12:00:00", "cancellation", {})
    for now in ("2026-07-01 00:00:00", "2026-07-11 00:00:00", "2026-07-25 00:00:00"):
        cut.contract = Contract.model_validate_json(cut.contract.model_dump_json(exclude_defaults=True))
        cut.wait(now)
        whole.wait(now)
    assert [change.model_dump(mode="json") for change in cut.changes] == [
        change.model_dump(mode="json") for change in whole.changes
    ]


def test_charges_and_deliveries_have_ids_of_their_own() -> None:
    life = long_life()
    charges = [charge.charge_id for charge in life.charges]
    deliveries = [delivery.delivery_id for delivery in life.deliveries]
    assert len(charges) == len(set(charges)) > 2
    assert len(deliveries) == len(set(deliveries)) > 4


@pytest.mark.parametrize("shipped", [False, True])
@pytest.mark.parametrize("cards", [0, 1, 2])
def test_a_contract_s_own_charges_never_have_the_id_of_what_its_predecessor_charged_to_it(
    shipped: bool, cards: int
) -> None:
    """Each contract counts its own steps: one of the successor's has the number of the step that made it."""
    old = in_force()
    old.ask("2026-06-10 12:00:00", "plan_change", {"plan": "wifi-100", "course": "depocomi"})
    new = old.successor()
    if shipped:
        new.act("2026-06-20 12:00:00", "report_shipped")
    for card in range(cards):
        new.ask(f"2026-07-0{card + 1} 12:00:00", "payment_method", CARD)
        new.outside(f"2026-07-0{card + 1} 12:00:30", "register_card", "card_taken")
    new.ask("2026-07-10 12:00:00", "cancellation", {})
    new.wait("2026-09-01 00:00:00")
    ids = [charge.charge_id for charge in old.charges + new.charges]
    assert len(ids) == len(set(ids)) > 2


def test_the_same_life_lived_twice_gives_the_same_ids() -> None:
    """They are derived, so that a retry is the same act."""
    first, second = long_life(), long_life()
    assert [change.model_dump() for change in first.changes] == [
        change.model_dump() for change in second.changes
    ]


def test_a_change_is_a_picture_that_later_steps_do_not_touch() -> None:
    life = in_force()
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    accepted = life.changes[-1]
    life.wait("2026-07-25 00:00:00")
    assert accepted.contract.state == "ending"
    assert accepted.contract.procedures[0].state == "accepted"


def test_an_event_that_the_machine_does_not_know_there_is_a_fault_of_ours() -> None:
    life = in_force()
    life.ask("2026-06-10 12:00:00", "cancellation", {})
    step = Step(life.contract, life.contract.applied_at, "calendar", key="x")
    with pytest.raises(Impossible, match="cancellation in accepted: grace_over"):
        step.fire(life.contract.procedures[0], "grace_over")
    with pytest.raises(Impossible, match="contract in ending: begin"):
        step.fire_contract("begin")


def test_every_entry_of_a_moved_machine_says_from_where_to_where() -> None:
    moved = [entry for entry in long_life().entries if entry.event]
    assert moved
    assert all(entry.old and entry.new and entry.old != entry.new for entry in moved)
