"""Restricting a passport ID. Invariant: it takes effect with its acceptance (MAT-9)."""

from statemachine import State, StateMachine


class RestrictionMachine(StateMachine):
    accepted = State(initial=True)
    restricted = State(final=True)

    restrict = accepted.to(restricted)
