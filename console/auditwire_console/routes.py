"""The routes: who asks, what is asked, and the answer. All of them are GET."""

import html
import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from auditwire.archive.errors import ArchiveError
from auditwire.evidence.errors import EvidenceError
from auditwire.search import Interval, Page
from auditwire.search.answer import Coverage
from auditwire_console.api import event, overview, rows
from auditwire_console.api.parameters import WrongParameterError, read_agreed, read_page, read_query, read_wanted
from auditwire_console.api.why import why
from auditwire_console.cost import Costed, TooExpensiveError, price_as_json, statements_of
from auditwire_console.kubesphere import answers
from auditwire_console.kubesphere.parameters import Operation, ParameterError, read_parameters
from auditwire_console.viewer import Visible

if TYPE_CHECKING:
    from starlette.requests import Request

    from auditwire_console.source import Source
    from auditwire_console.viewer import Viewer
    from auditwire_console.who import Who

log: Final = logging.getLogger("auditwire.console")

SECONDS: Final = 60.0
"""How long a search may take; then it ends with what it has, and says so."""

_Answer = Callable[["Request", "Viewer"], Response]


class Routes:
    """The routes over one source, for whoever ``who`` knows."""

    def __init__(self, source: "Source", who: "Who", *, seconds: float = SECONDS) -> None:
        self._source, self._who, self._seconds = source, who, seconds

    def all(self) -> list[Route]:
        """Every route but those of the page's files."""
        own: dict[str, _Answer] = {
            "/api/about": self._about,
            "/api/price": self._price,
            "/api/rows": self._rows,
            "/api/summary": self._summary,
            "/api/event": self._event,
            "/api/why": self._why,
            "/api/evidence": self._evidence,
            "/api/receipt": self._receipt,
            "/api/export": self._export,
            "/api/clusters": self._clusters,
            "/api/rules": self._rules,
            "/api/rule": self._rule,
            "/api/alerts": self._alerts,
            "/api/ledger": self._ledger,
        }
        kubesphere = (
            "/kapis/tenant.kubesphere.io/v1alpha2/auditing/events",
            "/kapis/clusters/{cluster}/tenant.kubesphere.io/v1alpha2/auditing/events",
            "/kapis/logging.kubesphere.io/v1alpha2/auditing",
        )
        return [
            *(Route(path, self._for_page(answer), methods=["GET"]) for path, answer in own.items()),
            *(Route(path, self._for_kubesphere(self._audited), methods=["GET"]) for path in kubesphere),
        ]

    # --- what the page asks

    def _about(self, request: "Request", viewer: "Viewer") -> Response:
        del request
        return _json(
            {
                "title": self._source.title,
                "engine": self._source.engine.name,
                "now": self._source.now().isoformat(),
                "viewer": viewer.name,
                "seesAll": viewer.sees_all,
                "fields": rows.kinds(),
                "live": self._source.live,
                "priced": bool(self._source.costs.engines),
            }
        )

    def _price(self, request: "Request", viewer: "Viewer") -> Response:
        """What a page of rows and the counts beside it cost at most."""
        given, costs = request.query_params, self._source.costs
        if not costs.engines or viewer.sees_nothing:
            return _json({"price": None})
        query = viewer.limited(read_query(given))
        engine, price = costs.choose(query, 1 + statements_of(read_wanted(given)), 0)
        return _json({"price": price_as_json(price, engine.name, costs.limit, may_agree=viewer.sees_all)})

    def _rows(self, request: "Request", viewer: "Viewer") -> Response:
        given = request.query_params
        found = rows.rows(self._engine(viewer, given), read_query(given), read_page(given), self._coverage())
        return _json({**found, "quiet": sorted(overview.quiet(self._source).intersection(rows.alerts_in(found)))})

    def _summary(self, request: "Request", viewer: "Viewer") -> Response:
        given = request.query_params
        return _json(rows.summary(self._engine(viewer, given), read_query(given), read_wanted(given), self._coverage()))

    def _event(self, request: "Request", viewer: "Viewer") -> Response:
        found, key, number = self._asked(request, viewer)
        return _not_there() if found is None else _json(event.event_as_json(found, key, number))

    def _why(self, request: "Request", viewer: "Viewer") -> Response:
        found, _, _ = self._asked(request, viewer)
        return _not_there() if found is None else _json(why(self._source, viewer, found))

    def _evidence(self, request: "Request", viewer: "Viewer") -> Response:
        found, key, _ = self._asked(request, viewer)
        return _not_there() if found is None else _json(event.evidence(self._source, found, key))

    def _receipt(self, request: "Request", viewer: "Viewer") -> Response:
        found, key, _ = self._asked(request, viewer)
        receipt = None if found is None else event.receipt_of(self._source, found, key)
        if receipt is None:
            return _not_there()
        return _download(receipt.as_text().encode() + b"\n", "application/json", "receipt.json")

    def _export(self, request: "Request", viewer: "Viewer") -> Response:
        given = request.query_params
        page = Page(limit=rows.MAX_EXPORTED, newest=read_page(given).newest)
        hits = self._engine(viewer, given).rows(read_query(given), page, Coverage())
        match given.get("format", "jsonl"):
            case "jsonl":
                return _stream(rows.as_json_lines(hits), "application/x-ndjson", "events.jsonl")
            case "csv":
                return _stream(rows.as_csv(hits), "text/csv; charset=utf-8", "events.csv")
        raise WrongParameterError("format is jsonl or csv")

    def _clusters(self, request: "Request", viewer: "Viewer") -> Response:
        given = request.query_params
        return _json(overview.clusters(self._source, self._engine(viewer, given), read_query(given), viewer))

    def _rules(self, request: "Request", viewer: "Viewer") -> Response:
        given = request.query_params
        return _json(overview.rules(self._source, self._engine(viewer, given), read_query(given)))

    def _rule(self, request: "Request", viewer: "Viewer") -> Response:
        given = request.query_params
        engine, name = self._engine(viewer, given), given.get("rule", "")
        return _json(overview.rule(engine, read_query(given), name, _interval(given)))

    def _alerts(self, request: "Request", viewer: "Viewer") -> Response:
        given = request.query_params
        engine, page = self._engine(viewer, given), read_page(given)
        return _json(overview.alerts(self._source, engine, read_query(given), page, _interval(given)))

    def _ledger(self, request: "Request", viewer: "Viewer") -> Response:
        del request
        if not viewer.sees_all:
            return _problem(403, "the ledger counts the events of every cluster, which you may not see")
        return _json({"ledger": self._source.ledger(None)})

    def _asked(self, request: "Request", viewer: "Viewer") -> Any:
        given = request.query_params
        key, number = given.get("key", ""), given.get("number", "")
        if not number.isascii() or not number.isdigit() or len(number) > len("1000000000"):
            raise WrongParameterError("number is the number of a line, from 0")
        return event.find(self._source, viewer, key, int(number)), key, int(number)

    # --- what KubeSphere asks

    def _audited(self, request: "Request", viewer: "Viewer") -> Response:
        # Of a parameter that is given several times Go takes the first.
        given = {name: request.query_params.getlist(name)[0] for name in request.query_params}
        asked = read_parameters(given, request.path_params.get("cluster", ""))
        engine, query, coverage = self._engine(viewer), answers.query_of(asked, viewer), self._coverage()
        match asked.operation:
            case Operation.STATISTICS:
                answer = answers.statistics(engine, query, coverage)
            case Operation.HISTOGRAM:
                answer = answers.histogram(engine, asked, query, coverage)
            case Operation.EXPORT:
                lines = answers.exported(engine, asked, query, coverage)
                return _stream(rows.whole(lines, coverage), "text/plain; charset=utf-8", "auditing.jsonl")
            case Operation.QUERY:
                answer = answers.records(engine, asked, query, coverage)
        if coverage.cut_off == "time":
            raise ParameterError(500, f"the search took more than {self._seconds:.0f} s; narrow its time range")
        response = Response(msgspec.json.encode(answer), media_type="application/json")
        if coverage.unreadable:
            # The shape of an answer has no room for it.
            response.headers["warning"] = f'199 - "{len(set(coverage.unreadable))} stored objects could not be read"'
        return response

    # --- around them

    def _engine(self, viewer: "Viewer", given: Any = None) -> Visible:
        """What answers this viewer, for as many dollars as the request agrees to.

        It is the money of whoever runs the console, so nobody agrees to more who was let in to see a part.
        """
        costs = self._source.costs
        if not costs.engines:
            return Visible(self._source.engine, viewer)
        agreed = read_agreed(given) if given is not None and viewer.sees_all else 0.0
        return Visible(Costed(costs, agreed), viewer)

    def _coverage(self) -> Coverage:
        deadline = time.monotonic() + self._seconds
        return Coverage(may_go_on=lambda: time.monotonic() < deadline)

    def _for_page(self, answer: _Answer) -> "Callable[[Request], Response]":
        @wraps(answer)
        def respond(request: "Request") -> Response:
            viewer = self._who.viewer_of(request)
            if viewer is None:
                return _problem(401, "open the console by the address that it printed", {"www-authenticate": "Bearer"})
            try:
                return answer(request, viewer)
            except WrongParameterError as error:
                return _problem(400, str(error))
            except TooExpensiveError as error:
                limit = self._source.costs.limit
                price = price_as_json(error.price, error.engine, limit, may_agree=viewer.sees_all)
                return _json({"problem": str(error), "price": price}, 402)
            except ValueError as error:
                return _problem(422, str(error))
            except (ArchiveError, EvidenceError, OSError) as error:
                log.warning("%s: %s", request.url.path, error)
                return _problem(502, str(error))

        return respond

    def _for_kubesphere(self, answer: _Answer) -> "Callable[[Request], Response]":
        @wraps(answer)
        def respond(request: "Request") -> Response:
            viewer = self._who.viewer_of(request)
            if viewer is None:
                return _kubesphere_problem(403, "cannot obtain user info")
            try:
                return answer(request, viewer)
            except ParameterError as error:
                return _kubesphere_problem(error.status, str(error))
            except (ValueError, ArchiveError, EvidenceError, OSError, TooExpensiveError) as error:
                log.warning("%s: %s", request.url.path, error)
                return _kubesphere_problem(500, str(error))

        return respond


def _interval(given: Any) -> Interval:
    try:
        return Interval.parse(given.get("interval", "1h"))
    except ValueError as error:
        raise WrongParameterError(str(error)) from None


def _json(value: Any, status: int = 200) -> Response:
    return Response(rows.as_answer(value), status, media_type="application/json")


def _problem(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    return Response(rows.as_answer({"problem": sentence}), status, headers, "application/json")


def _not_there() -> Response:
    return _problem(404, "there is no such event, or you may not see it")


def _kubesphere_problem(status: int, sentence: str) -> Response:
    return PlainTextResponse(html.escape(sentence, quote=False), status)


def _download(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, 200, {"content-disposition": f'attachment; filename="{name}"'}, media_type)


def _stream(chunks: Any, media_type: str, name: str) -> Response:
    return StreamingResponse(chunks, 200, {"content-disposition": f'attachment; filename="{name}"'}, media_type)
