"""A rules bucket in memory with documents, and compile_rules run by hand: what publishing is tested against."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from auditwire.bundles.compile_rules import Compiled, compile_rules
from auditwire.bundles.rules_bucket import MemoryRulesBucket
from rule_texts import one_rule


def rule(name: str, condition: str = 'Verb = "get"') -> bytes:
    """A document with one rule."""
    return one_rule(name, condition).encode()


class World:
    """The bucket, and a clock that only moves when told."""

    def __init__(self, **documents: bytes) -> None:
        self.now = datetime.now(UTC)
        self.bucket = MemoryRulesBucket(lambda: self.now)
        for name, content in documents.items():
            self.bucket.write(f"rules/{name}.yaml", content)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def compile(self) -> Compiled:
        return compile_rules(self.bucket, now=lambda: self.now, sleep=lambda seconds: None)

    def listing(self, prefix: str = "rules/") -> list[str]:
        return [listed.key for listed in self.bucket.entries(prefix)]

    def at_request(self, number: int, act: Callable[[], None], *kinds: str) -> None:
        """Act ahead of the n-th request, from 1, of these kinds (write, delete …); it may raise."""
        left = number

        def before(request: str, key: str) -> None:
            nonlocal left
            if request not in kinds or left < 1:
                return
            left -= 1
            if left == 0:
                act()

        self.bucket.before = before
