"""What customers, operators, the other operator and the calendar may do to a line, beside its passport IDs and bills."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from rules.facts import Task
from rules.refusal import Refusal
from rules.tasks import ACTIONS
from tests.properties.agreement import FIRST_CAP
from tests.properties.book import SECOND, midnight_after, month_end
from tests.properties.lived import words
from tests.properties.owing import Owing
from tests.properties.passports import which
from tests.rules.cases import at

LINE_CAPS = (0, 3000, FIRST_CAP)
EVENTS = ("take_up", "switch_over")
METHODS = ("invoice", "account_transfer", "isp_collection", "credit_card")


class Asking(Owing):
    # Time

    @rule(
        hours=st.sampled_from([1, 7, 24, 5 * 24, 14 * 24, 31 * 24, 61 * 24]),
        minutes=which,
        kept=st.booleans(),
    )
    def time_passes(self, hours: int, minutes: int, kept: bool) -> None:
        """`kept`: the engine's timers fire at once; otherwise what is due is found by the next command."""
        self.goes_to(self.now + timedelta(hours=hours, minutes=minutes), kept)

    @precondition(lambda self: self.book.deadlines(self.now))
    @rule(early=st.booleans(), kept=st.booleans())
    def a_deadline_comes(self, early: bool, kept: bool) -> None:
        """The very second, or the one before: by the book, so that a day more or less does not go unseen."""
        self.goes_to(self.book.deadlines(self.now)[0] - early * SECOND, kept)

    @rule(
        time=st.sampled_from(["08:29:59", "08:30:00", "21:59:59", "22:00:00", "17:00:00"]), kept=st.booleans()
    )
    def an_edge_of_hours_comes(self, time: str, kept: bool) -> None:
        self.goes_to(at(f"{self.now + timedelta(days=1):%Y-%m-%d} {time}"), kept)

    @rule(kept=st.booleans())
    def a_month_begins(self, kept: bool) -> None:
        self.goes_to(month_end(self.now.replace(day=1)), kept)

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
        self.book.cancelled_to = month_end(self.now)

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
            self.book.access_keys += 1

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
        no = self.line.deals_with(self.now, task, action)
        there = no is None or no.reason != "task_done"
        self.book.until(self.now)
        self.line.arrives()
        if task.kind == "report_opening":
            assert there == (self.book.moving is not None)
            self._opened()
        elif task.kind == "check_membership":
            assert there == (subject.procedure_id == self.book.club.link and not self.book.over(self.now))
            joins_no_more = there and action == "approve" and self._against("membership")
            assert (no is not None and no.rule == "CAL-4") == bool(joins_no_more)
            if no is None:
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
