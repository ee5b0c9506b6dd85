"""The contract. Invariant: it is in force in `active`, `suspended`, `ending` only, and nothing leads out of a final state."""

from statemachine import State, StateMachine


class ContractMachine(StateMachine):
    applied = State(initial=True)
    preparing = State()
    active = State()
    suspended = State()
    ending = State()
    ended = State(final=True)
    converted = State(final=True)
    turned_down = State(final=True)

    approve = applied.to(preparing)
    turn_down = applied.to(turned_down)
    begin = preparing.to(active)
    suspend = active.to(suspended)
    resume = suspended.to(active)
    set_end = active.to(ending) | suspended.to(ending)
    end = ending.to(ended)
    terminate = suspended.to(ended) | ending.to(ended)
    convert = active.to(converted) | suspended.to(converted)
