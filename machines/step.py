"""Restore a machine, send it one event, take its new state."""

from __future__ import annotations

from functools import cache

from statemachine import StateMachine
from statemachine.exceptions import TransitionNotAllowed

Machine = type[StateMachine]


class _At:
    """A model whose state is set before the machine is built, so that nothing runs on restoring."""

    def __init__(self, state: str) -> None:
        self.state = state


def states(machine: Machine) -> tuple[str, ...]:
    return tuple(str(state.id) for state in machine.states)


def events(machine: Machine) -> tuple[str, ...]:
    return tuple(event.id for event in machine.events)  # type: ignore[attr-defined]


@cache
def after(machine: Machine, state: str, event: str) -> str | None:
    """The state that `event` leads to from `state`; None where the machine does not allow it."""
    model = _At(state)
    running = machine(model)
    if running.configuration and next(iter(running.configuration)).final:
        return None
    try:
        running.send(event)
    except TransitionNotAllowed:
        return None
    return str(model.state)


def final(machine: Machine, state: str) -> bool:
    return any(known.final for known in machine.states if known.id == state)
