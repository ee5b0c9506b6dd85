"""Lifting a restriction. Invariant: `lifted` is reached only from a form that was received and approved (MAT-10)."""

from statemachine import State, StateMachine


class UnrestrictionMachine(StateMachine):
    form_requested = State(initial=True)
    form_sent = State()
    form_received = State()
    lifted = State(final=True)
    turned_down = State(final=True)
    lapsed = State(final=True)

    send_form = form_requested.to(form_sent)
    receive_form = form_sent.to(form_received)
    approve = form_received.to(lifted)
    turn_down = form_received.to(turned_down)
    time_over = form_sent.to(lapsed)
    line_ended = form_requested.to(lapsed) | form_sent.to(lapsed) | form_received.to(lapsed)
