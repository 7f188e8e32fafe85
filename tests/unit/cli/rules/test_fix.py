from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

AMBIGUOUS = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata:
  name: own
  labels: {type: alerting}
spec:
  rules:
  - name: R
    type: rule
    condition: Verb = "get" or Verb = "list" and Level exists   # why
    priority: WARNING
"""
KUBESPHERE = AMBIGUOUS.replace('Verb = "get" or Verb = "list" and', '(Verb = "get" or Verb = "list") and')
STANDARD = AMBIGUOUS.replace('Verb = "list" and Level exists', '(Verb = "list" and Level exists)')


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("own.yaml")
    path.write_text(AMBIGUOUS)
    return path


@pytest.mark.parametrize(("precedence", "text"), [("kubesphere", KUBESPHERE), ("standard", STANDARD)])
def test_parentheses_keep_the_chosen_meaning(auditwire: Run, own: Path, precedence: str, text: str) -> None:
    result = auditwire("rules", "fix", ".", "--precedence", precedence)

    assert result.exit_code == 0
    assert own.read_text() == text
    assert result.stdout == (
        f"own.yaml:10:16: own.R got parentheses, read as {precedence}\n1 condition in 1 file got parentheses\n"
    )
    assert auditwire("rules", "check", ".").exit_code == 0
    again = auditwire("rules", "fix", ".")
    assert (again.exit_code, again.stdout) == (0, "no condition needs parentheses\n")


def test_somebody_must_say_what_it_means(auditwire: Run, own: Path) -> None:
    result = auditwire("rules", "fix", "own.yaml")

    assert result.exit_code == 2
    assert own.read_text() == AMBIGUOUS
    assert "own.yaml:10:16: error AW103: the condition is ambiguous" in result.stderr
    assert result.stderr.endswith(
        "auditwire: there is no telling how 1 ambiguous condition is meant; nothing was changed\n"
        "  hint: --precedence kubesphere keeps the meaning in KubeSphere, --precedence standard the usual meaning\n"
    )


def test_the_annotation_of_a_document_says_what_it_means(auditwire: Run, own: Path) -> None:
    annotated = "  annotations: {auditwire.io/precedence: standard}\n  labels:"
    own.write_text(AMBIGUOUS.replace("  labels:", annotated))

    assert auditwire("rules", "fix", "own.yaml").exit_code == 0
    assert own.read_text() == STANDARD.replace("  labels:", annotated)


def test_a_check_changes_nothing_and_fails_where_something_would_change(auditwire: Run, own: Path) -> None:
    result = auditwire("rules", "fix", ".", "--check", "--precedence", "kubesphere")

    assert result.exit_code == 1
    assert own.read_text() == AMBIGUOUS
    assert result.stdout.endswith("1 condition in 1 file would get parentheses\n")
    own.write_text(KUBESPHERE)
    assert auditwire("rules", "fix", ".", "--check").exit_code == 0


def test_a_diff_shows_what_would_change(auditwire: Run, own: Path) -> None:
    result = auditwire("rules", "fix", ".", "--diff", "--precedence", "kubesphere")

    assert result.exit_code == 0
    assert own.read_text() == AMBIGUOUS
    assert result.stdout == (
        "--- own.yaml\n"
        "+++ own.yaml (fixed)\n"
        "@@ -7,5 +7,5 @@\n"
        "   rules:\n"
        "   - name: R\n"
        "     type: rule\n"
        '-    condition: Verb = "get" or Verb = "list" and Level exists   # why\n'
        '+    condition: (Verb = "get" or Verb = "list") and Level exists   # why\n'
        "     priority: WARNING\n"
    )
    assert auditwire("rules", "fix", ".", "--diff", "--check", "--precedence", "kubesphere").exit_code == 1


def test_a_file_that_cannot_be_changed_is_named_and_the_others_are_changed(auditwire: Run, own: Path) -> None:
    shared = AMBIGUOUS.replace("name: own", "name: shared").replace("condition: ", "condition: &same ")
    Path("shared.yaml").write_text(shared + "    output: *same\n")

    result = auditwire("rules", "fix", ".", "--precedence", "kubesphere")

    assert result.exit_code == 1
    assert own.read_text() == KUBESPHERE
    assert Path("shared.yaml").read_text() == shared + "    output: *same\n"
    assert "shared.yaml:10:16: error AW103: parentheses cannot be added to this file" in result.stderr


def test_line_ends_and_bytes_stay(auditwire: Run, own: Path) -> None:
    own.write_bytes(AMBIGUOUS.replace("why", "né 😀").replace("\n", "\r\n").encode())

    assert auditwire("rules", "fix", own, "--precedence", "kubesphere").exit_code == 0
    assert own.read_bytes() == KUBESPHERE.replace("why", "né 😀").replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing.yaml"], 2, "auditwire: cannot read missing.yaml: No such file or directory\n"),
        (["empty"], 2, "auditwire: there are no rule documents in empty\n  hint: their names end in .yaml or .yml\n"),
        (
            ["latin.yaml"],
            1,
            "auditwire: latin.yaml is not UTF-8, so it cannot be edited\n  hint: save it as UTF-8 first\n",
        ),
    ],
)
def test_what_cannot_be_read_is_named(auditwire: Run, own: Path, arguments: list[str], code: int, message: str) -> None:
    Path("empty").mkdir()
    Path("latin.yaml").write_bytes(AMBIGUOUS.encode() + b"# \xe9\n")

    result = auditwire("rules", "fix", *arguments)

    assert (result.exit_code, result.stderr) == (code, message)
