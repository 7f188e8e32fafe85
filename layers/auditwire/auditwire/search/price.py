"""What a search costs before it runs, by what it would read at most."""

from dataclasses import dataclass
from typing import Final

# List prices of us-east-1; others are near them.
_DOLLARS_A_GET: Final = 0.4e-6
_DOLLARS_A_BYTE_OUT: Final = 0.09e-9
_DOLLARS_A_BYTE_OF_ATHENA: Final = 5e-12
_MIN_BYTES_OF_ATHENA: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """How much is read at most, and what that costs."""

    objects: int
    bytes: int
    dollars: float


def of_reading(objects: int, size: int, *, within_aws: bool = False) -> Price:
    """Reading objects: within AWS, in the bucket's region, only the requests cost."""
    return Price(objects, size, objects * _DOLLARS_A_GET + (0.0 if within_aws else size * _DOLLARS_A_BYTE_OUT))


def of_athena(objects: int, size: int) -> Price:
    """A query of Athena."""
    dollars = max(size, _MIN_BYTES_OF_ATHENA) * _DOLLARS_A_BYTE_OF_ATHENA + objects * _DOLLARS_A_GET
    return Price(objects, size, dollars if objects else 0.0)


def times(price: Price, count: int) -> Price:
    """The same several times, of the same objects."""
    return Price(price.objects, price.bytes * count, price.dollars * count)


def both(one: Price, other: Price) -> Price:
    """The one and the other."""
    return Price(one.objects + other.objects, one.bytes + other.bytes, one.dollars + other.dollars)
