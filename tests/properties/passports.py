"""What a line's customer may do with passport IDs, and providers with what is bought by them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.properties.book import Bought, Passport
from tests.properties.members import Members

NAMES = ("hanako", "Hanako", "taro-1", "jiro.2", "yuki_3", "aoi@4", "sora", "nana")
ID_CAPS = (None, 0, 1000, 3000, 3001, 60000)
AMOUNTS = (1, 499, 500, 1000, 2999, 3000, 10000, 50000)
MEDDLING = ("buys", "is renamed", "is deleted", "restriction")
which = st.integers(0, 1000)


class Passports(Members):
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
        """And the password with them; what was bought stays as it is (MAT-7)."""
        password = f"changed-{next(self.fresh)}"
        taken = name != self.book.ids[passport_id].name and self.taken(name)
        against = self.book.against_new_face(passport_id, cap, taken, self.now)
        values: dict[str, Any] = {"name": name, "monthly_cap": cap, "line_authentication": tied}
        values["password_hash"] = password
        if self.agree(self.line.changes_id(passport_id, values, self.now), against):
            found = self.book.ids[passport_id]
            found.name, found.cap, found.tied_to_line, found.password = name, cap, tied, password

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
        self._buys_the_last(self.chosen(chosen), more, monthly)

    def _buys_the_last(self, passport_id: str, more: int, monthly: bool = False) -> None:
        self._buys(passport_id, max(self.book.room(passport_id, self.now) + more, 1), monthly, True)

    @precondition(lambda self: self.book.restricted())
    @rule(
        chosen=which,
        how=st.sampled_from([*MEDDLING, "unrestriction", "unrestriction"]),
    )
    def what_is_restricted(self, chosen: int, how: str) -> None:
        """MAT-9, MAT-10: whatever is done with it online, it stays as it is."""
        known = self.book.restricted()
        self._meddles_with(known[chosen % len(known)], how)

    def _meddles_with(self, passport_id: str, how: str) -> None:
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
