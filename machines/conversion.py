"""Collabo conversion. Invariant: a number that was taken up lapses only with its line, which an unpaid bill may still end
(BIL-3), and `converted` is reached from there only."""

from statemachine import State, StateMachine


class ConversionMachine(StateMachine):
    number_issued = State(initial=True)
    taken_up = State()
    converted = State(final=True)
    lapsed = State(final=True)
    superseded = State(final=True)

    take_up = number_issued.to(taken_up)
    switch_over = taken_up.to(converted)
    validity_over = number_issued.to(lapsed)
    line_ended = number_issued.to(lapsed) | taken_up.to(lapsed)
    new_number = number_issued.to(superseded)
