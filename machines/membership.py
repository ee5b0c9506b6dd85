"""Joining the members' club. Invariant: `joined` is reached only by a mailed link that was opened in time (PNT-1)."""

from statemachine import State, StateMachine


class MembershipMachine(StateMachine):
    requested = State(initial=True)
    link_sent = State()
    joined = State(final=True)
    turned_down = State(final=True)
    lapsed = State(final=True)
    superseded = State(final=True)

    send_link = requested.to(link_sent)
    approve = requested.to(link_sent)
    turn_down = requested.to(turned_down)
    open_link = link_sent.to(joined)
    time_over = link_sent.to(lapsed)
    asked_again = requested.to(superseded) | link_sent.to(superseded)
    line_ended = requested.to(lapsed) | link_sent.to(lapsed)
