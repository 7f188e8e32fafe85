"""Who has signed in, as the issuer says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """``subject`` is what the issuer calls this person for good. ``email``, in lower case, is there only if the issuer
    has verified it. ``groups`` are those that rights can be granted to; ``left_out`` counts what else the issuer named
    as a group."""

    subject: str
    email: str = ""
    groups: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def name(self) -> str:
        """How a person is called in answers and logs."""
        return self.email or self.subject
