"""One test of Sigma as a clause. Plain texts ignore case, of several values any counts, and numbers are texts."""

from typing import Any, Final

from sigma.conditions import ConditionFieldEqualsValueExpression
from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SpecialChars,
)

from auditwire.condition.fields import Kind
from auditwire_cli.importing.clauses import (
    Clause,
    Test,
    UntranslatableError,
    all_of,
    as_regex,
    has,
    is_one_of,
    literal,
    negated,
)
from auditwire_cli.importing.paths import path_of

# Names that stand in rules of SigmaHQ and are no fields of an event, as the one pipeline for them reads them.
_MEANT: Final = {
    "apiGroup": "objectRef.apiGroup",
    "hostPath": "requestObject.spec.volumes.hostPath",
    "capabilities": "requestObject.spec.containers.securityContext.capabilities.add",
}
_FLAGS: Final = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
# Keys of Kubernetes objects whose value is an array of texts.
_TEXT_ARRAYS: Final = (".add", ".drop", ".verbs", ".resources", ".apiGroups", ".nonResourceURLs", ".command", ".args")
_COMPARISONS: Final = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}


def clause_of_test(test: ConditionFieldEqualsValueExpression) -> Clause:
    """A test of one field. Raises UntranslatableError, which names the word, for what cannot be said."""
    path, kind = path_of(_MEANT.get(test.field, test.field))
    match test.value:
        case SigmaNull():
            return negated(all_of([_is_there(path, kind), negated(Test(f'{path} = ""'))]))
        case SigmaExists() as value:
            there = Test(f"{path} exists")
            return there if value else negated(there)
        case SigmaString() as value:
            return _of_text(path, kind, value)
        case SigmaBool() as value:
            return is_one_of(path, [str(bool(value)).lower()])
        case SigmaNumber() as value:
            return is_one_of(path, [str(value.number)], plain=True)
        case SigmaRegularExpression() as value:
            return _of_regex(path, value)
        case SigmaCIDRExpression() as value:
            return Test(f"{path} within ({literal(value.cidr)})")
        case SigmaCompareExpression() as value:
            sign = _COMPARISONS.get(value.op.name)
            if sign is None:
                raise UntranslatableError(f"the comparison {value.op.name.lower()} cannot be said")
            return Test(f"{path} {sign} {value.number}")
    raise UntranslatableError(f"a value of {test.field} cannot be said: {type(test.value).__name__}")


def _is_there(path: str, kind: Kind) -> Clause:
    """That a field has a value; an array has one if it is not empty."""
    if kind is Kind.TEXTS or path.endswith(_TEXT_ARRAYS):
        return Test(f"{path}[*] exists")
    return Test(f"{path} exists")


def _of_text(path: str, kind: Kind, value: SigmaString) -> Clause:
    is_cased = isinstance(value, SigmaCasedString)
    field = path if is_cased else f"lower({path})"
    parts: list[Any] = [part if is_cased or not isinstance(part, str) else part.lower() for part in value.iter_parts()]
    if not all(isinstance(part, str | SpecialChars) for part in parts):
        raise UntranslatableError("a placeholder cannot be said")
    many = SpecialChars.WILDCARD_MULTI
    if parts and all(part is many for part in parts):
        return _is_there(path, kind)
    match parts:
        case []:
            return Test(f'{path} = ""')
        case [str() as text]:
            return is_one_of(field, [text])
        case [SpecialChars.WILDCARD_MULTI, str() as text, SpecialChars.WILDCARD_MULTI]:
            return has(field, "contains", text)
        case [str() as text, SpecialChars.WILDCARD_MULTI]:
            return has(field, "startswith", text)
        case [SpecialChars.WILDCARD_MULTI, str() as text]:
            return has(field, "endswith", text)
    pattern = "".join(as_regex(part) if isinstance(part, str) else ".*" if part is many else "." for part in parts)
    return Test(f"{field} regex {literal(f'(?s)^{pattern}$')}")


def _of_regex(path: str, value: SigmaRegularExpression) -> Clause:
    pattern = str(value.regexp)
    for lookaround in ("(?=", "(?!", "(?<=", "(?<!"):
        if lookaround in pattern:
            raise UntranslatableError(f"look-around, {lookaround}…), cannot be said: RE2 does not know it")
    flags = "".join(sorted(_FLAGS[flag] for flag in value.flags))
    return Test(f"{path} regex {literal(f'(?{flags}){pattern}' if flags else pattern)}")
