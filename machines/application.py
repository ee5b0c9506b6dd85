"""The application. Invariant: nothing is prepared before an operator approved it, and it ends active or turned down."""

from statemachine import State, StateMachine


class ApplicationMachine(StateMachine):
    applied = State(initial=True)
    preparing = State()
    active = State(final=True)
    turned_down = State(final=True)

    approve = applied.to(preparing)
    turn_down = applied.to(turned_down)
    opened = preparing.to(active)
    shipped = preparing.to(active)
    month_began = preparing.to(active)
