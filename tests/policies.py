"""Generated audit policies and requests, odd ones included."""

from hypothesis import strategies as st

from auditwire.events import Level
from auditwire.policy import Attributes, GroupResources, Policy, PolicyRule
from auditwire.policy.policy import STAGES, VERBS

NAMES = st.sampled_from(["", "a", "b", "a/b", "*", "a/*", "*/b", "**", "/", "/a*", "/a", "system:x", "\x00", "é"])
TEXTS = st.lists(NAMES, max_size=3).map(tuple)
VERB = st.sampled_from([*VERBS, "", "enable", "*"])
RULES = st.builds(
    PolicyRule,
    level=st.sampled_from(Level),
    users=TEXTS,
    user_groups=TEXTS,
    verbs=st.lists(VERB, max_size=3).map(tuple),
    resources=st.lists(st.builds(GroupResources, NAMES, TEXTS, TEXTS), max_size=3).map(tuple),
    namespaces=TEXTS,
    non_resource_urls=TEXTS,
    omit_stages=st.lists(st.sampled_from(STAGES), max_size=2).map(tuple),
    omit_managed_fields=st.none() | st.booleans(),
)
POLICIES = st.builds(
    Policy,
    rules=st.lists(RULES, max_size=5).map(tuple),
    omit_stages=st.lists(st.sampled_from(STAGES), max_size=2).map(tuple),
    omit_managed_fields=st.booleans(),
)
REQUESTS = st.builds(
    Attributes, st.none() | NAMES, TEXTS, VERB, st.booleans(), NAMES, NAMES, NAMES, NAMES, NAMES, NAMES,
    st.sampled_from(STAGES) | NAMES,
)  # fmt: skip
_WORDS = st.sampled_from(["", "a", "b", "*", "**", "system:x", "new"])
PLAUSIBLE_REQUESTS = st.builds(
    Attributes, st.none() | _WORDS, st.lists(_WORDS, max_size=2).map(tuple), VERB, st.booleans(), _WORDS, _WORDS,
    _WORDS, _WORDS, _WORDS, st.sampled_from(["/", "/a", "/ab", "/new"]), st.sampled_from(STAGES),
)  # fmt: skip
"""Requests with paths and resources as an API server takes them apart."""
