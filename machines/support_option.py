"""Change or removal of a support option (RNT-11). Invariant: in effect on the 1st, unless the contract ends before."""

from statemachine import State, StateMachine


class SupportOptionMachine(StateMachine):
    accepted = State(initial=True)
    in_effect = State(final=True)
    superseded = State(final=True)

    month_began = accepted.to(in_effect)
    contract_ends_first = accepted.to(superseded)
