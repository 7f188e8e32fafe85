"""One request of the API: who asks for what, until when, and what the answer rests on."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from starlette.datastructures import QueryParams

from auditwire.search.answer import Coverage
from auditwire_console.api.parameters import read_search

if TYPE_CHECKING:
    from starlette.requests import Request

    from auditwire_console.person import Person
    from auditwire_console.viewer import Viewer
    from auditwire_console.who import Asker

IN_SCOPE: Final = "auditwire.call"
"""Where the scope of a request has its Call."""

_LAMBDA_BYTES: Final = 6 * 1024 * 1024
_AROUND_THE_BODY: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What an answer may take: a search ends after ``seconds`` with what it has and says so, an export breaks off
    after ``export_seconds``, and an answer of more than ``answer_bytes`` as it is sent is refused."""

    seconds: float = 60.0
    export_seconds: float = math.inf
    answer_bytes: int | None = None


ON_THIS_MACHINE: Final = Limits()
ON_LAMBDA: Final = Limits(25.0, 25.0, (_LAMBDA_BYTES - _AROUND_THE_BODY) * 3 // 4)
"""API Gateway waits for 30 seconds, and Lambda answers 6 MB, in which a body is base64."""


@dataclass(slots=True)
class Call:
    """``route`` and ``given`` are set when it is known what is asked, ``asker`` when it is known who asks."""

    limits: Limits
    clock: Callable[[], float]
    route: str = ""
    given: QueryParams = field(default_factory=QueryParams)
    cluster: str = ""
    """The cluster that the path names."""
    asker: "Asker | None" = None
    started: float = 0.0
    coverages: list[Coverage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def viewer(self) -> "Viewer":
        """Who asks. For routes, which are asked by those who are known."""
        if self.asker is None:
            raise AssertionError("nobody knows who asks")
        return self.asker.viewer

    @property
    def person(self) -> "Person | None":
        """Who asks, if they have signed in."""
        return self.asker.person if self.asker else None

    def coverage(self, *, is_export: bool = False) -> Coverage:
        """For a part of the answer. All of them end at the same time. Raises WrongParameterError.

        KubeSphere's clients do not ask again, and an answer that is being sent cannot become another one.
        """
        end = self.started + (self.limits.export_seconds if is_export else self.limits.seconds)
        is_sent = is_export and self.limits.answer_bytes is None
        search = read_search(self.given) if self.is_of_page and not is_sent else ""
        self.coverages.append(Coverage(may_go_on=lambda: self.clock() < end, search=search))
        return self.coverages[-1]

    @property
    def is_of_page(self) -> bool:
        """Whether it is asked by the page's API, not by KubeSphere's."""
        return self.route.startswith("/api/")

    @property
    def milliseconds(self) -> int:
        """For how long it has been going on."""
        return round((self.clock() - self.started) * 1000)


def call_of(request: "Request") -> Call:
    """The call that a request is."""
    return cast("Call", request.scope[IN_SCOPE])
