"""Findings about a document: a code, a place, one sentence, one hint.

Findings are values that are collected, never raised one by one, so that one check reports everything at once. Codes are
stable: AW1xx language, AW2xx documents, AW3xx policy, AW4xx bundle.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

CODES: Final[Mapping[str, str]] = {
    "AW101": "the text is not a condition",
    "AW102": "there is no such field",
    "AW103": "the condition is ambiguous",
    "AW104": "RE2 refuses the regular expression",
    "AW105": "the name is not defined",
    "AW106": "the name has the wrong type",
    "AW107": "the definition contains itself",
    "AW108": "no array has this index",
    "AW109": "the number is too large",
    "AW110": "the condition is too large",
    "AW111": "KubeSphere does not understand this",
    "AW112": "the field has no index or no keys",
    "AW113": "the field has the wrong type",
    "AW114": "this can never be true",
    "AW115": "this is always true",
    "AW116": "some element is not every element",
    "AW117": "the test is false where the field is missing",
    "AW118": "the timestamp has the wrong format",
    "AW119": "like without a wildcard",
    "AW120": "no regular expression is needed",
    "AW121": "no event has this value",
    "AW122": "lower() compares texts in lower case",
    "AW123": "this is no network",
    "AW124": "any looks at elements",
    "AW125": "a patch says only what it changes",
    "AW126": "the path leads through a list",
    "AW127": "KubeSphere reads the macro otherwise",
    "AW128": "this cloud never sends the field",
    "AW201": "the file is not YAML",
    "AW202": "the apiVersion is not supported",
    "AW203": "the key is unknown",
    "AW204": "the value has the wrong type",
    "AW205": "something is missing",
    "AW206": "the value is not allowed",
    "AW207": "the name is used twice",
    "AW208": "the selector selects nothing",
    "AW209": "the field has no effect here",
    "AW210": "events of Kubernetes are dropped",
    "AW211": "the receiver can be reached only from inside its cluster",
    "AW212": "the output names something unknown",
    "AW214": "the document is too large",
    "AW215": "the definition is never used",
    "AW216": "two rules have the same condition",
    "AW217": "the name hides another one",
    "AW218": "the rule archives nothing",
    "AW219": "the output shows a body that is not kept",
    "AW220": "every event of KubeSphere is dropped",
    "AW221": "the document is in a file of tests",
    "AW222": "the alert has it under another name",
    "AW223": "the runbook is not a link",
    "AW224": "the threshold counts requests several times",
    "AW225": "anybody can stay below the threshold",
    "AW230": "the exception has no rule",
    "AW231": "the exception is never used",
    "AW232": "the exception has expired",
    "AW233": "anybody can use the exception",
    "AW301": "the file is neither YAML nor JSON",
    "AW302": "the document is not a policy",
    "AW303": "the value has the wrong type",
    "AW304": "the policy has no rules",
    "AW305": "the rule has no valid level",
    "AW306": "the stage does not exist",
    "AW307": "this cannot be an API group",
    "AW308": "this cannot be a path",
    "AW309": "these selectors exclude each other",
    "AW310": "the key is ignored",
    "AW311": "the key occurs twice",
    "AW312": "the document is not read",
    "AW313": "the policy is too large",
    "AW320": "the rule is never reached",
    "AW321": "the rule changes nothing",
    "AW322": "the asterisk is an ordinary character here",
    "AW323": "the requests have no name",
    "AW324": "Secrets are recorded with their values",
    "AW325": "older Kubernetes refuses this group",
    "AW326": "the namespace is empty",
    "AW327": "no such request has this verb",
    "AW328": "nothing is ever recorded",
    "AW329": "the API group does not exist",
    "AW330": "the resource does not exist",
    "AW331": "failed authentications are not recorded",
    "AW332": "patches can leave no trace",
    "AW333": "a group stands among users, or a user among groups",
    "AW401": "the file is not a bundle",
    "AW402": "the bundle has a schema this version cannot read",
    "AW403": "the bundle does not match its digest",
    "AW404": "there are no documents",
    "AW405": "there are too many documents",
}
"""Every code with its title. docs/diagnostics.md explains each with examples. A code never changes its meaning."""


class Severity(StrEnum):
    """The weight of a finding: an error refuses the document, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding. Lines and columns count from 1; 0 means that the finding has no place of its own."""

    code: str
    severity: Severity
    message: str
    hint: str = ""
    path: str = ""
    line: int = 0
    column: int = 0
    rule: str = ""
    source: str = ""
    """The line of the source that the finding points at, without its line end. It is shown under the message with a
    caret."""

    @property
    def is_error(self) -> bool:
        """Whether this finding alone refuses the document."""
        return self.severity is Severity.ERROR

    def as_json(self) -> dict[str, str | int]:
        """The finding as the command line prints it with ``--format json``."""
        fields = asdict(self)
        del fields["source"]
        return {**fields, "severity": str(self.severity)}

    def as_text(self) -> str:
        """The finding for people: ``path:line:column: severity CODE: message``, the source line, the hint."""
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part)
        lines = [f"{place + ': ' if place else ''}{self.severity} {self.code}: {self.message}"]
        if self.source and self.column:
            # Tabs stay tabs in the padding, so that the caret stands under its character.
            before = self.source[: self.column - 1]
            padding = "".join("\t" if character == "\t" else " " for character in before)
            lines += [f"    {self.source}", f"    {padding}^"]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of these findings refuses the document."""
    return any(diagnostic.is_error for diagnostic in diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings in reading order: by path, line, column, code."""
    return sorted(diagnostics, key=lambda found: (found.path, found.line, found.column, found.code))
