"""Changing the type of a line. Invariant: the type changes when the opening is reported (LIN-3)."""

from statemachine import State, StateMachine


class LineTypeChangeMachine(StateMachine):
    accepted = State(initial=True)
    done = State(final=True)
    superseded = State(final=True)

    opened = accepted.to(done)
    line_ended = accepted.to(superseded)
