"""Change of payment method (RNT-14, RNT-15). Invariant: the old one holds until the gateway has taken the new one."""

from statemachine import State, StateMachine


class PaymentMethodMachine(StateMachine):
    accepted = State(initial=True)
    in_effect = State(final=True)
    declined = State(final=True)

    method_taken = accepted.to(in_effect)
    card_taken = accepted.to(in_effect)
    card_declined = accepted.to(declined)
