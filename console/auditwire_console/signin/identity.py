"""Who an ID token says has signed in."""

from collections.abc import Mapping
from typing import Any, Final, TypeGuard

from auditwire_console.person import Person
from auditwire_console.signin.errors import IssuerError

MAX_SUBJECT_LENGTH: Final = 255
MAX_EMAIL_LENGTH: Final = 254
MAX_GROUP_LENGTH: Final = 255
MAX_GROUPS: Final = 200
"""How many groups of a person count. Rights are looked up for each of them, at every request."""


def person_of(claims: Mapping[str, Any], groups_claim: str) -> Person:
    """The person of these claims. Raises IssuerError if they name nobody.

    A claim that is missing, or is not what it should be, gives no rights: such an email is no email, and such a group
    is counted as left out.
    """
    subject = claims.get("sub")
    if not _is_name(subject, MAX_SUBJECT_LENGTH):
        message = f"the ID token names nobody: sub has 1 to {MAX_SUBJECT_LENGTH} printable characters"
        raise IssuerError(message)
    groups, left_out = _groups(claims.get(groups_claim))
    # Instead of many groups some issuers send where to ask for them ("distributed claims"). Nobody asks there.
    elsewhere = claims.get("_claim_names")
    left_out += isinstance(elsewhere, dict) and groups_claim in elsewhere
    return Person(subject, _email(claims), groups, left_out)


def _email(claims: Mapping[str, Any]) -> str:
    email = claims.get("email")
    if claims.get("email_verified") is not True or not _is_name(email, MAX_EMAIL_LENGTH):
        return ""
    # Outside ASCII, letters that look alike, or that lower case makes alike, are different people.
    return email.lower() if email.isascii() and "@" in email else ""


def _groups(claim: Any) -> tuple[tuple[str, ...], int]:
    given = claim if isinstance(claim, list) else [] if claim is None else [claim]
    names = [group for group in given if _is_name(group, MAX_GROUP_LENGTH)]
    kept = tuple(dict.fromkeys(names))[:MAX_GROUPS]
    return kept, len(given) - len(names) + len(set(names)) - len(kept)


def _is_name(value: object, most: int) -> TypeGuard[str]:
    return isinstance(value, str) and 1 <= len(value) <= most and value.isprintable()
