"""Errors as answers, in the form of whichever API was asked."""

import html
import logging
from typing import Any, Final

from starlette.responses import PlainTextResponse, Response

from auditwire.archive.errors import ArchiveError
from auditwire.evidence.errors import EvidenceError
from auditwire.search.errors import OutOfTimeError, StillRunningError
from auditwire_console.api.parameters import WrongParameterError
from auditwire_console.api.rows import as_answer
from auditwire_console.cost import TooExpensiveError
from auditwire_console.errors import TooMuchError, UnavailableError
from auditwire_console.kubesphere.parameters import ParameterError

log: Final = logging.getLogger("auditwire.console")

KNOWN: Final = (
    ValueError,
    ArchiveError,
    EvidenceError,
    OSError,
    TooExpensiveError,
    TooMuchError,
    UnavailableError,
    StillRunningError,
    OutOfTimeError,
)
"""What may happen to a request. Everything else is a fault of ours."""

_KUBESPHERE: Final = "/kapis/"
_LISTING: Final = "listing what this search is about takes longer than it may; narrow its time range, or name clusters"


def problem_of(error: Exception, path: str) -> Response:
    """The answer to a request of this path that ended in one of the KNOWN errors."""
    if isinstance(error, ArchiveError | EvidenceError | UnavailableError | OSError):
        log.warning("%s: %s", path, error)
    return _kubesphere_problem_of(error) if path.startswith(_KUBESPHERE) else _page_problem_of(error)


def _page_problem_of(error: Exception) -> Response:
    match error:
        case WrongParameterError():
            return problem(400, str(error))
        case TooExpensiveError():
            return problem(402, str(error), price=error.as_json())
        case TooMuchError():
            return problem(413, str(error))
        case OutOfTimeError():
            return problem(413, _LISTING)
        case StillRunningError():
            return Response(as_answer({"running": True}), 202, media_type="application/json")
        case ValueError():
            return problem(422, str(error))
    return problem(502, str(error))


def _kubesphere_problem_of(error: Exception) -> Response:
    match error:
        case ParameterError():
            return kubesphere_problem(error.status, str(error))
        case TooMuchError():
            return kubesphere_problem(413, str(error))
        case OutOfTimeError():
            return kubesphere_problem(500, _LISTING)
    return kubesphere_problem(500, str(error))


def problem(status: int, sentence: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """A problem for the page: a sentence, and what else it must know."""
    return Response(as_answer({"problem": sentence, **more}), status, headers, "application/json")


def kubesphere_problem(status: int, sentence: str) -> Response:
    """A problem as KubeSphere's API has it."""
    return PlainTextResponse(html.escape(sentence, quote=False), status)
