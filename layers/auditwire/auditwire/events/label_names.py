"""Names of labels and annotations as Prometheus and Alertmanager take them, and those that are not a rule's to give."""

import re
from collections.abc import Mapping
from typing import Final

MAX_NAME_LENGTH: Final = 128

OWN_LABELS: Final = frozenset(
    (
        "alertname", "cluster", "event", "name", "namespace", "priority", "resource", "threshold_group", "user", "verb",
        "workspace",
    )
)  # fmt: skip
"""What an alert is about. A rule may set the severity; its labels with these names become ``rule_*``."""

OWN_ANNOTATIONS: Final = frozenset(
    (
        "message", "first_occurrence", "last_occurrence", "count", "source_addresses", "user_agent", "decision",
        "reason", "impersonated_user", "audit_ids", "archive_key", "threshold",
    )
)  # fmt: skip
"""The facts of an alert. A rule's annotations with these names become ``rule_*``."""

RUNBOOK: Final = "runbook_url"

# Scheme and host are written out, so that nothing in an event decides where a click leads.
_LINK = re.compile(r"https?://[^\s/?#$@]+([/?#]\S*)?")
_ILLEGAL_IN_NAME = re.compile(r"[^a-zA-Z0-9_]")


def legal_name(name: str) -> str:
    """A legal name of a label or annotation, within ``[a-zA-Z_][a-zA-Z0-9_]*``. Other characters become ``_``."""
    legal = _ILLEGAL_IN_NAME.sub("_", name[:MAX_NAME_LENGTH])
    return legal if legal[:1].isalpha() or legal.startswith("_") else f"_{legal}"


def legal_names(values: Mapping[str, str]) -> dict[str, str]:
    """The values under legal names. Names that become equal get ``_2``, ``_3``… in their original order."""
    legal: dict[str, str] = {}
    numbers: dict[str, int] = {}
    # Names that are legal already stay as they are, whatever the others become.
    for name in sorted(values, key=lambda name: (legal_name(name) != name, name)):
        wanted = fitting = legal_name(name)
        # Continue from the last number. Counting from 1 each time would take minutes for thousands of equal names.
        while fitting in legal:
            number = numbers[wanted] = numbers.get(wanted, 1) + 1
            fitting = f"{wanted}_{number}"
        legal[fitting] = values[name]
    return legal


def is_runbook(text: str) -> bool:
    """Whether a rule's runbook_url, as it is written, is an address of http or https whose host is written out."""
    return _LINK.fullmatch(text) is not None


def added_names(names: Mapping[str, str], own: frozenset[str]) -> dict[str, str]:
    """Under which name each label or annotation of a rule is added to an alert, by the name in its document, in order
    of the new names. ``names`` has their texts; those that are empty are left out."""
    written = {name: name for name, text in names.items() if text}
    return {name: f"rule_{legal}" if legal in own else legal for legal, name in sorted(legal_names(written).items())}
