"""The results of tests of rules, in every format."""

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml  # only writes

from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditwire.analysis.operand_coverage import RuleCoverage
    from auditwire.analysis.trial import Result


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to report. ``least`` is the coverage in percent that is enough, None for any."""

    results: "list[Result]"
    covered: "list[RuleCoverage] | None" = None
    least: float | None = None
    too_wide: "Sequence[str]" = ()
    """Exceptions that silence every test of their rule, each in a sentence."""

    @property
    def failures(self) -> "list[Result]":
        """The tests that failed."""
        return [result for result in self.results if not result.passed]

    @property
    def percent(self) -> float:
        """The coverage of all rules together."""
        from auditwire.analysis.operand_coverage import percent

        return percent(self.covered or [])

    @property
    def problems(self) -> list[str]:
        """What is wrong beside failed tests."""
        problems = [
            f"{excuse.path}:{excuse.line}: {covered.rule} needs no reason for {excuse.operand!r}:"
            " the tests prove it, or the rule does not have it"
            for covered in self.covered or ()
            for excuse in covered.needless
        ]
        if self.least is not None and self.percent < self.least:
            problems.append(f"the coverage is {self.percent}%, but at least {self.least:g}% is wanted")
        return problems

    @property
    def passed(self) -> bool:
        """Whether the command ends well."""
        return not self.failures and not self.problems and not self.too_wide


def as_text(report: Report) -> str:
    """For people: only what failed, what is not covered, and a line with the counts."""
    lines = []
    for result in report.failures:
        case = result.case
        lines.append(printable(f"{case.path}:{case.line}: {case.rule or 'any rule'}: {case.name}"))
        lines += [printable(f"    {reason}") for reason in result.reasons]
    for covered in report.covered or ():
        if missing := covered.missing():
            lines.append(printable(f"{covered.rule}: {covered.as_json()['percent']}% of its operands are proved"))
            lines += [printable(f"    never decisive when {words}: {operand}") for operand, words in missing]
    lines += map(printable, (*report.problems, *report.too_wide))
    return "\n".join([*lines, _summary(report)])


def as_json(report: Report) -> dict[str, Any]:
    """For scripts."""
    failures = len(report.failures)
    found: dict[str, Any] = {
        "passed": len(report.results) - failures,
        "failed": failures,
        "tests": [
            {
                "name": result.case.name,
                "rule": result.rule.qualified if result.rule else result.case.rule,
                "path": result.case.path,
                "line": result.case.line,
                "passed": result.passed,
                "reasons": list(result.reasons),
            }
            for result in report.results
        ],
    }
    if report.covered is not None:
        rules = [covered.as_json() for covered in report.covered]
        found["coverage"] = {"percent": report.percent, "rules": rules, "problems": report.problems}
    if report.too_wide:
        found["exceptions"] = list(report.too_wide)
    return found


def as_junit(report: Report) -> str:
    """JUnit's XML: a suite for each file."""
    root = Xml.Element("testsuites", tests=str(len(report.results)), failures=str(len(report.failures)))
    for path, group in groupby(report.results, key=lambda result: result.case.path):
        results = list(group)
        failures = sum(not result.passed for result in results)
        suite = Xml.SubElement(root, "testsuite", name=path, tests=str(len(results)), failures=str(failures))
        for result in results:
            case = result.case
            rule = result.rule.qualified if result.rule else case.rule or "any"
            one = Xml.SubElement(
                suite, "testcase", classname=rule, name=printable(case.name), file=path, line=str(case.line)
            )
            if result.reasons:
                first = printable(result.reasons[0])
                Xml.SubElement(one, "failure", message=first).text = "\n".join(map(printable, result.reasons))
    for name, problems in (("coverage", report.problems), ("exceptions", report.too_wide)):
        if problems:
            suite = Xml.SubElement(root, "testsuite", name=name, tests="1", failures="1")
            one = Xml.SubElement(suite, "testcase", classname=name, name=name)
            Xml.SubElement(one, "failure", message=problems[0]).text = "\n".join(problems)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True)


def as_github(report: Report) -> str:
    """Annotations of GitHub Actions for what failed, and the line with the counts."""
    lines = []
    for result in report.failures:
        case = result.case
        title = _property(f"{case.rule or 'any rule'}: {case.name}")
        text = _data("\n".join(map(printable, result.reasons)))
        lines.append(f"::error file={_property(case.path)},line={case.line},title={title}::{text}")
    lines += [f"::error title=coverage::{_data(printable(problem))}" for problem in report.problems]
    lines += [f"::error title=exceptions::{_data(printable(one))}" for one in report.too_wide]
    return "\n".join([*lines, _summary(report)])


def _summary(report: Report) -> str:
    failures = len(report.failures)
    text = f"{counted(len(report.results), 'test')}: {len(report.results) - failures:,} passed, {failures:,} failed"
    if report.covered is None:
        return text
    excused = sum(len(covered.excused) for covered in report.covered)
    reasons = f", {counted(excused, 'operand')} named with a reason" if excused else ""
    return f"{text}; coverage {report.percent}% of {counted(len(report.covered), 'rule')}{reasons}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
