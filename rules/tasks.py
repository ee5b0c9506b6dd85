"""What an operator may answer to each kind of task."""

ACTIONS: dict[str, tuple[str, ...]] = {
    "confirm_application": ("approve", "turn_down"),
    "report_shipped": ("done",),
    "receive_device": ("done",),
}
