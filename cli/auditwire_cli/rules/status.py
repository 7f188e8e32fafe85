"""``auditwire rules status``: which rules are in force, and what became of the last change."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from auditwire_cli.errors import CommandError, ExitCode
from auditwire_cli.rules.documents import short
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json
from auditwire_cli.times import iso

if TYPE_CHECKING:
    from auditwire.bundles.rules_bucket import RulesBucket
    from auditwire.bundles.rules_state import Active, Status
    from auditwire.documents.diagnostics import Diagnostic


@on_stack
def rules_status(
    *,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Show which rules are in force, and the last verdict.

    That is the active bundle, the last verdict with its findings, whether there are documents in the bucket that are
    not in force, and whether somebody is publishing. JSON has the members active (digest, compiled, archiving,
    alerting), verdict (verdict, digest, time, errors, warnings, diagnostics), documents (digest, count, in_force) and
    publishing (seconds). The first two and the last are null where there is none.

    \b
    Exit codes: 0 the documents in the bucket are in force, 1 they are not, or cannot be read, 2 wrong usage.

    \b
    Examples:
      auditwire rules status --profile prod
      auditwire rules status --state .auditwire/dev.json --format json
    """
    found = _look(where.rules_bucket(), datetime.now(UTC))
    if output is Output.JSON:
        show_json(found.as_json())
    else:
        show(found.as_text())
    if not found.in_force:
        raise typer.Exit(ExitCode.FINDINGS)


@dataclass(frozen=True, slots=True)
class _Found:
    active: "Active | None"
    rules: tuple[int, int] | None
    """How many rules archive and how many alert; None for a bundle that is missing or cannot be read."""
    status: "Status | None"
    findings: "list[Diagnostic]"
    digest: str
    documents: int
    publishing: float | None
    """The seconds since somebody began to publish; None when nobody is publishing."""

    @property
    def in_force(self) -> bool:
        """Whether the documents in the bucket decide; for an empty bucket, whether nothing was ever published."""
        if self.active is None:
            return not self.documents
        return self.digest == self.active.digest

    def as_json(self) -> dict[str, Any]:
        active, verdict = None, None
        if self.active is not None:
            archiving, alerting = self.rules or (None, None)
            active = {"digest": self.active.digest, "compiled": self.active.compiled.isoformat(),
                      "archiving": archiving, "alerting": alerting}  # fmt: skip
        if self.status is not None:
            verdict = {name: getattr(self.status, name) for name in ("verdict", "digest", "errors", "warnings")}
            verdict |= {"time": self.status.time.isoformat(), "diagnostics": [one.as_json() for one in self.findings]}
        documents = {"digest": self.digest, "count": self.documents, "in_force": self.in_force}
        publishing = None if self.publishing is None else {"seconds": round(self.publishing)}
        return {"active": active, "verdict": verdict, "documents": documents, "publishing": publishing}

    def as_text(self) -> str:
        lines = [f"in force    {self._decides()}"]
        if self.status is not None:
            errors = counted(self.status.errors, "error")
            warnings = counted(self.status.warnings, "warning")
            lines.append(
                f"verdict     {short(self.status.digest)} {self.status.verdict} at {iso(self.status.time)}: "
                f"{errors} and {warnings}"
            )
        count = counted(self.documents, "document")
        lines.append(f"in rules/   {count}, {self._standing()}")
        if self.publishing is not None:
            lines.append(f"publishing  {self._marker(self.publishing)}")
        return "\n".join([*lines, *(found.as_text() for found in self.findings)])

    def _decides(self) -> str:
        which = "the shipped rules"
        if self.active is not None:
            which = f"{short(self.active.digest)} since {iso(self.active.compiled)}"
        if self.rules is None:
            return f"{which}; its bundle cannot be read: functions that have it keep it, others use the shipped rules"
        archiving, alerting = (counted(count, "rule") for count in self.rules)
        return f"{which}: {archiving} archive, {alerting} alert"

    def _standing(self) -> str:
        if self.in_force:
            return "in force" if self.active else "so the shipped rules are in force"
        if self.status is not None and self.status.digest == self.digest and self.status.verdict == "refused":
            return f"{short(self.digest)}: refused, so not in force"
        if not self.documents:
            return "so the last rules stay in force"
        return f"{short(self.digest)}: not compiled yet, so not in force"

    def _marker(self, seconds: float) -> str:
        from auditwire.bundles.rules_bucket import MAX_MARKER_AGE

        if seconds < MAX_MARKER_AGE.total_seconds():
            return f"somebody has been publishing for {seconds:.0f} s; nothing is compiled until that ends"
        return f"somebody began {seconds:.0f} s ago and never ended; that rules/.publishing is ignored"


def _look(bucket: "RulesBucket", now: datetime) -> _Found:
    from auditwire.documents.source import digest_of
    from auditwire.rules.pack import default_rule_set
    from auditwire_cli.rules.bundles import read_active, read_bundle
    from auditwire_cli.rules.upload import documents_in, marker_age, sources_of
    from auditwire_cli.rules.verdict import findings_of, read_status

    active = read_active(bucket)
    try:
        rule_set = read_bundle(bucket, active.digest).rule_set if active else default_rule_set()
    except CommandError:
        rule_set = None
    documents = documents_in(bucket)
    status = read_status(bucket).status
    digest = digest_of(sources_of(documents))
    current = status is not None and status.digest == digest
    return _Found(
        active=active,
        rules=(len(rule_set.archiving), len(rule_set.alerting)) if rule_set else None,
        status=status,
        # Source lines are shown only if the documents are still those that the verdict is about.
        findings=findings_of(status, documents if current else {}) if status else [],
        digest=digest,
        documents=len(documents),
        publishing=marker_age(bucket, now),
    )
