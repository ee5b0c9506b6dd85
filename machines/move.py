"""Moving a line. Invariant: the address changes when the new opening is reported, and nothing else does (LIN-3)."""

from statemachine import State, StateMachine


class MoveMachine(StateMachine):
    accepted = State(initial=True)
    done = State(final=True)
    superseded = State(final=True)

    opened = accepted.to(done)
    line_ended = accepted.to(superseded)
