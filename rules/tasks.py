"""What an operator may answer to each kind of task."""

ACTIONS: dict[str, tuple[str, ...]] = {
    "confirm_application": ("approve", "turn_down"),
    "report_shipped": ("done",),
    "report_opening": ("done",),
    "receive_device": ("done",),
    "send_form": ("done",),
    "receive_form": ("done",),
    "review_form": ("approve", "turn_down"),
    "check_membership": ("approve", "turn_down"),
}
