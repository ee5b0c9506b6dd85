"""Plan change. Invariant: once accepted it only goes forward (RNT-6); the old device comes back or is charged."""

from machines.device_return import DeviceReturnMachine


class PlanChangeMachine(DeviceReturnMachine):
    """Accepted, then the way of a device return."""
