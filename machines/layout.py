"""Where the states and arrows of a machine go on the page: a state stands right of all that lead to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from unicodedata import east_asian_width

BOX_HEIGHT, ROW, LANE, CORNER = 50.0, 92.0, 34.0, 12.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 28.0, 66.0, 28.0
PADDING, GAP = 36.0, 44.0


class Edge(NamedTuple):
    """An arrow with the events that go along it."""

    source: str
    target: str
    events: tuple[str, ...]


class Box(NamedTuple):
    """A state's place: its left edge, its vertical middle, its width."""

    left: float
    middle: float
    width: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def centre(self) -> float:
        return self.left + self.width / 2

    @property
    def top(self) -> float:
        return self.middle - BOX_HEIGHT / 2

    @property
    def bottom(self) -> float:
        return self.middle + BOX_HEIGHT / 2


# An SVG path, and the point that its label stands above.
Route = tuple[str, tuple[float, float]]


class Layout(NamedTuple):
    """Boxes by state, routes by arrow, and the size of the page, all in pixels."""

    boxes: dict[str, Box]
    routes: dict[Edge, Route]
    width: float
    height: float


def text_width(text: str, size: float) -> float:
    """About how wide `text` is at `size` pixels: Japanese letters are square, others somewhat over half of that."""
    return sum(1.0 if east_asian_width(letter) in "WF" else 0.58 for letter in text) * size


def lay_out(widths: Mapping[str, float], labels: Mapping[Edge, float]) -> Layout:
    """Places for states of the given text widths, the first one first, and arrows of the given label widths."""
    ranks = _ranks(list(widths), list(labels))
    rows = _rows(ranks, list(labels))
    over, under = _lanes(ranks, rows, labels, forward=True), _lanes(ranks, rows, labels, forward=False)
    top = TOP + LANE * max(over.values(), default=0) + (14 if over else 0)
    boxes = _boxes(widths, labels, ranks, rows, top + BOX_HEIGHT / 2)
    floor = max(box.bottom for box in boxes.values())
    routes = {}
    for edge in labels:
        if edge in over:
            routes[edge] = _detour(edge, boxes, over, -1, top)
        elif edge in under:
            routes[edge] = _detour(edge, boxes, under, 1, floor + 6)
        else:
            routes[edge] = _direct(boxes[edge.source], boxes[edge.target])
    width = max(box.right for box in boxes.values()) + RIGHT
    return Layout(boxes, routes, width, floor + LANE * max(under.values(), default=0) + BOTTOM)


def _ranks(states: list[str], edges: Iterable[Edge]) -> dict[str, int]:
    """How many steps from the first state, at most, without going round in circles."""
    following: dict[str, list[str]] = {state: [] for state in states}
    for edge in edges:
        following[edge.source].append(edge.target)
    ranks = dict.fromkeys(states, 0)

    def visit(state: str, path: tuple[str, ...]) -> None:
        for target in following[state]:
            if target not in (*path, state) and ranks[target] <= ranks[state]:
                ranks[target] = ranks[state] + 1
                visit(target, (*path, state))

    visit(states[0], ())
    return ranks


def _rows(ranks: Mapping[str, int], edges: list[Edge]) -> dict[str, int]:
    """The way on stands in the first row, what ends early below it."""
    depth = dict.fromkeys(ranks, 0)
    for state in sorted(ranks, key=lambda state: -ranks[state]):
        for edge in edges:
            if edge.source == state and ranks[edge.target] > ranks[state]:
                depth[state] = max(depth[state], depth[edge.target] + 1)
    rows: dict[str, int] = {}
    for rank in set(ranks.values()):
        beside = [state for state in ranks if ranks[state] == rank]
        for row, state in enumerate(sorted(beside, key=lambda state: -depth[state])):
            rows[state] = row
    return rows


def _lanes(
    ranks: Mapping[str, int], rows: Mapping[str, int], edges: Iterable[Edge], *, forward: bool
) -> dict[Edge, int]:
    """The lane of each arrow that cannot go straight: above if it skips states, below if it goes back."""

    def span(edge: Edge) -> int:
        return ranks[edge.target] - ranks[edge.source]

    if forward:
        found = [edge for edge in edges if span(edge) > 1 and rows[edge.source] == rows[edge.target] == 0]
    else:
        found = [edge for edge in edges if span(edge) <= 0]
    return {edge: lane for lane, edge in enumerate(sorted(found, key=lambda edge: abs(span(edge))), start=1)}


def _boxes(
    widths: Mapping[str, float],
    labels: Mapping[Edge, float],
    ranks: Mapping[str, int],
    rows: Mapping[str, int],
    middle: float,
) -> dict[str, Box]:
    boxes, left = {}, LEFT
    for rank in range(max(ranks.values()) + 1):
        here = [state for state in ranks if ranks[state] == rank]
        width = max(widths[state] for state in here) + PADDING
        for state in here:
            boxes[state] = Box(left, middle + ROW * rows[state], width)
        leaving = (
            label for edge, label in labels.items() if ranks[edge.source] == rank == ranks[edge.target] - 1
        )
        left += width + max(leaving, default=0) + GAP
    return boxes


def _direct(source: Box, target: Box) -> Route:
    if source.middle == target.middle:
        path = f"M {source.right:.1f} {source.middle:.1f} H {target.left - 2:.1f}"
        return path, ((source.right + target.left) / 2 - 4, source.middle)
    if target.middle > source.middle:
        path = _bent(
            (source.centre, source.bottom), (source.centre, target.middle), (target.left - 2, target.middle)
        )
        return path, ((source.right + target.left) / 2 - 4, target.middle)
    path = _bent(
        (source.right, source.middle), (target.centre, source.middle), (target.centre, target.bottom + 2)
    )
    return path, ((source.right + target.left) / 2 - 4, source.middle)


def _detour(edge: Edge, boxes: Mapping[str, Box], lanes: Mapping[Edge, int], side: int, wall: float) -> Route:
    """Out of the source, along the arrow's own lane above (-1) or below (1), into the target."""
    source, target = boxes[edge.source], boxes[edge.target]
    level = wall + side * LANE * lanes[edge]
    start, end = (box.top if side < 0 else box.bottom for box in (source, target))
    arriving = sorted(
        (other for other in lanes if other.target == edge.target), key=lambda other: lanes[other]
    )
    step = target.width / (len(arriving) + 1)
    place = arriving.index(edge) + 1
    landing = target.left + step * place if side < 0 else target.right - step * place
    leaving = source.centre + (0 if side < 0 else -source.width / 5)
    path = _bent((leaving, start), (leaving, level), (landing, level), (landing, end + 2 * side))
    return path, ((leaving + landing) / 2, level)


def _bent(*points: tuple[float, float]) -> str:
    """A line through `points`, upright or level from each to the next, with round corners."""
    parts = [f"M {points[0][0]:.1f} {points[0][1]:.1f}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        into, out = _towards(corner, before), _towards(corner, after)
        parts.append(
            f"L {into[0]:.1f} {into[1]:.1f} Q {corner[0]:.1f} {corner[1]:.1f} {out[0]:.1f} {out[1]:.1f}"
        )
    return " ".join([*parts, f"L {points[-1][0]:.1f} {points[-1][1]:.1f}"])


def _towards(corner: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """The point at which the line from `corner` to `other` leaves the rounding."""
    (x, y), (there_x, there_y) = corner, other
    length = abs(there_x - x) + abs(there_y - y)
    part = min(CORNER, length / 2) / length if length else 0
    return x + (there_x - x) * part, y + (there_y - y) * part
