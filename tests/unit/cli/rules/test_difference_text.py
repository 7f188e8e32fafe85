"""A difference as people read it."""

import pytest

from auditwire.rules.difference import Change, Difference, RuleChange
from auditwire_cli.rules.difference_text import broken, difference_text, summary

LONG = (
    'Verb in ("get", "list", "a and b (") and (User.Username = "x" or User.Username = "y") '
    'and RequestObject.spec.containers[*].image like "*latest"'
)


def test_a_difference_names_each_rule_and_what_about_it_changed() -> None:
    found = Difference(
        rules=(
            RuleChange(
                "own.New", "added",
                (Change("enabled", None, "true"), Change("used for", None, "alerting"),
                 Change("priority", None, "INFO"), Change("condition", None, LONG), Change("alert", None, "fold")),
            ),
            RuleChange("own.Old", "removed", (Change("priority", "DEBUG", None), Change("condition", "Verb", None))),
            RuleChange("own.Pod", "changed", (Change("priority", "INFO", "WARNING"), Change("label team", None, "a"),
                                              Change("condition", LONG, LONG.replace('"list"', '"watch"'))),
                       ("own.verbs",)),
        ),
        settings=(Change("auditLevel", "Metadata", "Request"),),
        policy=(Change("policy", '{"level": "None"}\n{"level": "Metadata"}', '{"level": "Metadata"}'),),
    )  # fmt: skip

    assert difference_text(found) == (
        "+ own.New\n"
        "    used for: alerting\n"
        "    priority: INFO\n"
        '    condition: Verb in ("get", "list", "a and b (")\n'
        '      and (User.Username = "x" or User.Username = "y")\n'
        '      and RequestObject.spec.containers[*].image like "*latest"\n'
        "- own.Old\n"
        "    priority: DEBUG\n"
        "    condition: Verb\n"
        "~ own.Pod\n"
        "    priority: INFO → WARNING\n"
        "    label team: none → a\n"
        "    condition:\n"
        "      …\n"
        '      -Verb in ("get", "list", "a and b (")\n'
        '      +Verb in ("get", "watch", "a and b (")\n'
        '       and (User.Username = "x" or User.Username = "y")\n'
        "    because of own.verbs\n"
        "~ settings\n"
        "    auditLevel: Metadata → Request\n"
        "~ audit policy\n"
        "    policy:\n"
        "      …\n"
        '      -{"level": "None"}\n'
        '       {"level": "Metadata"}\n'
        "1 rule added, 1 removed, 1 changed; settings and audit policy changed"
    )


def test_what_steers_a_terminal_is_shown_as_text() -> None:
    change = Change("output", "a", "\x1b[2J")

    assert "output: a → \\u001b[2J\n" in difference_text(Difference((RuleChange("own.R", "changed", (change,)),)))


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Difference(), "no difference"),
        (Difference(rules=(RuleChange("a", "removed", ()), RuleChange("b", "removed", ()))), "2 rules removed"),
        (Difference(settings=(Change("auditLevel", "a", "b"),)), "settings changed"),
        (Difference(policy=(Change("policy", None, "b"),)), "audit policy changed"),
    ],
)
def test_a_summary_counts(found: Difference, text: str) -> None:
    assert summary(found) == text


def test_a_long_list_is_broken_behind_its_commas() -> None:
    items = ", ".join(f'"item number {number}, of many"' for number in range(6))

    lines = broken(f"Verb exists and User.Username in ({items})")

    assert lines[0] == "Verb exists"
    assert lines[1] == 'and User.Username in ("item number 0, of many",'
    assert lines[2:] == [f'  "item number {number}, of many",' for number in range(1, 5)] + [
        '  "item number 5, of many")'
    ]
    assert broken("") == []
    assert broken("short") == ["short"]


def test_a_quote_in_a_text_does_not_end_it() -> None:
    text = 'User.Username = "say \\"x and y\\" ' + "x" * 90 + '" and Verb exists'

    assert broken(text) == [text.removesuffix(" and Verb exists"), "and Verb exists"]
