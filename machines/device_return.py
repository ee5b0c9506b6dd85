"""The device's way back after a rental's end (RNT-10). Invariant: charged once at most, and only while it is out."""

from statemachine import State, StateMachine


class DeviceReturnMachine(StateMachine):
    accepted = State(initial=True)
    awaiting_device = State()
    device_overdue = State()
    device_charged = State()
    closed = State(final=True)

    contract_ended = accepted.to(awaiting_device)
    return_overdue = awaiting_device.to(device_overdue)
    grace_over = device_overdue.to(device_charged)
    nothing_to_return = accepted.to(closed)
    device_received = awaiting_device.to(closed) | device_overdue.to(closed) | device_charged.to(closed)
