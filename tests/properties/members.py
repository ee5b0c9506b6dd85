"""What a line's customer may do as a member of the club, beside everything else: join, spend points, have a key."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from rules.refusal import Refusal
from store.ledger import MemberRow
from tests.properties.agreement import Agreement
from tests.properties.club_book import last_day_of
from tests.properties.lived import words

POINTS = (1, 50, 100, 101, 700, 4999, 5000, 5001)


class Members(Agreement):
    @rule(easy=st.sampled_from([False, False, True]), at_once=st.sampled_from([True, True, False]))
    def asks_to_join(self, easy: bool, at_once: bool) -> None:
        """`at_once`: an operator has nothing against an easy entry, and the link is opened the moment it comes."""
        against = self._against("membership")
        if self.book.club.since or (easy and self.book.club.waits(self.now)):
            against |= {"PNT-1"} if "CAL-4" not in against else set()
        if self.accepted("membership", {"easy": easy}, against):
            self.links.append(self.line.pending("membership"))
            self.book.club.asked(self.links[-1], self.now, easy)
            if at_once:
                self._joins(easy)

    def _joins(self, easy: bool) -> None:
        if easy:
            self.line.act(words(self.now), "check_membership", "approve")
            self.done()
            self.book.club.checked(True, self.now)
        self._opens(self.links[-1])

    @precondition(lambda self: self.links)
    @rule(old=st.integers(0, 1000), latest=st.integers(0, 3))
    def opens_a_link(self, old: int, latest: int) -> None:
        """Nearly always the latest; an old one, or that of a line before, opens nothing (PNT-1)."""
        self._opens(self.links[-1 if latest else old % len(self.links)])

    def _opens(self, link: str) -> None:
        void = not self.book.club.opens(link, self.now) or self.book.over(self.now)
        against = self._against("membership") | ({"PNT-1"} if void else set())
        login = {"login_id": f"KY-{link}", "password_hash": f"chosen-{next(self.fresh)}"}
        if self.agree(self.line.opens(words(self.now), link, login), against):
            self.done()
            self.book.club.joins(self.now)
            self.login = (self.login or tuple(login.values()))[0], login["password_hash"]
        assert self.line.login() == self.login, "IDN-3: its first login ID, the password chosen last"

    @rule()
    def asks_for_an_authentication_key(self) -> None:
        found = self.line.judge(words(self.now), "authentication_key", {})
        self.agree(found, self._against("authentication_key"))
        if not isinstance(found, Refusal):
            self.line.has_a_key_sent(words(self.now))
            self.done()
            self.book.authentication_keys += 1

    @rule()
    def registers_the_key(self) -> None:
        over = self.book.over(self.now)
        if self.agree(self.line.registers_key(self.now), {"CAL-4"} if over else set()):
            self.book.club.keyed = True

    @rule(points=st.sampled_from(POINTS), into_bill=st.booleans(), from_line=st.booleans())
    def exchanges_points(self, points: int, into_bill: bool, from_line: bool) -> None:
        """Runs come late or not at all: whoever spends gets first what they would have granted (PNT-10)."""
        self.book.reckons(self.now)
        against = self.book.club.against_exchange(points, into_bill, from_line, self.now)
        against = {"CAL-4"} if self.book.over(self.now) else against
        exchange_id = f"x-{next(self.fresh)}"
        if self.agree(self.line.exchanges(exchange_id, points, into_bill, from_line, self.now), against):
            self.book.club.spends(points, into_bill, self.now)

    @rule()
    def looks_at_points(self) -> None:
        self.book.reckons(self.now)
        if not self.book.over(self.now):
            held = {on: (left, last_day_of(on)) for on, left in self.book.club.lots.items() if left}
            assert self.line.lots(self.now) == held

    def brings_points(self, granted_on: date, points: int) -> None:
        self.line.brings(granted_on, last_day_of(granted_on), points, self.now)
        self.book.club.lots[granted_on] = points

    def members_as_in_the_book(self) -> None:
        """Joined once; no point on a line that is over."""
        for line, book in (*self.past[-1:], (self.line, self.book)):
            members = self.rows(MemberRow, line)
            assert [row["joined_at"] for row in members] == ([book.club.since] if book.club.since else [])
            if line.contract.state in ("ended", "converted"):
                assert line.points_left() == 0, "PNT-9"
