"""Tables for people: columns as wide as their widest cell, cut where a terminal has no room for them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from auditwire_cli.terminal.escaping import printable

MIN_CUT_WIDTH = 12
"""No column is cut to fewer characters than this."""

_GAP = "  "
_MEASURED_ROWS = 200


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[str] = (),
    cut: Sequence[str] = (),
    width: int | None = None,
) -> str:
    """The rows below their heads, as one text; the parameters are those of ``table_lines``."""
    return "\n".join(table_lines(heads, rows, right=right, cut=cut, width=width))


def table_lines(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[str] = (),
    cut: Sequence[str] = (),
    width: int | None = None,
) -> Iterator[str]:
    """The head in capitals, then a line for each row as it comes. Cells are made safe to print; an empty one is ``-``,
    except in a column whose head is empty too.

    Columns named in ``right`` are aligned to the right. With ``width``, the columns a terminal has, those named in
    ``cut`` lose their ends, marked by ``…``, until a line fits. The first 200 rows say how wide columns are; a later
    cell that is wider moves its line.
    """
    coming = (_cells(heads, row) for row in rows)
    first = list(islice(coming, _MEASURED_ROWS))
    head = [name.upper() for name in heads]
    widths = [max(_width(row[at]) for row in (head, *first)) for at in range(len(heads))]
    limits = _cut_widths(dict(zip(heads, widths, strict=True)), cut, width)
    for row in chain([head], first, coming):
        cells = (
            _fitted(_shortened(cell, limits.get(name)), limits.get(name, natural), right=name in right)
            for name, natural, cell in zip(heads, widths, row, strict=True)
        )
        yield _GAP.join(cells).rstrip()


def _cells(heads: Sequence[str], row: Sequence[str]) -> list[str]:
    return [printable(cell) or ("-" if name else "") for name, cell in zip(heads, row, strict=True)]


def _cut_widths(widths: dict[str, int], cut: Sequence[str], width: int | None) -> dict[str, int]:
    """How wide the columns that may be cut are, so that a line fits if it can: the widest is cut first."""
    limits = {name: widths[name] for name in cut} if width is not None else {}
    excess = sum(widths.values()) + len(_GAP) * (len(widths) - 1) - (width or 0)
    while limits and excess > 0:
        widest = max(limits, key=lambda name: limits[name])
        if limits[widest] <= MIN_CUT_WIDTH:
            break
        limits[widest] -= 1
        excess -= 1
    return limits


def _shortened(cell: str, limit: int | None) -> str:
    if limit is None or _width(cell) <= limit:
        return cell
    from rich.cells import set_cell_size

    return set_cell_size(cell, limit - 1).rstrip() + "…"


def _fitted(cell: str, width: int, *, right: bool) -> str:
    padding = " " * (width - _width(cell))
    return padding + cell if right else cell + padding


def _width(cell: str) -> int:
    """How many columns of a terminal a text takes: Chinese, Japanese and Korean characters take two."""
    if cell.isascii():
        return len(cell)
    from rich.cells import cell_len

    return cell_len(cell)
