"""Cancellation. Invariant: once accepted it only goes forward (RNT-9); the rented device comes back or is charged."""

from machines.device_return import DeviceReturnMachine


class CancellationMachine(DeviceReturnMachine):
    """Accepted, then the way of a device return; a line has no device and is closed with its end (LIN-4)."""
