"""A machine drawn as SVG: states from left to right, the present one marked. Text only; nothing is started."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import NamedTuple

from machines.layout import BOX_HEIGHT, Box, Edge, Layout, lay_out, text_width
from machines.step import Machine, events
from rules.texts import Language, name

INK, LINE, FAINT, PAPER, PALE = "#1f2933", "#7b8794", "#616e7c", "#ffffff", "#f5f7fa"
MARK, MARK_PALE = "#0b6e4f", "#d9f2e6"
FONT = "'Noto Sans CJK JP','Noto Sans JP','Hiragino Sans','Yu Gothic',system-ui,sans-serif"
STYLE = f"""\
text {{ font-family: {FONT}; fill: {INK}; text-anchor: middle; }}
.title {{ font-size: 18px; font-weight: 600; text-anchor: start; }}
.state {{ font-size: 14px; font-weight: 600; }}
.code {{ font-size: 10.5px; fill: {FAINT}; font-family: ui-monospace, 'DejaVu Sans Mono', monospace; }}
.event {{ font-size: 12px; paint-order: stroke; stroke: {PAPER}; stroke-width: 4px; }}
.box {{ fill: {PALE}; stroke: {LINE}; stroke-width: 1.4; }}
.arrow {{ fill: none; stroke: {LINE}; stroke-width: 1.4; marker-end: url(#head); }}
.here .box {{ fill: {MARK_PALE}; stroke: {MARK}; stroke-width: 2.6; }}
.next .arrow {{ stroke: {MARK}; stroke-width: 2; marker-end: url(#head-next); }}
.next .event {{ fill: {MARK}; font-weight: 600; }}"""


class Drawn(NamedTuple):
    """What is drawn of a machine: its states, the first one first, those that are final, the arrows between them."""

    states: tuple[str, ...]
    finals: frozenset[str]
    edges: tuple[Edge, ...]


def svg(machine: Machine, state: str | None, language: Language = "en") -> str:
    """`machine` as an SVG document, the present `state` and the ways out of it marked (None: nothing is)."""
    drawn = read(machine)
    boxes = {code: max(text_width(name(code, language), 14), text_width(code, 10.5)) for code in drawn.states}
    labels = {edge: [name(event, language) for event in edge.events] for edge in drawn.edges}
    heading = name(kind_of(machine), language) + (f" · {name(state, language)}" if state else "")
    layout = lay_out(
        boxes, {edge: max(text_width(text, 12) for text in labels[edge]) for edge in drawn.edges}
    )
    body = [_arrow(edge, layout, labels[edge], edge.source == state) for edge in drawn.edges]
    body += [_start(layout.boxes[drawn.states[0]])]
    body += [
        _state(code, layout.boxes[code], code == state, code in drawn.finals, language)
        for code in drawn.states
    ]
    return _document(heading, max(layout.width, text_width(heading, 18) + 48), layout.height, body)


def kind_of(machine: Machine) -> str:
    """`PlanChangeMachine` is `plan_change`."""
    words = machine.__name__.removesuffix("Machine")
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in words).lstrip("_")


def read(machine: Machine) -> Drawn:
    """States and arrows of `machine`; events that lead from one state to the same other share an arrow."""
    known = sorted(machine.states, key=lambda state: not state.initial)
    found: dict[tuple[str, str], list[str]] = {}
    for state in known:
        for transition in state.transitions:
            for target in transition.targets:
                found.setdefault((state.id, target.id), []).extend(event.id for event in transition.events)
    order = Counter({event: -place for place, event in enumerate(events(machine))})
    edges = (
        Edge(source, target, tuple(sorted(names, key=lambda event: -order[event])))
        for (source, target), names in found.items()
    )
    finals = frozenset(state.id for state in known if state.final)
    return Drawn(tuple(state.id for state in known), finals, tuple(edges))


def _arrow(edge: Edge, layout: Layout, labels: list[str], out: bool) -> str:
    path, (x, y) = layout.routes[edge]
    texts = "".join(
        f'<text class="event" x="{x:.1f}" y="{y - 7 - 15 * above:.1f}">{escape(label)}</text>'
        for above, label in enumerate(reversed(labels))
    )
    return f'<g class="{"next" if out else "way"}"><path class="arrow" d="{path}"/>{texts}</g>'


def _start(box: Box) -> str:
    dot = f'<circle cx="{box.left - 30:.1f}" cy="{box.middle}" r="6" fill="{INK}"/>'
    return f'{dot}<path class="arrow" d="M {box.left - 24:.1f} {box.middle} H {box.left - 2:.1f}"/>'


def _state(code: str, box: Box, here: bool, final: bool, language: Language) -> str:
    def rectangle(inset: float) -> str:
        return (
            f'<rect class="box" x="{box.left + inset:.1f}" y="{box.top + inset:.1f}" rx="{12 - inset}"'
            f' width="{box.width - 2 * inset:.1f}" height="{BOX_HEIGHT - 2 * inset}"/>'
        )

    return (
        f'<g class="{"here" if here else "there"}" id="state-{code}">{rectangle(0)}{rectangle(4) if final else ""}'
        f'<text class="state" x="{box.centre:.1f}" y="{box.middle - 2}">{escape(name(code, language))}</text>'
        f'<text class="code" x="{box.centre:.1f}" y="{box.middle + 15}">{escape(code)}</text></g>'
    )


def _document(heading: str, width: float, height: float, body: list[str]) -> str:
    heads = "".join(
        f'<marker id="{code}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8"'
        f' markerUnits="userSpaceOnUse" orient="auto"><path d="M 0 0.5 L 10 5 L 0 9.5 z" fill="{colour}"/></marker>'
        for code, colour in (("head", LINE), ("head-next", MARK))
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
            f' height="{height:.0f}" role="img" aria-labelledby="title">',
            f'<title id="title">{escape(heading)}</title>',
            f"<style>{STYLE}</style>",
            f"<defs>{heads}</defs>",
            f'<rect width="100%" height="100%" fill="{PAPER}"/>',
            f'<text class="title" x="24" y="36">{escape(heading)}</text>',
            *body,
            "</svg>",
            "",
        ]
    )
