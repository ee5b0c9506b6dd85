"""The contract. Invariant: it is in force in `active` and `ending` only, and nothing leads out of a final state."""

from statemachine import State, StateMachine


class ContractMachine(StateMachine):
    applied = State(initial=True)
    preparing = State()
    active = State()
    ending = State()
    ended = State(final=True)
    converted = State(final=True)
    turned_down = State(final=True)

    approve = applied.to(preparing)
    turn_down = applied.to(turned_down)
    begin = preparing.to(active)
    set_end = active.to(ending)
    end = ending.to(ended)
    convert = active.to(converted)
