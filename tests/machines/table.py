"""Tables as people read them: a head, then one row a case with the verdict in the last column."""

from machines import step
from machines.step import Machine

Cell = tuple[str, str, str]


def rows(text: str) -> list[Cell]:
    """State, event, verdict of each row."""
    cells = [tuple(line.split()) for line in text.strip().splitlines()[1:] if line.strip()]
    return [(state, event, verdict) for state, event, verdict in cells]


def missing(machine: Machine, cells: list[Cell]) -> set[tuple[str, str]]:
    """What is not in the table exactly once, and what is in the table but not in the machine."""
    told = [(state, event) for state, event, _ in cells]
    wanted = {(state, event) for state in step.states(machine) for event in step.events(machine)}
    return (wanted ^ set(told)) | {cell for cell in told if told.count(cell) > 1}


def verdict(machine: Machine, state: str, event: str) -> str:
    return step.after(machine, state, event) or "refused"
