"""The report of a replay, as text for people and as Markdown for a pull request: the same blocks, drawn in two ways."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from auditwire.analysis.example import Example
from auditwire.analysis.tally import Kind
from auditwire_cli.replay.report import Report, RuleRow, described
from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import counted
from auditwire_cli.terminal.table import table

_KINDS: Final[tuple[tuple[Kind, str], ...]] = (("gained", "+"), ("lost", "-"), ("changed", "~"))
_MARKDOWN: Final = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>()#+!|~"})


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the report: a title, sentences, a table, and lists of examples under their own titles."""

    title: str = ""
    sentences: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    examples: tuple[tuple[str, tuple[str, ...]], ...] = ()


def as_text(report: Report) -> str:
    """The report for a terminal."""
    return "\n\n".join(_text(block) for block in blocks(report))


def as_markdown(report: Report) -> str:
    """The report for a pull request. Nothing that a sender chose can be markup."""
    return "\n\n".join(["## What these rules change", *(_markdown(block) for block in blocks(report))])


def blocks(report: Report) -> Iterator[Block]:
    """The parts of the report that have something to say, in order."""
    if report.recorded:
        yield _recorded(report)
    yield Block(sentences=_summary(report))
    differing = [row for row in report.rows if row.differs]
    if differing:
        yield _alerts(differing)
    if report.dropped() or report.added() or report.tally.levels:
        yield _archive(report)
    for title, head, rows in (
        ("Noisiest rules", "rule", report.noisiest_rules()),
        ("Noisiest users", "user", report.noisiest("users")),
        ("Noisiest namespaces", "namespace", report.noisiest("namespaces")),
    ):
        if rows:
            cells = tuple((name or "-", f"{old:,}", f"{new:,}") for name, old, new in rows)
            yield Block(title, heads=(head, "old", "new"), rows=cells)
    if report.tally.errors:
        cells = tuple((rule, side, f"{count:,}") for (side, rule), count in sorted(report.tally.errors.items()))
        yield Block("Events that a rule could not judge", heads=("rule", "rules", "events"), rows=cells)
    if exceptions := report.exceptions():
        cells = tuple((name, _count_or_none(old), _count_or_none(new)) for name, old, new in exceptions)
        unused = [f"{name} silences nothing: is it still needed?" for name, _, new in exceptions if new == 0]
        yield Block("Exceptions", tuple(unused), heads=("exception", "old", "new"), rows=cells)
    yield Block("Notes", sentences=tuple(report.notes()))


def _count_or_none(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _summary(report: Report) -> tuple[str, ...]:
    tally, dropped = report.tally, report.dropped()
    sides = f"{report.old.name} → {report.new.name}"
    events = counted(tally.events, "event")
    if report.seconds:
        events += f" in {report.seconds:.1f} s"
    lines = [
        f"{events}, {sides}",
        f"alerts: {report.gained:,} gained, {report.lost:,} lost, {report.changed:,} changed",
        f"archived: {report.archived(0):,} → {report.archived(1):,}, {dropped:,} no longer, {report.added():,} newly",
    ]
    if report.budget is not None:
        verdict = "over" if report.over_budget else "within"
        lines.append(f"{verdict} the budget of {counted(report.budget, 'new alert')}")
    return tuple(lines)


def _recorded(report: Report) -> Block:
    repeated = sum(row.counts.repeated for row in report.rows)
    matches = counted(report.recorded, "match", "matches")
    sentences = [f"the archive recorded {matches} of alerting rules; the old rules give {repeated:,} of them again"]
    if report.not_comparable:
        names = ", ".join(row.name for row in report.not_comparable)
        sentences.append(f"not comparable, because the archive keeps less than these rules read: {names}")
    rows = tuple((rule, reason, f"{count:,}") for rule, reason, count in report.not_repeated)
    heads = ("rule", "reason", "not given again") if rows else ()
    return Block("Recorded alerts", tuple(sentences), heads, rows)


def _alerts(rows: Sequence[RuleRow]) -> Block:
    cells = tuple(
        (row.name, f"{row.counts.gained:,}", f"{row.lost:,}" if row.comparable else "not comparable",
         f"{row.counts.changed:,}", f"{row.counts.old:,}", f"{row.counts.new:,}")
        for row in rows
    )  # fmt: skip
    examples = [
        (f"{row.name}, {kind}", tuple(_example(sign, example) for example in row.counts.examples[kind]))
        for row in rows
        for kind, sign in _KINDS
        if row.counts.examples.get(kind) and (kind != "lost" or row.comparable)
    ]
    heads = ("rule", "gained", "lost", "changed", "old", "new")
    return Block("Alerts", heads=heads, rows=cells, examples=tuple(examples))


def _example(sign: str, example: Example) -> str:
    text = f"{sign} {described(example)}"
    if example.before and example.after:
        return f"{text}: {example.before} → {example.after}"
    return f"{text}: {example.after or example.before}"


def _archive(report: Report) -> Block:
    tally = report.tally
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in tally.dropped.most_common())
    sentences = [f"no longer archived, by reason: {reasons}"] if reasons else []
    sentences += [
        f"stored at another level: {counted(count, 'event')} {old} → {new}"
        for (old, new), count in sorted(tally.levels.items())
    ]
    requests = tally.dropped_requests.most(10)
    examples = tuple(f"- {described(example)}" for example in tally.dropped_examples)
    return Block(
        "Archive",
        tuple(sentences) or ("nothing is lost to the archive",),
        ("no longer archived", "events") if requests else (),
        tuple((name, f"{count:,}") for name, count in requests),
        (("no longer archived", examples),) if examples else (),
    )


def _text(block: Block) -> str:
    lines = [block.title] if block.title else []
    lines += [printable(sentence) for sentence in block.sentences]
    if block.heads:
        lines.append(table(block.heads, block.rows, right=block.heads[1:]))
    for title, examples in block.examples:
        lines += [printable(title), *(f"  {printable(example)}" for example in examples)]
    return "\n".join(lines)


def _markdown(block: Block) -> str:
    parts = [f"### {block.title}"] if block.title else []
    if block.sentences:
        parts.append("\n".join(f"- {_escaped(sentence)}" for sentence in block.sentences))
    if block.heads:
        right = ["---", *["---:" for _ in block.heads[1:]]]
        rows = [
            block.heads,
            right,
            *([_code(row[0]).replace("|", "\\|"), *map(_escaped, row[1:])] for row in block.rows),
        ]
        parts.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
    for title, examples in block.examples:
        items = "\n".join(f"- {_code(example[2:])}" for example in examples)
        parts.append(f"<details><summary>{escape(title)}</summary>\n\n{items}\n\n</details>")
    return "\n\n".join(parts)


def _escaped(text: str) -> str:
    return printable(text).translate(_MARKDOWN)


def _code(text: str) -> str:
    """Text that others chose: in code nothing is markup, a mention or a link."""
    safe = printable(text).replace("`", "'")
    return f"`{safe}`"
