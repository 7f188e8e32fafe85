"""``auditwire rules test``: whether rules do what the tests beside them say."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CommandError, ExitCode, UsageError
from auditwire_cli.rules.documents import read_documents, read_files
from auditwire_cli.rules.test_report import Report, as_github, as_json, as_junit, as_text
from auditwire_cli.terminal.output import show, show_json, tell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditwire.analysis.cases import Case, CaseFile
    from auditwire.rules import RuleSet, Source

_DEFAULT = Path("rules")


class TestFormat(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class Found:
    """The documents, and the files of tests that are to be run."""

    documents: "list[Source]"
    tests: "list[Source]"


def rules_test(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Folders of rules, files of tests, or rule documents.  [default: rules]"),
    ] = None,
    *,
    keyword: Annotated[
        str,
        typer.Option("-k", metavar="EXPR", help="Only tests that match: words of names, and, or, not, parentheses."),
    ] = "",
    with_coverage: Annotated[
        bool, typer.Option("--coverage", help="Show which operands of conditions no test proves.")
    ] = False,
    least: Annotated[
        float | None,
        typer.Option("--min", min=0, max=100, metavar="N", help="With --coverage: fail below N percent."),
    ] = None,
    rules: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="The rules to test, where PATH does not have all of them; may be repeated."),
    ] = None,
    output: Annotated[TestFormat, typer.Option("--format", help="How to print the results.")] = TestFormat.TEXT,
) -> None:
    """Run the tests beside rule documents.

    Tests are in files NAME.test.yaml. Each has a name, a rule, partial events and what it expects: alert, archive,
    ignore or silent. Only what fails is shown, with the smallest reason. --coverage also shows the operands of
    conditions that no test proves: each should decide once when it is true and once when it is false.

    A folder is read with everything below it. For a file, the rules of its folder are loaded; below a folder that is
    called rules, all rules of that folder.

    \b
    Exit codes: 0 all passed, 1 failures or too little coverage, 2 wrong usage.

    \b
    Examples:
      auditwire rules test
      auditwire rules test rules/detections --coverage --min 100
      auditwire rules test -k "Secret and not kubesphere" --format junit > results.xml
    """
    from auditwire.analysis.cases import read_cases
    from auditwire.analysis.exception_use import too_wide
    from auditwire.analysis.operand_coverage import coverage
    from auditwire.analysis.trial import Trials
    from auditwire_cli.rules.keyword import selects

    if least is not None and not with_coverage:
        raise UsageError("--min needs --coverage", "add --coverage")
    matches = selects(keyword)
    found = find_tests(paths or [_DEFAULT], rules)
    files = [read_cases(source) for source in found.tests]
    refuse_wrong_tests(files)
    rule_set, documents = load_tested(found.documents)
    cases = [case for file in files for case in file.cases if matches(_words_of(case))]
    if not cases:
        if any(file.cases for file in files):
            raise UsageError(f"no test matches -k {keyword}", "leave it out to run all tests")
        raise UsageError("there are no tests", "they are in files whose names end in .test.yaml")
    trials = Trials(rule_set)
    results = [trials.run(case) for case in cases]
    covered = None
    if with_coverage:
        excuses = [excuse for file in files for excuse in file.excuses]
        scope = documents if any(path.is_dir() for path in paths or [_DEFAULT]) else {
            result.rule.document for result in results if result.rule
        }  # fmt: skip
        every = coverage(rule_set, results, excuses)
        covered = [one for one in every if one.rule.partition(".")[0] in scope]
    report = Report(results, covered, least, too_wide(rule_set, results))
    if output is TestFormat.JSON:
        show_json(as_json(report))
    elif output is TestFormat.JUNIT:
        show(as_junit(report))
    elif output is TestFormat.GITHUB:
        show(as_github(report))
    else:
        show(as_text(report))
    if not report.passed:
        raise typer.Exit(ExitCode.FINDINGS)


def _words_of(case: "Case") -> str:
    return f"{case.path} {case.rule} {case.name}"


def find_tests(paths: list[Path], rules: list[Path] | None) -> Found:
    """The tests that are meant, and the documents that they are about."""
    from auditwire.documents.source import is_test_file
    from auditwire.rules import rule_test_files

    tests: dict[Path, None] = {}
    homes: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(f"cannot read {path}: No such file or directory")
        if path.is_dir():
            tests |= dict.fromkeys(rule_test_files(path))
            homes[path] = None
        else:
            tests |= dict.fromkeys([path] if is_test_file(path.name) else _beside(path))
            homes[_home(path)] = None
    documents = [one for one in read_documents(rules or list(homes)) if not is_test_file(one.path)]
    return Found(documents, read_files(tests))


def _beside(document: Path) -> list[Path]:
    """The tests of a document."""
    found = [document.with_suffix(suffix) for suffix in (".test.yaml", ".test.yml")]
    return [path for path in found if path.exists()]


def _home(file: Path) -> Path:
    """The folder of the rules that a file belongs to."""
    folders = [folder for folder in file.resolve().parents if folder.name == "rules"]
    return folders[-1] if folders else file.parent


def load_tested(sources: "list[Source]") -> "tuple[RuleSet, set[str]]":
    """The rules, and the names of their documents. Raises CommandError after showing what is wrong with them."""
    from auditwire.rules import load_sources

    loaded = load_sources(sources)
    if loaded.rule_set is None:
        for found in loaded.diagnostics:
            if found.is_error:
                tell(found.as_text())
        raise CommandError("the rules have errors, so nothing was tested", "see `auditwire rules check`")
    return loaded.rule_set, {document.name for document in loaded.documents}


def refuse_wrong_tests(files: "Iterable[CaseFile]") -> None:
    """Raises CommandError after showing what is wrong with the tests themselves."""
    wrong = [found for file in files for found in file.diagnostics]
    for found in wrong:
        tell(found.as_text())
    if any(found.is_error for found in wrong):
        raise CommandError("the tests have errors, so none was run", "docs/rule-tests.md says what a test may hold")
