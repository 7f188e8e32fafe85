"""Draws road.svg, the picture of the whole road: ``python docs/images/road.py``.

To add to the picture, add a ``Box`` and the ``Arrow`` that joins it. A box has a place in a grid of columns and rows;
the picture grows with the grid. Colours follow the reader's dark or light mode.
"""

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final, Literal
from xml.sax.saxutils import escape

Kind = Literal["outside", "lambda", "store"]
Point = tuple[float, float]

_COLUMN: Final = 168
_ROW: Final = 64
_COLUMN_GAP: Final = 44
_ROW_GAP: Final = 24
_MARGIN: Final = 24

_TITLE: Final = (
    "Clusters send audit events through API Gateway to ingest, which decides by the rules in force, stores events and "
    "publishes alerts. The relay delivers alerts to every Alertmanager."
)
_HEAD: Final = (
    '<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z" class="head"/></marker>'
)
_STYLE: Final = """\
svg { font-family: system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
.page { fill: #ffffff; stroke: #d0d7de; }
.title { fill: #1f2328; font-size: 15px; font-weight: 600; }
.note, .label { fill: #59636e; font-size: 12px; }
.outside { fill: #f6f8fa; stroke: #8c959f; }
.lambda { fill: #fff1e5; stroke: #bc4c00; }
.store { fill: #ddf4ff; stroke: #0969da; }
.arrow { fill: none; stroke: #59636e; stroke-width: 1.5; marker-end: url(#head); }
.head { fill: #59636e; }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117; stroke: #3d444d; }
  .title { fill: #f0f6fc; }
  .note, .label { fill: #9198a1; }
  .outside { fill: #151b23; stroke: #656c76; }
  .lambda { fill: #3d1300; stroke: #db6d28; }
  .store { fill: #051d4d; stroke: #4493f8; }
  .arrow { stroke: #9198a1; }
  .head { fill: #9198a1; }
}"""


@dataclass(frozen=True)
class Box:
    """A part of the system. ``column`` and ``row`` count from 0, ``rows`` is its height. Below the title stand a line
    for each note and a numbered line for each step."""

    title: str
    column: int
    row: int
    kind: Kind
    notes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    rows: int = 1

    @property
    def left(self) -> float:
        return _MARGIN + self.column * (_COLUMN + _COLUMN_GAP)

    @property
    def top(self) -> float:
        return _MARGIN + self.row * (_ROW + _ROW_GAP)

    @property
    def right(self) -> float:
        return self.left + _COLUMN

    @property
    def bottom(self) -> float:
        return self.top + self.rows * _ROW + (self.rows - 1) * _ROW_GAP

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Arrow:
    """From one box to another: to the right, at the height of the lower of the two boxes, or down."""

    tail: Box
    head: Box
    label: str = ""

    def points(self) -> tuple[Point, Point]:
        if self.tail.column == self.head.column:
            x = (self.tail.left + self.tail.right) / 2
            return (x, self.tail.bottom), (x, self.head.top)
        y = min((self.tail, self.head), key=lambda box: box.rows).middle
        return (self.tail.right, y), (self.head.left, y)


RULES = Box("Your rules", 0, 0, "outside", ("YAML, audit policy",))
BUCKET = Box("Rules bucket", 1, 0, "store", ("S3",))
COMPILE = Box("compile_rules", 2, 0, "lambda", ("accepts all or nothing",))
SENDERS = [
    Box("kube-apiserver", 0, 1, "outside", ("audit webhook",)),
    Box("ks-apiserver", 0, 2, "outside", ("KubeSphere 3.x and 4.x",)),
    Box("Log shippers", 0, 3, "outside", ("audit.log, JSON lines",)),
]
GATEWAY = Box("API Gateway", 1, 1, "outside", ("HTTPS", "throttling"), rows=3)
STEPS = ("check the credential", "read every event", "decide by the rules", "store", "publish alerts", "answer 200")
INGEST = Box("ingest", 2, 1, "lambda", steps=STEPS, rows=3)
ARCHIVE = Box("Archive", 3, 1, "store", ("S3 or DynamoDB",))
ALERTS = Box("Alerts", 3, 2, "store", ("SNS topic, SQS queue",))
QUARANTINE = Box("Quarantine", 3, 3, "store", ("unreadable bodies",))
QUERY = Box("You search", 4, 1, "outside", ("auditwire query, Athena",))
RELAY = Box("relay", 4, 2, "lambda", ("retries until delivered",))
ALERTMANAGER = Box("Alertmanager", 4, 3, "outside", ("as many as you have",))

BOXES = [RULES, BUCKET, COMPILE, *SENDERS, GATEWAY, INGEST, ARCHIVE, ALERTS, QUARANTINE, QUERY, RELAY, ALERTMANAGER]
ARROWS = [
    Arrow(RULES, BUCKET),
    Arrow(BUCKET, COMPILE),
    Arrow(COMPILE, INGEST),
    *(Arrow(sender, GATEWAY) for sender in SENDERS),
    Arrow(GATEWAY, INGEST),
    Arrow(INGEST, ARCHIVE),
    Arrow(INGEST, ALERTS),
    Arrow(INGEST, QUARANTINE),
    Arrow(ARCHIVE, QUERY),
    Arrow(ALERTS, RELAY),
    Arrow(RELAY, ALERTMANAGER),
]


def _text(x: float, y: float, style: str, words: str, anchor: str = "middle") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{style}" text-anchor="{anchor}">{escape(words)}</text>'


def _box(box: Box) -> list[str]:
    centre = (box.left + box.right) / 2
    first = box.middle - (len(box.notes) + len(box.steps)) * 10 + 5
    heights = (first + 20 * line for line in count(1))
    rectangle = f'x="{box.left:g}" y="{box.top:g}" width="{_COLUMN}" height="{box.bottom - box.top:g}"'
    return [
        f'<rect {rectangle} rx="8" class="{box.kind}"/>',
        _text(centre, first, "title", box.title),
        *(_text(centre, next(heights), "note", note) for note in box.notes),
        *(_text(box.left + 20, next(heights), "note", f"{n}. {step}", "start") for n, step in enumerate(box.steps, 1)),
    ]


def _arrow(arrow: Arrow) -> list[str]:
    (x1, y1), (x2, y2) = arrow.points()
    line = f'<path d="M{x1:g},{y1:g} L{x2:g},{y2:g}" class="arrow"/>'
    return [line] + ([_text((x1 + x2) / 2, (y1 + y2) / 2 - 6, "label", arrow.label)] if arrow.label else [])


def picture() -> str:
    """The whole SVG."""
    width = max(box.right for box in BOXES) + _MARGIN
    height = max(box.bottom for box in BOXES) + _MARGIN
    parts = [part for arrow in ARROWS for part in _arrow(arrow)]
    parts += [part for box in BOXES for part in _box(box)]
    opening = (
        f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="title"'
    )
    return "\n".join(
        [
            f"<svg {opening}>",
            f'<title id="title">{escape(_TITLE)}</title>',
            f"<style>\n{_STYLE}\n</style>",
            f"<defs>{_HEAD}</defs>",
            f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="12" class="page"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(picture(), encoding="utf-8")
