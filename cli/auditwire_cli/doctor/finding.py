"""What a check says: that something is well, ill, or could not be told, and how it is mended."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from auditwire_cli.errors import CommandError
from auditwire_cli.stack import Stack, in_one_sentence


class Health(StrEnum):
    """How something is: well; worth knowing; ill, or not to be looked at; not there to be looked at."""

    OK = "ok"
    NOTE = "note"
    ILL = "ill"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, in a sentence, and what to do. ``seconds`` is how long a step of the test took."""

    check: str
    health: Health
    says: str
    mend: str = ""
    seconds: float | None = None


def well(check: str, says: str, seconds: float | None = None) -> Finding:
    """Something is as it should be."""
    return Finding(check, Health.OK, says, seconds=seconds)


def note(check: str, says: str, mend: str = "") -> Finding:
    """Something works and could be better."""
    return Finding(check, Health.NOTE, says, mend)


def ill(check: str, says: str, mend: str, seconds: float | None = None) -> Finding:
    """Something does not work."""
    return Finding(check, Health.ILL, says, mend, seconds)


def skipped(check: str, why: str) -> Finding:
    """There is nothing to look at."""
    return Finding(check, Health.SKIPPED, why)


def looked_at(check: str, look: Callable[[], list[Finding]], where: Stack) -> list[Finding]:
    """What a check finds. What it may not look at, or does not get an answer about, is ill: nobody knows."""
    try:
        with in_one_sentence(where):
            return look()
    except CommandError as error:
        return [ill(check, f"could not be looked at: {error.message}", error.hint)]
