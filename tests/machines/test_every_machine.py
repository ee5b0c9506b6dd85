"""What holds for all of them, those to come included."""

from pathlib import Path

import pytest
from defusedxml import ElementTree

import docs_gen
from machines import diagram, step
from machines.step import Machine
from rules.texts import LANGUAGES, Language, texts
from workflows.step import MACHINES

HERE = Path(__file__).parent
SVG = "{http://www.w3.org/2000/svg}"
every_machine = pytest.mark.parametrize("machine", docs_gen.all_machines(), ids=diagram.kind_of)


@every_machine
def test_it_has_a_table_of_its_own(machine: Machine) -> None:
    assert (HERE / f"test_{machine.__module__.split('.')[-1]}.py").exists()


@every_machine
def test_nothing_leads_out_of_a_final_state(machine: Machine) -> None:
    final = [state for state in step.states(machine) if step.final(machine, state)]
    assert final
    assert not [
        event for state in final for event in step.events(machine) if step.after(machine, state, event)
    ]


@every_machine
def test_its_first_state_comes_first(machine: Machine) -> None:
    """`workflows.step` opens a procedure in the first of `states`."""
    assert [str(state.id) for state in machine.states if state.initial] == [step.states(machine)[0]]


@every_machine
def test_an_unknown_event_is_refused(machine: Machine) -> None:
    assert step.after(machine, step.states(machine)[0], "no_such_event") is None


@every_machine
def test_its_states_and_events_have_names(machine: Machine) -> None:
    assert {diagram.kind_of(machine), *step.states(machine), *step.events(machine)} <= texts("name")


def test_every_kind_of_procedure_is_drawn_under_its_own_name() -> None:
    assert {kind: diagram.kind_of(machine) for kind, machine in MACHINES.items()} == {
        kind: kind for kind in MACHINES
    }


@every_machine
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_diagram_marks_the_present_state_and_no_other(machine: Machine, language: Language) -> None:
    for state in step.states(machine):
        drawn = ElementTree.fromstring(diagram.svg(machine, state, language))
        marked = [group.get("id") for group in drawn.iter(f"{SVG}g") if group.get("class") == "here"]
        assert marked == [f"state-{state}"]


@every_machine
def test_the_diagram_shows_every_state_and_stays_on_its_page(machine: Machine) -> None:
    drawn = ElementTree.fromstring(diagram.svg(machine, None))
    shown = {group.get("id", "").removeprefix("state-") for group in drawn.iter(f"{SVG}g") if group.get("id")}
    assert shown == set(step.states(machine))
    width, height = float(drawn.get("width", 0)), float(drawn.get("height", 0))
    for box in (box for box in drawn.iter(f"{SVG}rect") if box.get("class") == "box"):
        left, top, wide, high = (float(box.get(side, 0)) for side in ("x", "y", "width", "height"))
        assert left > 0 and left + wide < width
        assert top > 0 and top + high < height


def test_the_diagram_needs_nothing_from_elsewhere() -> None:
    drawn = diagram.svg(MACHINES["plan_change"], "accepted")
    assert "<script" not in drawn
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")


def test_the_document_of_the_machines_is_what_the_machines_are() -> None:
    committed = (docs_gen.DOCS / "machines.md").read_text(encoding="utf-8")
    assert committed == docs_gen.machines_md(), "run `make docs`"
