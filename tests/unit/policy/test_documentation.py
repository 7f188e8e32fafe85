"""docs/policy.md: its policies are really found out, in its very words, and its table names every code."""

import re
from pathlib import Path

import pytest

from auditwire.documents.source import Source
from auditwire.policy import check_policy

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
EXAMPLES = list(
    zip(
        re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL),
        re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL),
        strict=True,
    )
)


@pytest.mark.parametrize(("policy", "output"), EXAMPLES, ids=lambda text: text.partition(":")[0])
def test_an_example_is_found_out_as_the_page_shows(policy: str, output: str) -> None:
    findings, _, _ = output.rstrip("\n").rpartition("\n")

    loaded = check_policy(Source(output.partition(":")[0], policy))

    assert "\n".join(found.as_text() for found in loaded.diagnostics) == findings


def test_every_code_is_in_the_table() -> None:
    modules = (ROOT / "layers" / "auditwire" / "auditwire" / "policy").glob("*.py")
    used = {code for module in modules for code in re.findall(r"AW3\d\d", module.read_text(encoding="utf-8"))}

    assert set(re.findall(r"^\| (AW3\d\d) ", PAGE, re.MULTILINE)) == used


def test_the_policy_that_ships_has_no_traps() -> None:
    loaded = check_policy(Source("policy.yaml", (ROOT / "rules" / "policy.yaml").read_text(encoding="utf-8")))

    assert (loaded.load, loaded.diagnostics) == ("ok", [])
    assert loaded.policy is not None
    secrets, patch, omitted = [{"resources": ["secrets"]}], ["patch"], ["RequestReceived"]
    assert loaded.policy.as_json() == {
        "rules": [
            {"level": "Metadata", "verbs": patch, "resources": secrets},
            {"level": "Metadata", "resources": secrets, "omitStages": omitted},
            {"level": "RequestResponse", "verbs": patch},
            {"level": "RequestResponse", "omitStages": omitted},
        ],
    }
