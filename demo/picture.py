"""What happened to a contract as an SVG picture: two years to scale above, every event below. Text only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape

from demo import colours
from demo.told import OVER, Event, Lane, Span, Told
from machines.layout import text_width
from rules.calendar import day_of, first_of_month, midnight
from rules.texts import name

INK, FAINT, RULE, PAPER = "#1f2933", "#616e7c", "#e4e7eb", "#ffffff"
FONT = "'Noto Sans','Noto Sans CJK JP','Noto Sans JP','Hiragino Sans','Yu Gothic',system-ui,sans-serif"
WIDTH, MARGIN, LABELS, BAR, ROW, NOTE = 1080, 32, 130, 14, 26, 18
RAIL, RAILS_AT, LINE_LENGTH = 18, 150, 104
STYLE = f"""\
text {{ font-family: {FONT}; fill: {INK}; font-size: 13px; }}
.title {{ font-size: 21px; font-weight: 600; }}
.faint, .note, .tick {{ fill: {FAINT}; }}
.note {{ font-size: 12px; }}
.tick {{ font-size: 11px; }}
.date {{ font-variant-numeric: tabular-nums; }}
.by {{ fill: {FAINT}; font-size: 12px; text-anchor: end; }}
.no {{ fill: {colours.of("declined")}; }}"""


@dataclass(frozen=True)
class Row:
    """An event, where it stands on the page, and its text in lines."""

    event: Event
    y: float
    text: list[str]
    notes: list[str]


def svg(told: Told) -> str:
    """The picture as an SVG document."""
    top = 96
    strip = list(_strip(told, top))
    bottom = top + len(told.lanes) * (BAR + 8) + 34
    legend = list(_legend(told, bottom))
    rows, end = _rows(told.events, bottom + 44)
    body = [
        *_heading(told),
        *strip,
        *legend,
        *_rails(told, rows),
        *(part for row in rows for part in _row(told, row)),
    ]
    height = end + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" role="img" aria-label="{escape(told.title)}">\n<style>{STYLE}</style>\n'
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="{PAPER}"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _heading(told: Told) -> Iterator[str]:
    yield _text(MARGIN, 42, told.title, "title")
    parts = [
        f"{facts['plan']} · {facts['course']} · now {name(facts['state'], 'en').lower()}"
        for facts in told.facts
    ]
    yield _text(MARGIN, 66, "   →   ".join(parts), "faint")


def _strip(told: Told, top: float) -> Iterator[str]:
    """The months, and under them a bar a lane."""
    height = len(told.lanes) * (BAR + 8)
    first, months = day_of(told.begins), 0
    while midnight(first_of_month(first, months)) <= told.ends:
        month = first_of_month(first, months)
        x = _x(told, midnight(month))
        weight = 1.4 if month.month == 1 else 0.6
        yield f'<path d="M {x:.1f} {top} v {height}" stroke="{RULE}" stroke-width="{weight}"/>'
        if months % 3 == 0 and x < WIDTH - MARGIN - 20:
            yield _text(x, top + height + 16, f"{month:%b %Y}", "tick")
        months += 1
    for number, lane in enumerate(told.lanes):
        yield from _bar(told, lane, top + 4 + number * (BAR + 8))


def _bar(told: Told, lane: Lane, y: float) -> Iterator[str]:
    yield _text(MARGIN, y + 11, lane.title, "faint")
    for span in lane.spans:
        x, end = _x(told, span.start), _x(told, span.end)
        colour = colours.of(span.state)
        hint = f"<title>{escape(_said(span))}</title>"
        if span.state in OVER:
            look = f'r="5" fill="{PAPER}" stroke="{colour}" stroke-width="2.4"'
            yield f'<circle cx="{x:.1f}" cy="{y + BAR / 2}" {look}>{hint}</circle>'
        else:
            width = max(end - x, 1.5)
            yield f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" rx="1.5" fill="{colour}">{hint}</rect>'


def _said(span: Span) -> str:
    return f"{name(span.state, 'en')}: {span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M}"


def _x(told: Told, at: datetime) -> float:
    left, right = MARGIN + LABELS, WIDTH - MARGIN
    share = (at - told.begins) / (told.ends - told.begins)
    return left + (right - left) * min(max(share, 0), 1)


def _legend(told: Told, y: float) -> Iterator[str]:
    x: float = MARGIN
    for state in dict.fromkeys(span.state for lane in told.lanes for span in lane.spans):
        words = name(state, "en")
        colour = colours.of(state)
        if state in OVER:
            ring = f'fill="{PAPER}" stroke="{colour}" stroke-width="2"'
            yield f'<circle cx="{x + 5:.1f}" cy="{y - 4}" r="4" {ring}/>'
        else:
            yield f'<rect x="{x:.1f}" y="{y - 9}" width="10" height="10" rx="1.5" fill="{colour}"/>'
        yield _text(x + 16, y, words, "tick")
        x += text_width(words, 11) + 30


def _rows(events: list[Event], top: float) -> tuple[list[Row], float]:
    rows, y = [], top
    for event in events:
        text = _broken(event.text, LINE_LENGTH)
        notes = [line for note in event.notes for line in _broken(note, LINE_LENGTH)]
        rows.append(Row(event, y, text, notes))
        y += ROW + (len(text) - 1) * NOTE + len(notes) * NOTE
    return rows, y


def _broken(text: str, length: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= length:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _rails(told: Told, rows: list[Row]) -> Iterator[str]:
    """Each lane as an upright line through its events, in the colour of the state that holds below each."""
    for number, lane in enumerate(told.lanes):
        x = RAILS_AT + number * RAIL
        for span in lane.spans:
            if span.state in OVER:
                continue
            start, end = _level(rows, span.start), _level(rows, span.end)
            yield (
                f'<path d="M {x} {start} V {end}" stroke="{colours.of(span.state)}" '
                'stroke-width="5" stroke-linecap="round" opacity="0.85"/>'
            )


def _level(rows: list[Row], at: datetime) -> float:
    """The height of the first event at `at` or after it; just below the last one where nothing comes after."""
    return next((row.y for row in rows if row.event.at >= at), rows[-1].y + 10)


def _row(told: Told, row: Row) -> Iterator[str]:
    event, x = row.event, RAILS_AT + row.event.lane * RAIL
    left, colour = RAILS_AT + 5 * RAIL + 6, colours.of(told.state(event))
    yield _text(MARGIN, row.y + 4, f"{event.at:%Y-%m-%d %H:%M}", "date faint")
    if event.sign:
        yield f'<circle cx="{x}" cy="{row.y}" r="8" fill="{PAPER}" stroke="{RULE}"/>'
        yield f'<text x="{x}" y="{row.y + 4.5}" text-anchor="middle" class="{_kind(event)}">{event.sign}</text>'
    else:
        yield f'<circle cx="{x}" cy="{row.y}" r="5.5" fill="{PAPER}" stroke="{colour}" stroke-width="3"/>'
    for number, line in enumerate(row.text):
        yield _text(left, row.y + 4 + number * NOTE, line, _kind(event))
    for number, line in enumerate(row.notes, len(row.text)):
        yield _text(left + 14, row.y + 3 + number * NOTE, line, "note")
    yield f'<text x="{WIDTH - MARGIN}" y="{row.y + 4}" class="by">{escape(event.by)}</text>'


def _kind(event: Event) -> str:
    return "no" if event.sign == "✕" else ""


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(words)}</text>'


def page(all_told: list[Told]) -> str:
    """One HTML page with every picture."""
    pictures = "\n".join(f'<img src="{escape(told.file)}" alt="{escape(told.title)}">' for told in all_told)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Keiyaku: two years of a few contracts</title>
<style>body {{ margin: 2rem auto; max-width: {WIDTH}px; background: #f5f7fa; }}
img {{ display: block; width: 100%; margin-bottom: 2rem; border-radius: 8px; box-shadow: 0 1px 4px #0002; }}</style>
{pictures}
</html>
"""
