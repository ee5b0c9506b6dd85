"""Lines live for three years at random: the service's own logic and store against a small book of the rules.

KEIYAKU_TEST_LIVES says how many lives.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
    run_state_machine_as_test,
)

from rules.facts import Task
from rules.refusal import Refusal
from rules.tasks import ACTIONS
from store.migrate import upgrade
from tests.properties.agreement import BEGINS, FIRST_CAP
from tests.properties.book import Bought, Passport, midnight_after, month_end
from tests.properties.lived import words
from tests.properties.members import Members
from tests.rules.cases import at

LIVES = int(os.environ.get("KEIYAKU_TEST_LIVES", "8"))
YEARS = timedelta(days=3 * 366)
NAMES = ("hanako", "Hanako", "taro-1", "jiro.2", "yuki_3", "aoi@4", "sora", "nana")
LINE_CAPS, ID_CAPS = (0, 3000, FIRST_CAP), (None, 0, 1000, 3000, 3001, 60000)
AMOUNTS = (1, 499, 500, 1000, 2999, 3000, 10000, 50000)
EVENTS = ("take_up", "switch_over")
METHODS = ("invoice", "account_transfer", "isp_collection", "credit_card")
which = st.integers(0, 1000)


class Lines(Members):
    """Everything that customers, operators, providers and the calendar can do to a line, at random."""

    def teardown(self) -> None:
        """Whatever is left of the three years: a purchase, and a number, a month."""
        try:
            while self.now < BEGINS + YEARS:
                self.time_passes(27 * 24, 0, True)
                self.buys(0, 1000, True, True)
                self.exchanges_points(100, True, False)
                self.looks_at_points()
                self.asks("conversion", 0)
                self.what_holds()
            self.what_chance_seldom_does()
        finally:
            self.engine.dispose()
            shutil.rmtree(self.folder)

    def what_chance_seldom_does(self) -> None:
        """One last line, on which the edges of the named rules are met for certain; its end is one of the two there are."""
        self.goes_to(self.now.replace(hour=10) + timedelta(days=1), True)
        if self.book.number_state == "taken_up":
            self.the_other_operator_goes_on()
        if not self.book.over(self.now):
            self.asks("cancellation", 0)
            self.goes_to(self.book.ends_at or self.now, True)
        self.goes_to(self.now.replace(day=3, hour=10), True)
        self.another_line_begins(FIRST_CAP)
        self.asks_to_join(False, True)
        for chosen, more in ((0, 1), (1, 1), (0, 0), (0, 1), (1, 1)):
            self.buys_the_last_yen(chosen, more, False)
        for number in range(4):
            self._adds(f"more-{number}", None)
        self._restricts(self.chosen(0), "restriction")
        self.asks("move", 0)
        self._deals_with(self.line.contract.tasks[0], 0)
        self.what_holds()
        self.a_form_is_hurried(0, 0, 1)
        for early in (True, False):
            self.a_deadline_comes(early, True)
            self.what_holds()
        self.a_form_is_hurried(0, next(self.fresh), 3)
        self.how_it_ends()

    def how_it_ends(self) -> None:
        self.goes_to(self.now.replace(hour=10) + timedelta(days=1), True)
        self.looks_at_points()
        if next(self.fresh) % 2:
            for _ in range(2):
                self.asks("conversion", 0)
                self.what_holds()
            for event in EVENTS:
                self._other_operator(self.line.numbers[-1], event)
        else:
            self.asks("cancellation", 0)
            self.goes_to(self.book.ends_at or self.now, False)
            self.buys(1, 1, False, True)
            self.keeps_time()
        self.what_holds()

    # Time

    @rule(
        hours=st.sampled_from([1, 7, 24, 5 * 24, 14 * 24, 31 * 24, 61 * 24]),
        minutes=which,
        kept=st.booleans(),
    )
    def time_passes(self, hours: int, minutes: int, kept: bool) -> None:
        """`kept`: the engine's timers fire at once; otherwise what is due is found by the next command."""
        self.goes_to(self.now + timedelta(hours=hours, minutes=minutes), kept)

    @precondition(lambda self: self.line.due())
    @rule(early=st.booleans(), kept=st.booleans())
    def a_deadline_comes(self, early: bool, kept: bool) -> None:
        """The very second, or the one before."""
        due = at(f"{self.line.due()}:00") - timedelta(seconds=early)
        self.goes_to(max(due, self.now), kept)

    @rule(
        time=st.sampled_from(["08:29:59", "08:30:00", "21:59:59", "22:00:00", "17:00:00"]), kept=st.booleans()
    )
    def an_edge_of_hours_comes(self, time: str, kept: bool) -> None:
        self.goes_to(at(f"{self.now + timedelta(days=1):%Y-%m-%d} {time}"), kept)

    @rule(kept=st.booleans())
    def a_month_begins(self, kept: bool) -> None:
        self.goes_to(month_end(self.now.replace(day=1)), kept)

    def goes_to(self, now: datetime, kept: bool) -> None:
        self.now = now
        if kept:
            self.keeps_time()

    # The line

    @precondition(lambda self: self.book.over(self.now))
    @rule(cap=st.sampled_from(LINE_CAPS))
    def another_line_begins(self, cap: int) -> None:
        self.keeps_time()
        self.past.append((self.line, self.book))
        self.begins(cap)

    @rule(kind=st.sampled_from(["conversion", "conversion", "move", "cancellation"]), rare=which)
    def asks(self, kind: str, rare: int) -> None:
        if kind == "cancellation" and rare % 4:
            return
        if self.accepted(kind, {}, self.book.against_request(kind, self.now)):
            getattr(self, f"_{kind}")()

    @precondition(lambda self: self.book.number_state == "issued")
    @rule()
    def asks_for_another_number(self) -> None:
        self.asks("conversion", 0)

    def _conversion(self) -> None:
        """A new number, and none but it (COL-2)."""
        self.book.number, self.book.number_state = self.line.pending("conversion"), "issued"
        self.book.lapses_at = midnight_after(self.now, 15)
        self.line.numbers.append(self.book.number)

    def _move(self) -> None:
        self.book.moving, self.book.new_type = "move", ""

    def _cancellation(self) -> None:
        self.book.ends_at = month_end(self.now)

    @rule(wanted=st.sampled_from(["cross", "next", "light"]))
    def asks_for_another_type(self, wanted: str) -> None:
        against = self.book.against_request("line_type_change", self.now, wanted)
        if self.accepted("line_type_change", {"line_type": wanted}, against):
            self.book.moving, self.book.new_type = "line_type_change", wanted

    @rule(method=st.sampled_from(METHODS))
    def asks_to_pay_otherwise(self, method: str) -> None:
        payment = {"method": method, "payment_id": f"pay-{next(self.fresh)}"}
        if self.accepted("payment_method", {"payment": payment}, self._against("payment_method")):
            self.book.card_asked = method == "credit_card"

    @precondition(lambda self: self.line.contract.deliveries)
    @rule(outcome=st.sampled_from(["card_taken", "card_declined"]))
    def the_gateway_answers(self, outcome: str) -> None:
        self.line.outside(words(self.now), "register_card", outcome)
        self.book.until(self.now)
        self.book.card_asked = False

    @rule()
    def asks_for_an_access_key(self) -> None:
        found = self.line.judge(words(self.now), "access_key", {})
        self.agree(found, self._against("access_key"))
        if not isinstance(found, Refusal):
            self.line.reissue(words(self.now))
            self.done()

    @precondition(lambda self: self.line.numbers)
    @rule(old=which, latest=st.integers(0, 3), event=st.sampled_from(EVENTS))
    def the_other_operator(self, old: int, latest: int, event: str) -> None:
        """Takes up a number, nearly always the latest, or switches the line over."""
        self._other_operator(self.line.numbers[-1 if latest else old % len(self.line.numbers)], event)

    def _other_operator(self, number: str, event: str) -> None:
        against = self.book.against_step(number, event, self.now)
        no = self.line.advance(words(self.now), number, event)
        self.agree(no, against)
        if no is None:
            self.done()
            self.book.number_state = "taken_up"
            if event == "switch_over":
                self.book.converted = True
                self.book.ends(self.now)

    @precondition(lambda self: self.line.contract.tasks)
    @rule(chosen=which, said=which)
    def an_operator_deals_with(self, chosen: int, said: int) -> None:
        self._deals_with(self.line.contract.tasks[chosen % len(self.line.contract.tasks)], said)

    @precondition(lambda self: self.forms)
    @rule(said=which)
    def a_form_comes_further(self, said: int) -> None:
        self._deals_with(self.forms[0], said)

    @precondition(lambda self: self.book.restricted() and not self.book.over(self.now))
    @rule(chosen=which, said=which, steps=st.integers(1, 3))
    def a_form_is_hurried(self, chosen: int, said: int, steps: int) -> None:
        """Asked for, sent, back, checked, as far as it goes in one go."""
        known = self.book.restricted()
        self._restricts(known[chosen % len(known)], "unrestriction")
        for _ in range(steps):
            if self.forms:
                self._deals_with(self.forms[0], said)
                self.what_holds()

    @precondition(lambda self: self.book.number_state == "taken_up" and not self.book.over(self.now))
    @rule()
    def the_other_operator_goes_on(self) -> None:
        self._other_operator(self.line.numbers[-1], "switch_over")

    @property
    def forms(self) -> list[Task]:
        return [task for task in self.line.contract.tasks if task.kind.endswith("_form")]

    def _deals_with(self, task: Task, said: int) -> None:
        action = ACTIONS[task.kind][said % len(ACTIONS[task.kind])]
        subject = self.line.contract.procedure(task.procedure_id)
        assert subject is not None
        passport_id = subject.data.get("passport_id", "")
        there = self.line.deals_with(self.now, task, action)
        self.book.until(self.now)
        self.line.arrives()
        if task.kind == "report_opening":
            assert there == (self.book.moving is not None)
            self._opened()
        elif task.kind == "check_membership":
            assert there == (subject.procedure_id == self.book.club.link and not self.book.over(self.now))
            if there:
                self.book.club.checked(action == "approve", self.now)
        else:
            assert there == (passport_id in self.book.ids and bool(self.book.ids[passport_id].form))
            self._form(passport_id, task.kind, action)

    def _opened(self) -> None:
        self.book.line_type = (self.book.moving and self.book.new_type) or self.book.line_type
        self.book.club.types.append((self.now, self.book.line_type))
        self.book.moving = None

    def _form(self, passport_id: str, step: str, action: str) -> None:
        """MAT-10: sent, back within sixty days, approved; the only way out of a restriction."""
        passport = self.book.ids.get(passport_id)
        if passport is None or passport.form is None:
            return
        if step == "review_form":
            assert passport.form == "received"
            passport.form, passport.restricted = None, action != "approve"
        else:
            passport.form = {"send_form": "sent", "receive_form": "received"}[step]
            passport.back_by = midnight_after(self.now, 61)

    # Passport IDs

    def begins(self, cap: int) -> None:
        """With two IDs, one of them with a cap of its own: most of what there is to go wrong needs one."""
        super().begins(cap)
        for own in (None, min(cap, 1000)):
            self._adds(f"own-{next(self.fresh)}", own)

    @rule(name=st.sampled_from(NAMES), cap=st.sampled_from(ID_CAPS))
    def adds_an_id(self, name: str, cap: int | None) -> None:
        self._adds(name, cap)

    def _adds(self, name: str, cap: int | None) -> None:
        against = self.book.against_new_id(cap, self.taken(name), self.now)
        passport_id = f"i-{next(self.fresh)}"
        if self.agree(self.line.adds(passport_id, name, cap, self.now), against):
            self.book.ids[passport_id] = Passport(name, cap)

    @precondition(lambda self: self.book.ids)
    @rule(chosen=which, name=st.sampled_from(NAMES), cap=st.sampled_from(ID_CAPS), tied=st.booleans())
    def changes_an_id(self, chosen: int, name: str, cap: int | None, tied: bool) -> None:
        self._changes(self.chosen(chosen), name, cap, tied)

    def _changes(self, passport_id: str, name: str, cap: int | None, tied: bool) -> None:
        taken = name != self.book.ids[passport_id].name and self.taken(name)
        against = self.book.against_new_face(passport_id, cap, taken, self.now)
        values: dict[str, Any] = {"name": name, "monthly_cap": cap, "line_authentication": tied}
        if self.agree(self.line.changes_id(passport_id, values, self.now), against):
            found = self.book.ids[passport_id]
            found.name, found.cap, found.tied_to_line = name, cap, tied

    @precondition(lambda self: self.book.ids)
    @rule(chosen=which)
    def deletes_an_id(self, chosen: int) -> None:
        self._deletes(self.chosen(chosen))

    def _deletes(self, passport_id: str) -> None:
        against = self.book.against_deletion(passport_id, self.now)
        if any(p.data.get("passport_id") == passport_id for p in self.line.contract.procedures):
            assert against, "an ID that a form is about is restricted"
        if self.agree(self.line.removes(passport_id, self.now), against):
            self.book.deletes(passport_id, self.now)

    @precondition(lambda self: self.book.ids)
    @rule(chosen=which, kind=st.sampled_from(["restriction", "unrestriction", "unrestriction"]))
    def restricts_or_asks_for_a_form(self, chosen: int, kind: str) -> None:
        self._restricts(self.chosen(chosen), kind)

    def _restricts(self, passport_id: str, kind: str) -> None:
        against = self.book.against_request(kind, self.now, passport_id)
        if not self.accepted(kind, {"passport_id": passport_id}, against):
            return
        if kind == "unrestriction":
            self.book.ids[passport_id].form = "requested"
        else:
            self.book.ids[passport_id].restricted = True
            self.book.items_end(passport_id, self.now)

    @rule(chosen=which, amount=st.sampled_from(AMOUNTS), monthly=st.booleans(), from_line=st.booleans())
    def buys(self, chosen: int, amount: int, monthly: bool, from_line: bool) -> None:
        known = sorted(self.book.ids)
        self._buys(known[chosen % len(known)] if known else "i-0", amount, monthly, from_line)

    @precondition(lambda self: self.book.ids)
    @rule(chosen=which, more=st.sampled_from([0, 1]), monthly=st.booleans())
    def buys_the_last_yen(self, chosen: int, more: int, monthly: bool) -> None:
        """Just what still goes, or a yen more than that (MAT-4)."""
        passport_id = self.chosen(chosen)
        self._buys(passport_id, max(self.book.room(passport_id, self.now) + more, 1), monthly, True)

    @precondition(lambda self: self.book.restricted())
    @rule(
        chosen=which,
        how=st.sampled_from(
            ["buys", "is renamed", "is deleted", "restriction", "unrestriction", "unrestriction"]
        ),
    )
    def what_is_restricted(self, chosen: int, how: str) -> None:
        """MAT-9, MAT-10: whatever is done with it online, it stays as it is."""
        known = self.book.restricted()
        passport_id = known[chosen % len(known)]
        if how == "buys":
            self._buys(passport_id, 1, False, True)
        elif how == "is renamed":
            self._changes(passport_id, f"new-{next(self.fresh)}", None, True)
        elif how == "is deleted":
            self._deletes(passport_id)
        else:
            self._restricts(passport_id, how)

    @precondition(lambda self: self.gone)
    @rule(chosen=which)
    def buys_with_an_id_that_is_gone(self, chosen: int) -> None:
        """One that was deleted, or whose line ended: as one that was read a moment before would be."""
        self._buys(sorted(self.gone)[chosen % len(self.gone)], 1, False, True)

    def _buys(self, passport_id: str, amount: int, monthly: bool, from_line: bool) -> None:
        against = self.book.against_purchase(passport_id, amount, from_line, self.now)
        purchase_id, kind = f"u-{next(self.fresh)}", "monthly" if monthly else "one_off"
        values = {"purchase_id": purchase_id, "kind": kind, "amount": amount, "cancellation_fee": 0}
        contract_id = self.gone.get(passport_id, self.line.name)
        passport = {"contract_id": contract_id, "passport_id": passport_id}
        no = self.line.buys(passport, values, from_line, self.now)
        assert (no in against) if against else no is None, (no, against)
        if no is None:
            self.book.bought[purchase_id] = Bought(passport_id, self.now, amount, monthly)

    def chosen(self, number: int) -> str:
        return sorted(self.book.ids)[number % len(self.book.ids)]

    def taken(self, name: str) -> bool:
        return any(passport.name == name for passport in self.book.ids.values())


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A database with nothing in it but its tables."""
    file = tmp_path_factory.mktemp("lines") / "empty.db"
    upgrade(f"sqlite:///{file}")
    yield file


@pytest.mark.rule(
    "MAT-4", "MAT-8", "MAT-9", "MAT-10", "COL-1", "COL-2", "COL-3", "COL-6", "LIN-3", "LIN-4", "CAL-4"
)
def test_whatever_is_asked_for_over_three_years_a_line_stays_within_the_rules(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lines, "empty", empty, raising=False)
    slow = list(HealthCheck)
    run_state_machine_as_test(
        Lines,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=90,
            derandomize=True,
            deadline=None,
            suppress_health_check=slow,
        ),
    )
