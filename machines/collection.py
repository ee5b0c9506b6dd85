"""Collection of one unpaid bill. Invariant: it goes forward only; payment ends it at any point before termination (BIL-3)."""

from statemachine import State, StateMachine


class CollectionMachine(StateMachine):
    unpaid = State(initial=True)
    carried_over = State()
    suspension_notice = State()
    suspended = State()
    termination_notice = State()
    terminated = State(final=True)
    paid = State(final=True)

    carry_over = unpaid.to(carried_over)
    announce_suspension = carried_over.to(suspension_notice)
    suspend = suspension_notice.to(suspended)
    announce_termination = suspended.to(termination_notice)
    terminate = termination_notice.to(terminated)
    pay = (
        unpaid.to(paid)
        | carried_over.to(paid)
        | suspension_notice.to(paid)
        | suspended.to(paid)
        | termination_notice.to(paid)
    )
