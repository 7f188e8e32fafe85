"""What verifying finds, shown as it is found: to people what is wrong, to scripts everything."""

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from auditwire_cli.errors import ExitCode
from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import counted, show

if TYPE_CHECKING:
    from auditwire.evidence.states import HeadReport, ObjectReport, Report, SealReport, SpanReport, Tally

VERDICTS = {ExitCode.OK: "intact", ExitCode.FINDINGS: "tampered", ExitCode.INCOMPLETE: "incomplete"}


class Printer(Protocol):
    """Prints reports."""

    def add(self, report: "Report") -> None:
        """Show the next one."""

    def end(self, tally: "Tally") -> None:
        """Show the whole, after the last one."""


@dataclass(slots=True)
class JsonPrinter:
    """One JSON object, written as it grows: an archive can have more objects than there is memory for."""

    seals: "list[SealReport]" = field(default_factory=list)
    spans: "list[SpanReport]" = field(default_factory=list)
    heads: "list[HeadReport]" = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _started: bool = False

    def add(self, report: "Report") -> None:
        """See Printer.add."""
        from auditwire.evidence.states import HeadReport, ObjectReport, SealReport, SpanReport

        match report:
            case ObjectReport():
                sys.stdout.write(("," if self._started else '{"objects": [') + "\n  " + json.dumps(_object(report)))
                self._started = True
            case SealReport():
                self.seals.append(report)
            case SpanReport():
                self.spans.append(report)
            case HeadReport():
                self.heads.append(report)
            case _:
                self.notes.append(report.text)

    def end(self, tally: "Tally") -> None:
        """See Printer.end."""
        sys.stdout.write("],\n" if self._started else '{"objects": [],\n')
        rest = {
            "seals": [
                {"cluster": one.cluster, "number": one.number, "state": one.state, "detail": one.detail}
                for one in sorted(self.seals, key=lambda one: (one.cluster, one.number))
            ],
            "spans": [
                {
                    "cluster": one.cluster,
                    "from": one.start or None,
                    "to": one.end,
                    "state": one.state,
                    "detail": one.detail,
                }
                for one in self.spans
            ],
            "heads": [{"cluster": one.cluster, "number": one.number, "sha256": one.sha256} for one in self.heads],
            "notes": self.notes,
            "verdict": VERDICTS[ExitCode(tally.outcome)],
        }
        sys.stdout.write(json.dumps(rest)[1:] + "\n")


class TextPrinter:
    """A line for everything that is wrong, and the verdict."""

    def __init__(self) -> None:
        self._heads: list[HeadReport] = []

    def add(self, report: "Report") -> None:
        """See Printer.add."""
        from auditwire.evidence.states import HeadReport, ObjectReport, SealReport, SpanReport

        match report:
            case ObjectReport() if report.state not in ("valid", "expired"):
                held = f". It held {report.held}" if report.held else ""
                show(printable(f"{report.state:13}  {report.key}: {report.detail}{held}"))
            case SealReport() if report.state != "valid":
                show(printable(f"{report.state:13}  seal {report.number} of {report.cluster}: {report.detail}"))
            case SpanReport() if report.state in ("gap", "unsealed"):
                show(
                    printable(
                        f"{report.state:13}  {report.cluster} from {report.start} to {report.end}: {report.detail}"
                    )
                )
            case HeadReport():
                self._heads.append(report)
            case SealReport() | ObjectReport() | SpanReport():
                pass
            case _:
                show(printable(f"note           {report.text}"))

    def end(self, tally: "Tally") -> None:
        """See Printer.end."""
        for head in self._heads:
            show(f"head           {head.cluster}:{head.number}:{head.sha256}")
        show(f"{VERDICTS[ExitCode(tally.outcome)]}: {_counts(tally, 'seal')}; {_counts(tally, 'object')}")


def _counts(tally: "Tally", kind: str) -> str:
    states = [f"{count:,} {state}" for (of, state), count in sorted(tally.counts.items()) if of == kind]
    total = counted(tally.total(kind), kind)
    return f"{total} ({', '.join(states)})" if states else total


def _object(report: "ObjectReport") -> dict[str, Any]:
    said = {"key": report.key, "state": report.state}
    return said if report.state == "valid" else {**said, "detail": report.detail, "held": report.held}
