"""What chance seldom does: after its three years every life meets the edges of the named rules for certain, to the second."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, datetime, timedelta
from itertools import product

from rules.refusal import Refusal
from tests.properties.agreement import FIRST_CAP
from tests.properties.asking import EVENTS, Asking
from tests.properties.bills_book import SUSPENDED
from tests.properties.book import SECOND, month_end
from tests.properties.lived import words
from tests.properties.passports import MEDDLING
from tests.rules.cases import at

HOURS = ("08:29:59", "08:30:00", "08:59:59", "09:00:00", "16:59:59", "17:00:00", "21:59:59", "22:00:00")
DAYS = ("12-28", "12-29", "01-03", "01-04")
APPROVED, TURNED_DOWN = 0, 1


class Edges(Asking):
    def what_chance_seldom_does(self) -> None:
        """The line that is there is cancelled; one more is converted, and one ends by an unpaid bill."""
        self.a_line_is_cancelled()
        self.next_month(5, 10)
        self.another_line_begins(FIRST_CAP)
        self.what_hours_say()
        self.numbers_and_links()
        self.a_line_is_converted()
        self.next_month(5, 10)
        self.another_line_begins(FIRST_CAP)
        self.the_first_points()
        self.caps_and_months()
        self.restrictions_and_forms()
        self.another_type_and_back()
        self.points_and_limits()
        self.a_line_is_suspended()
        self.a_line_is_terminated()

    def next_month(self, day: int, hour: int = 0, kept: bool = True) -> None:
        first = self.now.replace(day=1, hour=0, minute=0, second=0) + timedelta(days=32)
        self.goes_to(first.replace(day=day, hour=hour), kept)

    def next_day(self) -> None:
        self.goes_to((self.now + timedelta(days=1)).replace(hour=10, minute=0, second=0), True)

    def a_line_is_cancelled(self) -> None:
        """LIN-4: it is what it was to the last second."""
        self.next_day()
        if self.book.number_state == "taken_up":
            self.the_other_operator_goes_on()
        if self.book.over(self.now):
            return
        for day, hour in ((15, "23:59:59"), (16, "00:00:00")):
            self.ends_as_shown(at(f"{self.now + timedelta(days=32):%Y-%m}-{day} {hour}"))
        self.asks("cancellation", 0)
        for kind in ("conversion", "move", "cancellation"):
            self.asks(kind, 0)
        self._adds("late", None)
        assert self.book.ends_at
        self.goes_to(self.book.ends_at - SECOND, False)
        self.buys(0, 1, False, True)
        self.goes_to(self.book.ends_at, False)
        self.buys(0, 1, False, True)
        self.exchanges_points(1, False, True)
        self.registers_the_key()
        self.keeps_time()
        self.buys_with_an_id_that_is_gone(0)
        self.what_holds()

    def ends_as_shown(self, when: datetime) -> None:
        if not self.book.against_request("cancellation", when):
            shown = self.line.judge(words(when), "cancellation", {})
            assert not isinstance(shown, Refusal)
            assert [one.at for one in shown if one.what == "contract_ends"] == [month_end(when)], "LIN-4"

    def what_hours_say(self) -> None:
        """COL-1, IDN-2: on the next day, and around New Year."""
        tomorrow, year = f"{self.now + timedelta(days=1):%Y-%m-%d}", self.now.year
        whens = [f"{tomorrow} {hour}" for hour in HOURS]
        whens += [f"{year + (day < '02')}-{day} {hour}" for day, hour in product(DAYS, HOURS[1::3])]
        for when, kind in product(whens, ("conversion", "access_key")):
            book = deepcopy(self.book)
            book.until(at(when))
            self.agree(self.line.judge(when, kind, {}), book.against_request(kind, at(when)))

    def numbers_and_links(self) -> None:
        """COL-1, COL-2, PNT-1: an earlier one is void, the latest is good to its last second."""
        for _ in range(2):
            self.asks_to_join(True, False)
            self._opens(self.links[-1])
        self._deals_with(self.line.contract.tasks[0], TURNED_DOWN)
        self._opens(self.links[-1])
        for _ in range(2):
            self.asks("conversion", 0)
            self.asks_to_join(False, False)
        self.what_holds()
        self._other_operator(self.line.numbers[-2], "take_up")
        self._opens(self.links[-2])
        self.goes_to(self._void_at, False)
        self._opens(self.links[-1])
        self.goes_to(self._lapses_at, False)
        self._other_operator(self.line.numbers[-1], "take_up")
        self.keeps_time()
        self.what_holds()
        self.next_day()
        self.asks("conversion", 0)
        self.asks_to_join(False, False)
        self.goes_to(self._void_at - SECOND, False)
        self._opens(self.links[-1])
        self.goes_to(self._lapses_at - SECOND, False)
        self._other_operator(self.line.numbers[-1], "take_up")
        self.what_holds()

    @property
    def _void_at(self) -> datetime:
        assert self.book.club.void_at
        return self.book.club.void_at

    @property
    def _lapses_at(self) -> datetime:
        assert self.book.lapses_at
        return self.book.lapses_at

    def a_line_is_converted(self) -> None:
        """COL-2 to COL-6: a number that is taken up stays so; with the switch-over everything is gone at once."""
        self.next_month(20, 10)
        for kind in ("conversion", "move", "cancellation"):
            self.asks(kind, 0)
        for monthly in (True, False):
            self.buys(1, 1, monthly, True)
        self._restricts(self.chosen(0), "restriction")
        self.looks_at_points()
        assert self.book.club.balance and self.book.number_state == "taken_up"
        for event in EVENTS:
            self._other_operator(self.line.numbers[-1], event)
        self.what_holds()
        self.buys_with_an_id_that_is_gone(0)

    def the_first_points(self) -> None:
        """PNT-2: who joins with the 1st is a member on it, and has its points from 03:00 on. Keys: IDN-2, PNT-7."""
        for _ in range(2):
            self.asks_for_an_access_key()
            self.asks_for_an_authentication_key()
        self.what_holds()
        self.next_month(1)
        self.asks_to_join(False, True)
        self.goes_to(self.now.replace(hour=3) - SECOND, False)
        self.looks_at_points()
        self.goes_to(self.now + SECOND, False)
        self.looks_at_points()
        assert self.book.club.balance

    def caps_and_months(self) -> None:
        """MAT-2 to MAT-5, MAT-7, MAT-8: to the yen, from the line or not, and what a monthly item costs in which month."""
        capped, free = sorted(self.book.ids, key=lambda one: self.book.ids[one].cap is None)
        for passport_id in (capped, free):
            self._to_the_last_yen(passport_id)
        self.next_month(1, kept=False)
        self._buys(capped, 500, True, True)
        for tied in (True, False):
            self._changes(free, f"free-{tied}", None, tied)
            self._buys(free, 700, True, False)
        self._changes(free, "free", FIRST_CAP + 1, True)
        self.what_holds()
        self.next_month(1, kept=False)
        for number in range(4):
            self._adds(f"more-{number}", None)
        for name in ("MORE-0", "more-1"):
            self._changes(capped, name, 1000, True)
        other = self._named("more-0")
        self._to_the_last_yen(capped)
        self.now += timedelta(days=3)
        self._deletes(free)
        self._to_the_last_yen(other)
        self.next_month(1, kept=False)
        self._restricts(capped, "restriction")
        self._to_the_last_yen(other)
        self.next_month(1, 10)
        self._to_the_last_yen(other)
        self.what_holds()

    def _named(self, name: str) -> str:
        return next(passport_id for passport_id, one in self.book.ids.items() if one.name == name)

    def _to_the_last_yen(self, passport_id: str) -> None:
        for more in (1, 0, 1):
            self._buys_the_last(passport_id, more)

    def restrictions_and_forms(self) -> None:
        """MAT-9, MAT-10, LIN-3: it stays restricted until a form that was back in time is approved."""
        (restricted,) = self.book.restricted()
        for how in MEDDLING:
            self._meddles_with(restricted, how)
        self._adds(self.book.ids[restricted].name, None)
        self.asks("move", 0)
        self._deals_with(self.line.contract.tasks[0], 0)
        self.a_form_is_hurried(0, 0, 1)
        self._meddles_with(restricted, "unrestriction")
        self.goes_to(self._back_by(restricted) - SECOND, True)
        self.what_holds()
        self.goes_to(self.now + SECOND, False)
        self._deals_with(self.forms[0], 0)
        self.keeps_time()
        self.what_holds()
        self.a_form_is_hurried(0, 0, 1)
        self.goes_to(self._back_by(restricted) - SECOND, False)
        for said in (0, TURNED_DOWN):
            self._deals_with(self.forms[0], said)
        self._meddles_with(restricted, "buys")
        self.what_holds()
        self.a_form_is_hurried(0, APPROVED, 3)
        self._restricts(restricted, "unrestriction")
        self._buys(restricted, 1, False, True)

    def _back_by(self, passport_id: str) -> datetime:
        back_by = self.book.ids[passport_id].back_by
        assert back_by
        return back_by

    def another_type_and_back(self) -> None:
        """LIN-3, PNT-2: nothing is lost; points are those of the type that the line has on the 1st."""
        for wanted in ("light", "cross"):
            self.asks_for_another_type(wanted)
            self._deals_with(self.line.contract.tasks[0], 0)
            self.what_holds()
            self.next_month(2, 10, False)
            self.looks_at_points()

    def points_and_limits(self) -> None:
        """PNT-2 to PNT-7: so many into bills in a month, the oldest first, to the last second of their fiscal year."""
        self.exchanges_points(1, False, False)
        self.registers_the_key()
        self.exchanges_points(101, False, False)
        self.looks_at_points()
        for years in (2, 1):
            self.brings_points(date(self.now.year - years - (self.now.month < 4), 5, 15), 6000)
        for points in (5001, 4999, 2, 1, 1):
            self.exchanges_points(points, True, False)
        self.next_month(1, kept=False)
        self.exchanges_points(1, True, False)
        self.looks_at_points()
        self.goes_to(at(f"{self.now.year + (self.now.month > 3)}-04-01 00:00:00") - SECOND, False)
        self.exchanges_points(1, False, False)
        self.goes_to(self.now + SECOND, False)
        self.exchanges_points(self.book.club.balance, False, False)
        self.looks_at_points()
        assert self.book.club.since
        while self.now < self.book.club.since + timedelta(days=400):
            self.next_month(2, 10)
        self.looks_at_points()

    def a_line_is_suspended(self) -> None:
        """BIL-3: from the second on, until all that demands it is paid; it has nothing to do with a restriction (MAT-10)."""
        restricted, free = self._named("more-0"), self._named("more-1")
        self._restricts(restricted, "restriction")
        for _ in range(2):
            self.a_bill_stays_unpaid(5720, True)
        first, second = self.book.bills.left()
        suspended = self.book.bills.owed[first].after(SUSPENDED)
        self.goes_to(suspended - timedelta(hours=14), True)
        self.asks("conversion", 0)
        self.goes_to(suspended - SECOND, False)
        self._buys(free, 1, False, True)
        self.goes_to(suspended, False)
        self._buys(free, 1, False, True)
        self._other_operator(self.line.numbers[-1], "take_up")
        self._deletes(self._named("more-2"))
        self._adds("suspended", None)
        for kind in ("conversion", "move"):
            self.asks(kind, 0)
        self.asks_to_pay_otherwise("invoice")
        self.keeps_time()
        self.what_holds()
        self.next_month(1, 4, False)
        self.looks_at_points()
        self.a_form_is_hurried(0, APPROVED, 3)
        self._restricts(restricted, "restriction")
        for period, yen in ((first, 5700), (second, 5725), (first, 16)):
            self._buys(restricted, 1, False, True)
            self._buys(free, 1, False, True)
            self._pays(period, yen)
            self.what_holds()
        self._buys(free, 1, False, True)
        self._meddles_with(restricted, "buys")

    def a_line_is_terminated(self) -> None:
        """BIL-3, LIN-4: like any end, and no number that was taken up outlives it."""
        self.a_bill_stays_unpaid(3000, True)
        self.next_day()
        self.asks("conversion", 0)
        self._other_operator(self.line.numbers[-1], "take_up")
        ends_at = self.book.ends_at
        assert ends_at
        while self.now < ends_at - timedelta(days=31):
            self.next_month(1, 4, False)
        self.looks_at_points()
        self.goes_to(ends_at - SECOND, True)
        self.looks_at_points()
        self.what_holds()
        self.goes_to(ends_at, False)
        self.buys(0, 1, False, True)
        self._other_operator(self.line.numbers[-1], "switch_over")
        self.keeps_time()
        self.what_holds()
        self.pays_everything()
        self.buys_with_an_id_that_is_gone(0)
        self.what_holds()
