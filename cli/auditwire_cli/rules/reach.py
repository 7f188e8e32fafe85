"""``auditwire rules reach``: which rules can match what a sender records."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditwire_cli.errors import CommandError, ExitCode, UsageError
from auditwire_cli.files import read_text
from auditwire_cli.rules.test import find_tests, load_tested, refuse_wrong_tests
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json, tell

if TYPE_CHECKING:
    from auditwire.analysis.cases import Case
    from auditwire.analysis.reach import Terms
    from auditwire.policy import Policy
    from auditwire.rules import RuleSet

_DEFAULT = Path("rules")


class ReachSender(StrEnum):
    """The kinds of sender that record audit events."""

    KUBERNETES = "kubernetes"
    KUBESPHERE = "kubesphere"
    EKS = "eks"
    GKE = "gke"
    AKS = "aks"


class ReachLevel(StrEnum):
    """The levels of audit events."""

    NONE = "None"
    METADATA = "Metadata"
    REQUEST = "Request"
    REQUEST_RESPONSE = "RequestResponse"


@dataclass(frozen=True, slots=True)
class _Row:
    rule: str
    reachable: bool | None
    blame: str | None
    proof: str | None

    def as_json(self) -> dict[str, Any]:
        return {"rule": self.rule, "reachable": self.reachable, "blame": self.blame, "proof": self.proof}


def rules_reach(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Folders of rules, with the tests beside them.  [default: rules]"),
    ] = None,
    *,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The audit policy of the sender.  [default: it records all]")
    ] = None,
    level: Annotated[
        ReachLevel | None,
        typer.Option(help="The most that is recorded, whatever the policy says.  [default: Metadata for kubesphere]"),
    ] = None,
    sender: Annotated[
        ReachSender | None, typer.Option(help="The kind of sender, some of which leave stages or fields out.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the smallest audit policy under which the tests still pass."),
    ] = None,
    output: Format = Output.TEXT,
) -> None:
    """Say for each rule whether it can match what a sender records.

    A rule is reachable if an event of one of its tests still makes it match: that test is named. So is one that matches
    every request of some kind. It is not reachable if
    no group, resource, subresource, verb, stage and level that the sender records can match: then the rule of the
    policy, the level or the sender to blame is named. Of the others nothing is known for certain; the fields that it
    depends on are named. Everything beyond group, resource, subresource, verb, stage and level counts as possible, and
    so does everybody who could have made a request.

    --write makes a policy for kube-apiserver from the tests: nothing can be taken out of it and no level lowered
    without a test that fails. It records nothing but what they need, and never looks at users.

    JSON is a list with an object for each rule: rule, reachable (true, false or null), blame and proof.

    \b
    Exit codes: 0 no rule is unreachable, 1 some are, or there are errors, 2 wrong usage.

    \b
    Examples:
      auditwire rules reach --policy policy.yaml
      auditwire rules reach rules --sender kubesphere --level Metadata --format json
      auditwire rules reach rules --write policy.yaml
    """
    rule_set, cases = _read(paths or [_DEFAULT])
    terms = _terms(rule_set, policy, level, sender)
    if write is not None:
        _write_policy(write, rule_set, cases, terms, any_sender=sender is None)
    rows = _rows(rule_set, cases, terms, any_sender=sender is None)
    if output is Output.JSON:
        show_json([row.as_json() for row in rows])
    else:
        for row in rows:
            show(_as_text(row))
        show(_summary(rows))
    if any(row.reachable is False for row in rows):
        raise typer.Exit(ExitCode.FINDINGS)


def _read(paths: list[Path]) -> "tuple[RuleSet, list[Case]]":
    from auditwire.analysis.cases import read_cases

    found = find_tests(paths, None)
    files = [read_cases(source) for source in found.tests]
    refuse_wrong_tests(files)
    rule_set, _ = load_tested(found.documents)
    return rule_set, [case for file in files for case in file.cases]


def _terms(rule_set: "RuleSet", policy: Path | None, level: ReachLevel | None, sender: ReachSender | None) -> "Terms":
    from auditwire.analysis.delivery import DELIVERIES
    from auditwire.analysis.reach import Terms
    from auditwire.events import Level

    delivery = DELIVERIES[(sender or ReachSender.KUBERNETES).value]
    most = delivery.level if level is None else Level(level.value)
    return Terms(None if policy is None else read_policy(policy), rule_set.policy, delivery, most)


def _write_policy(file: Path, rule_set: "RuleSet", cases: "list[Case]", terms: "Terms", *, any_sender: bool) -> None:
    """Writes the smallest policy for these tests. Raises CommandError where there is none or it cannot be written."""
    import yaml

    from auditwire.analysis.minimal_policy import minimal_policy, needs_of
    from auditwire.policy.load import API_VERSION

    needs = needs_of(rule_set, cases, terms, any_sender=any_sender)
    if not needs:
        raise CommandError(
            "no test proves that a rule matches, so no policy was written", "write tests beside the rules"
        )
    policy = {"apiVersion": API_VERSION, "kind": "Policy", **minimal_policy(rule_set, needs, terms).as_json()}
    try:
        file.write_text(yaml.safe_dump(policy, sort_keys=False, allow_unicode=True), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}") from None
    tell(f"{file}: {counted(len(policy['rules']), 'rule')} for {counted(len(needs), 'event')} of tests")


def read_policy(path: Path) -> "Policy":
    """The audit policy in a file. Raises UsageError, after showing why, for one that kube-apiserver does not load."""
    from auditwire.documents.source import Source
    from auditwire.policy import load_policy

    loaded = load_policy(Source(str(path), read_text(path)))
    if loaded.policy is None:
        for found in loaded.diagnostics:
            if found.is_error:
                tell(found.as_text())
        raise UsageError(f"{path} is not a policy that kube-apiserver loads", "see `auditwire policy check`")
    return loaded.policy


def _rows(rule_set: "RuleSet", cases: "list[Case]", terms: "Terms", *, any_sender: bool) -> list[_Row]:
    from auditwire.analysis.proof import proofs
    from auditwire.analysis.reach import reach

    proved = proofs(rule_set, cases, terms, any_sender=any_sender)
    rows = []
    for rule in {rule.qualified: rule for rule in (*rule_set.archiving, *rule_set.alerting)}.values():
        case = proved.get(rule.qualified)
        if case is not None:
            rows.append(_Row(rule.qualified, True, None, f"{case.path}: {case.name}"))
            continue
        found = reach(rule, terms)
        if not found.possible:
            rows.append(_Row(rule.qualified, False, found.blame, None))
            continue
        if found.certain:
            rows.append(_Row(rule.qualified, True, None, f"every {found.certain}"))
            continue
        depends = ", ".join(found.undecided)
        text = f"no test proves it; not understood: {depends}" if depends else "no test proves it"
        rows.append(_Row(rule.qualified, None, text, None))
    return sorted(rows, key=lambda row: row.rule)


def _as_text(row: _Row) -> str:
    word = {True: "yes", False: "no", None: "unknown"}[row.reachable]
    return f"{word:<8} {row.rule}\n         {row.proof or row.blame}"


def _summary(rows: list[_Row]) -> str:
    counts = [sum(row.reachable is value for row in rows) for value in (True, False, None)]
    return f"{counted(len(rows), 'rule')}: {counts[0]:,} reachable, {counts[1]:,} not, {counts[2]:,} unknown"
