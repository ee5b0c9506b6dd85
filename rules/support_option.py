"""Support options of a rental (RNT-11, RNT-12): changed or removed once in a contract's life, from the 1st to the 15th."""

from __future__ import annotations

from datetime import date

from rules.ask import Ask
from rules.calendar import day_of, first_of_month, last_of_month, midnight
from rules.effects import Effect
from rules.facts import OptionPeriod
from rules.figures import Policy
from rules.refusal import Refusal


def refusal(ask: Ask) -> Refusal | None:
    """RNT-11: once in a contract's life, something else than what is held, and from the 1st to the 15th."""
    today = day_of(ask.now)
    if ask.contract.option_changed:
        return Refusal(rule="RNT-11", reason="option_changed_before")
    held = ask.contract.option_on(today)
    if ask.body["option"] == (held.option if held else None):
        return Refusal(rule="RNT-11", reason="same_option")
    if today.day > ask.policy.windows.support_option_until:
        opens = midnight(first_of_month(today, 1))
        return Refusal(rule="RNT-11", reason="support_option_window", opens_at=opens)
    return None


def effects(ask: Ask) -> list[Effect]:
    """The old option ends with the month, the new one begins on the 1st, a premium cover later (RNT-12)."""
    first = first_of_month(day_of(ask.now), 1)
    held = ask.contract.option_on(last_of_month(day_of(ask.now)))
    ending = [Effect(at=midnight(first), what="option_ends", item=held.option)] if held else []
    option = ask.body["option"]
    return ending + (beginning(option, first, ask.policy) if option else [])


def beginning(option: str, first: date, policy: Policy) -> list[Effect]:
    """What the option brings that begins on `first`, a 1st of a month or the contract's first day."""
    begins = Effect(at=midnight(first), what="option_begins", item=option)
    cover = cover_from(option, first, policy)
    covers = [Effect(at=midnight(cover), what="cover_begins", item=option)] if cover else []
    return [begins, *covers]


def period(option: str, first: date, policy: Policy) -> OptionPeriod:
    """The option held from `first` on, with the day its cover begins as it was decided then."""
    return OptionPeriod(option=option, first=first, cover_from=cover_from(option, first, policy))


def cover_from(option: str, first: date, policy: Policy) -> date | None:
    """The first day of the loss-and-theft cover, two months after the option's first month (RNT-12)."""
    if not policy.support_option(option).premium:
        return None
    return first_of_month(first, policy.support.premium_cover_after_months)
