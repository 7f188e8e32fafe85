"""Where this language and KubeSphere's engine differ: every divergence by name, and every behaviour kept.

The engine meant is kubesphere/event-rule-engine as of February 2026. The names are those of the conformance vectors.
"""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour of KubeSphere's engine: what it does, and what holds here instead, or that it is kept."""

    name: str
    kubesphere: str
    here: str
    status: Literal["kept", "fixed", "extended"]


PRECEDENCE: Final = Behaviour(
    "precedence",
    "`and` and `or` have equal rank, from left to right; `not` takes everything to its right",
    "kept where a document says auditwire.io/precedence: kubesphere; a condition that reads differently otherwise "
    "is refused (AW103) until parentheses or that annotation settle it",
    "kept",
)
MACRO_TEXT: Final = Behaviour(
    "macro-text",
    "macros are pasted as text: `x and ${a or b}` is `(x and a) or b`",
    "a macro is one operand, as if in parentheses; a condition that reads differently is reported (AW127), and refused "
    "where a document says auditwire.io/precedence: kubesphere",
    "fixed",
)
NO_PRIORITY: Final = Behaviour(
    "no-priority",
    "a rule without priority ranks below DEBUG, so it neither archives nor alerts",
    "it counts as DEBUG, with a warning (AW205)",
    "fixed",
)
MISSING_NEGATED_FALSE: Final = Behaviour(
    "missing-negated-false",
    "a missing or null field is false under every operator, the negated ones included, except `not exists`",
    "the same",
    "kept",
)
ARRAY_MISSING_KEY: Final = Behaviour(
    "array-missing-key-aborts",
    "under `[*]` the first element that lacks the key makes the whole test false: a harmless first container hides "
    "the second",
    "such an element does not match, and the search goes on",
    "fixed",
)
LIKE: Final = Behaviour(
    "like-unanchored-unescaped",
    "`like` looks for its pattern anywhere in the text, and `.`, `(`, `+` … act as in a regular expression",
    "`like` describes the whole text; only `*` and `?` are special",
    "fixed",
)
LARGE_NUMBERS: Final = Behaviour(
    "large-number-text",
    "numbers from 1,000,000 up and below 0.0001 have scientific text: 1000000 is `1e+06`",
    "plain decimal text from 0.000001 up to 1e21, as JSON writes numbers",
    "fixed",
)
SHORT_CIRCUIT: Final = Behaviour(
    "no-short-circuit",
    "both sides of `and` and `or` are always evaluated, so an error in one spoils the rule",
    "from left to right, no further than needed",
    "fixed",
)
SPACES_IN_OPERATORS: Final = Behaviour(
    "not-op-needs-one-space",
    "`not in`, `not like` … are one word with exactly one space",
    "any white space",
    "fixed",
)
GLUED_NOT: Final = Behaviour(
    "not-glued-to-keyword-prefix",
    "`not insecure` is read as `not in` and a rest that is an error",
    "words end where they end",
    "fixed",
)
QUOTES: Final = Behaviour(
    "quote-escape-not-decoded",
    r"`\"` keeps a string open but stays as two characters, and all quotes at both ends are taken off",
    r"`\"` is a quote, one quote is taken off each end, every other backslash stays",
    "fixed",
)
ARRAY_NULLS: Final = Behaviour(
    "array-null-is-nil-text",
    "a null inside an array is the text `<nil>` under contains",
    "a null never matches",
    "fixed",
)
BARE_ARRAY_FIELD: Final = Behaviour(
    "bare-array-variable-false",
    "a bare field below an index (`m[*].b`) is always false",
    "it is true where the field is true",
    "fixed",
)
PRINTED_ARRAYS: Final = Behaviour(
    "printed-array",
    "a path that ends at an array compares the printed array, `[a b]`",
    "any element for the positive operators, no element for the negative ones; an empty array exists and is false "
    "under everything else",
    "fixed",
)
CRASHES: Final = Behaviour(
    "crash",
    "a text compared with a number, a bad regular expression or an index on a text ends the process",
    "the rule does not match this event and the error is counted; bad regular expressions are refused beforehand",
    "fixed",
)
LENIENT_SYNTAX: Final = Behaviour(
    "lenient-syntax",
    "what does not parse is dropped: `a AND b` is evaluated as `a`",
    "the whole text must parse; errors name their place",
    "fixed",
)
FIELD_CASING: Final = Behaviour(
    "field-casing",
    "field names are looked up in exact case: User.Username never matches, User.username does",
    "field names match in any casing; an unknown name is an error",
    "fixed",
)
TRAILING_INDEX: Final = Behaviour(
    "trailing-index",
    "a path that ends in `]` takes only contains and not contains",
    "it takes every operator; refused with --dialect kubesphere (AW111)",
    "extended",
)

OPERATORS_ONLY_HERE: Final = Behaviour(
    "operators-only-here",
    "there are no startswith, endswith and within",
    "they compare the beginning and the end of a text, in which no character is special, and look for an address in "
    "networks; refused with --dialect kubesphere (AW111)",
    "extended",
)
KEY_PATTERNS: Final = Behaviour(
    "key-patterns",
    "a path names every key",
    "`.*` and a quoted key with `*` stand for every key that matches, and select values as `[*]` does; refused with "
    "--dialect kubesphere (AW111)",
    "extended",
)
SAME_ELEMENT: Final = Behaviour(
    "same-element",
    "each test below `[*]` may be met by another element",
    "any P[*] (…) asks for one element that meets all of them; refused with --dialect kubesphere (AW111)",
    "extended",
)
LOWER: Final = Behaviour(
    "lower",
    "texts are compared in exact case",
    "lower(Field) is the text of a field in lower case; refused with --dialect kubesphere (AW111)",
    "extended",
)
QUOTED_KEYS: Final = Behaviour(
    "quoted-keys",
    "keys that are no names, such as authorization.k8s.io/decision, cannot be written",
    'a key in brackets and quotes is exactly that key: Annotations["authorization.k8s.io/decision"]; refused with '
    "--dialect kubesphere (AW111)",
    "extended",
)
FIELDS_ONLY_HERE: Final = Behaviour(
    "fields-only-here",
    "rules know no Stage, UserAgent, Cluster, ImpersonatedUser, ObjectRef.APIGroup, Annotations",
    "the whole event can be named, and what follows from it, such as SourceIP and PodSpec; refused with --dialect "
    "kubesphere (AW111)",
    "extended",
)
KEYS_ONLY_HERE: Final = Behaviour(
    "keys-only-here",
    "rules have no labels, annotations and alert",
    "a rule may add to its alerts and ask for one per event; refused with --dialect kubesphere (AW111)",
    "extended",
)
STANDARD_PRECEDENCE: Final = Behaviour(
    "standard-precedence",
    "the annotation auditwire.io/precedence is not read",
    "standard reads not before and before or; refused with --dialect kubesphere (AW111)",
    "extended",
)

BEHAVIOURS: Final = (
    PRECEDENCE, MACRO_TEXT, NO_PRIORITY,
    MISSING_NEGATED_FALSE, ARRAY_MISSING_KEY, LIKE, LARGE_NUMBERS, SHORT_CIRCUIT, SPACES_IN_OPERATORS,
    GLUED_NOT, QUOTES, ARRAY_NULLS, BARE_ARRAY_FIELD, PRINTED_ARRAYS, CRASHES, LENIENT_SYNTAX, FIELD_CASING,
    TRAILING_INDEX, OPERATORS_ONLY_HERE, LOWER, QUOTED_KEYS, KEY_PATTERNS, SAME_ELEMENT,
    FIELDS_ONLY_HERE, KEYS_ONLY_HERE, STANDARD_PRECEDENCE,
)  # fmt: skip
"""Every behaviour, as `auditwire rules check --explain-dialect` lists them."""
