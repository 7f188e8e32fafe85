"""``Rule`` and ``Webhook`` documents to a ``RuleSet`` that decides about events."""

from auditwire.document_source import Source
from auditwire.rules.document import Priority, Receiver, Settings
from auditwire.rules.load import (
    Loaded,
    RulesError,
    default_rules,
    load_rule_set,
    load_sources,
    read_sources,
    rule_files,
)
from auditwire.rules.rule_set import Rule, RuleFailure, RuleSet, Verdict

__all__ = [
    "Loaded",
    "Priority",
    "Receiver",
    "Rule",
    "RuleFailure",
    "RuleSet",
    "RulesError",
    "Settings",
    "Source",
    "Verdict",
    "default_rules",
    "load_rule_set",
    "load_sources",
    "read_sources",
    "rule_files",
]
