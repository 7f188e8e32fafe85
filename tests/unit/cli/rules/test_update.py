"""``rules update``: the shipped rules into a folder, and nothing of the site's."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rule_texts import one_rule

Run = Callable[..., Any]
SHIPPED = Path(__file__).parents[4] / "rules"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "rules"))


def test_nothing_is_to_do_where_the_rules_are_the_shipped_ones_and_the_site_has_its_own(
    auditwire: Run, folder: Path
) -> None:
    site = folder / "site" / "site.yaml"
    site.write_text(site.read_text().replace("list: []", "list: [mine]", 1))
    (folder / "policy.yaml").unlink()
    shutil.copy(SHIPPED / "policy.yaml", folder)
    (folder / "own.yaml").write_text(one_rule("own"))

    result = auditwire("rules", "update", folder)

    assert (result.exit_code, result.stdout) == (0, "up to date: these are the rules that ship with this version\n")


def test_the_difference_is_shown_and_written_only_when_asked_for(auditwire: Run, folder: Path) -> None:
    execution, old = folder / "detections" / "execution.yaml", folder / "detections" / "old.yaml"
    shipped = execution.read_text()
    execution.write_text(shipped.replace('"exec", "attach"', '"exec"', 1))
    old.write_text(one_rule("old"))
    (folder / "site" / "site.yaml").unlink()
    (folder / "detections" / "impact.yaml").write_text(one_rule("impact"))

    shown = auditwire("rules", "update", folder)
    before = execution.read_text(), old.exists()
    written = auditwire("rules", "update", folder, "--write")

    assert shown.exit_code == 1
    assert shown.stdout.splitlines()[:4] == [
        "~ changed  detections/execution.yaml",
        "- removed  detections/impact.yaml",
        "- removed  detections/old.yaml",
        "+ new      site/site.yaml",
    ]
    assert before != (shipped, False)
    assert written.exit_code == 0
    assert (execution.read_text(), old.exists()) == (shipped, False)
    assert (folder / "site" / "site.yaml").read_text() == (SHIPPED / "site" / "site.yaml").read_text()
    assert auditwire("rules", "update", folder).exit_code == 0


def test_what_a_changed_rule_decides_differently_is_said(auditwire: Run, folder: Path) -> None:
    execution = folder / "detections" / "execution.yaml"
    execution.write_text(execution.read_text().replace('ObjectRef.Subresource = "portforward"', 'Verb = "x"', 1))

    lines = auditwire("rules", "update", folder).stdout.splitlines()

    assert "~ execution.PortForward" in lines
    assert lines[-1] == "1 rule changed"


def test_rules_that_would_have_errors_are_not_written(auditwire: Run, folder: Path) -> None:
    known = folder / "detections" / "known.yaml"
    old = known.read_text() + "    - {name: mine, type: list, list: [a]}\n"
    known.write_text(old)
    (folder / "own.yaml").write_text(one_rule("own", "User.Username in ${known.mine}"))

    result = auditwire("rules", "update", folder, "--write")

    assert result.exit_code == 1
    assert "auditwire: with the new documents your rules would have errors, so nothing was written\n" in result.stderr
    assert known.read_text() == old
