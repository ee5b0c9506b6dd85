"""One colour a state, the same in the terminal and in the pictures."""

STATES = {
    "applied": "#9aa5b1",
    "preparing": "#e3a008",
    "active": "#1f9d70",
    "ending": "#dd7a1f",
    "suspended": "#d9480f",
    "ended": "#52606d",
    "turned_down": "#c23934",
    "accepted": "#3182ce",
    "awaiting_device": "#7c5cd6",
    "device_overdue": "#d9480f",
    "device_charged": "#c23934",
    "closed": "#52606d",
    "in_effect": "#1f9d70",
    "superseded": "#9aa5b1",
    "declined": "#c23934",
}
OTHER = "#7b8794"


def of(state: str) -> str:
    return STATES.get(state, OTHER)
