"""The routes: who asks, what is asked, and the answer. All of them are GET."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from auditwire.search import Interval, Page
from auditwire_console.api import event, overview, rows
from auditwire_console.api.parameters import WrongParameterError, read_agreed, read_page, read_query, read_wanted
from auditwire_console.api.why import why
from auditwire_console.call import Call, call_of
from auditwire_console.cost import Costed, price_as_json, statements_of
from auditwire_console.counted import CountedReader
from auditwire_console.kubesphere import answers
from auditwire_console.kubesphere.parameters import Operation, ParameterError, read_parameters
from auditwire_console.problems import KNOWN, kubesphere_problem, problem, problem_of
from auditwire_console.viewer import Visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from auditwire.search import Coverage
    from auditwire_console.source import Source
    from auditwire_console.who import Who

_Answer = Callable[[Call], Response]


class Routes:
    """The routes over one source, for whoever ``who`` knows."""

    def __init__(self, source: "Source", who: "Who") -> None:
        self._source, self._who = source, who

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
            *(self._route(path, answer, self._nobody) for path, answer in own.items()),
            *(self._route(path, self._audited, _nobody_of_kubesphere) for path in kubesphere),
        ]

    # --- what the page asks

    def _about(self, call: Call) -> Response:
        person = call.person
        return _json(
            {
                "title": self._source.title,
                "engine": self._source.engine.name,
                "now": self._source.now().isoformat(),
                "viewer": call.viewer.name,
                "seesAll": call.viewer.sees_all,
                "seesNothing": call.viewer.sees_nothing,
                "person": None
                if person is None
                else {"subject": person.subject, "email": person.email, "groups": person.groups},
                "answerBytes": call.limits.answer_bytes,
                "seconds": call.limits.seconds,
                "fields": rows.kinds(),
                "live": self._source.live,
                "priced": bool(self._source.costs.engines),
            }
        )

    def _price(self, call: Call) -> Response:
        """What a page of rows and the counts beside it cost at most."""
        given, costs, viewer = call.given, self._source.costs, call.viewer
        if not costs.engines or viewer.sees_nothing:
            return _json({"price": None})
        query = viewer.limited(read_query(given))
        engine, price = costs.choose(query, 1 + statements_of(read_wanted(given)), 0, call.coverage())
        return _json({"price": price_as_json(price, engine.name, costs.limit, may_agree=viewer.sees_all)})

    def _rows(self, call: Call) -> Response:
        found = rows.rows(self._engine(call), read_query(call.given), read_page(call.given), call.coverage())
        return _json({**found, "quiet": sorted(overview.quiet(self._source).intersection(rows.alerts_in(found)))})

    def _summary(self, call: Call) -> Response:
        return _json(rows.summary(self._engine(call), read_query(call.given), read_wanted(call.given), call.coverage()))

    def _event(self, call: Call) -> Response:
        _, found, key, number = self._asked(call)
        return _not_there() if found is None else _json(event.event_as_json(found, key, number))

    def _why(self, call: Call) -> Response:
        source, found, _, _ = self._asked(call)
        return _not_there() if found is None else _json(why(source, call.viewer, found))

    def _evidence(self, call: Call) -> Response:
        source, found, key, _ = self._asked(call)
        return _not_there() if found is None else _json(event.evidence(source, found, key))

    def _receipt(self, call: Call) -> Response:
        source, found, key, _ = self._asked(call)
        receipt = None if found is None else event.receipt_of(source, found, key)
        if receipt is None:
            return _not_there()
        return _download(receipt.as_text().encode() + b"\n", "application/json", "receipt.json")

    def _export(self, call: Call) -> Response:
        page = Page(limit=rows.MAX_EXPORTED, newest=read_page(call.given).newest)
        coverage = call.coverage(is_export=True)
        hits = self._engine(call).rows(read_query(call.given), page, coverage)
        match call.given.get("format", "jsonl"):
            case "jsonl":
                return _stream(rows.as_json_lines(hits), coverage, "application/x-ndjson", "events.jsonl")
            case "csv":
                return _stream(rows.as_csv(hits), coverage, "text/csv; charset=utf-8", "events.csv")
        raise WrongParameterError("format is jsonl or csv")

    def _clusters(self, call: Call) -> Response:
        query = read_query(call.given)
        return _json(overview.clusters(self._source, self._engine(call), query, call.viewer, call.coverage))

    def _rules(self, call: Call) -> Response:
        return _json(overview.rules(self._source, self._engine(call), read_query(call.given), call.coverage))

    def _rule(self, call: Call) -> Response:
        given, name = call.given, call.given.get("rule", "")
        return _json(overview.rule(self._engine(call), read_query(given), name, _interval(given), call.coverage))

    def _alerts(self, call: Call) -> Response:
        given, engine = call.given, self._engine(call)
        query, page, interval = read_query(given), read_page(given), _interval(given)
        return _json(overview.alerts(self._source, engine, query, page, interval, call.coverage))

    def _ledger(self, call: Call) -> Response:
        if not call.viewer.sees_all:
            return problem(403, "the ledger counts the events of every cluster, which you may not see")
        return _json({"ledger": self._source.ledger(None)})

    def _asked(self, call: Call) -> Any:
        """The source, of which is counted what is read, the event that is asked for, and where it lies."""
        key, number = call.given.get("key", ""), call.given.get("number", "")
        if not number.isascii() or not number.isdigit() or len(number) > len("1000000000"):
            raise WrongParameterError("number is the number of a line, from 0")
        source = replace(self._source, reader=CountedReader(self._source.reader, call.coverage()))
        return source, event.find(source, call.viewer, key, int(number)), key, int(number)

    # --- what KubeSphere asks

    def _audited(self, call: Call) -> Response:
        # Of a parameter that is given several times Go takes the first.
        given = {name: call.given.getlist(name)[0] for name in call.given}
        asked = read_parameters(given, call.cluster)
        engine, query = self._engine(call), answers.query_of(asked, call.viewer)
        coverage = call.coverage()
        match asked.operation:
            case Operation.STATISTICS:
                answer = answers.statistics(engine, query, coverage)
            case Operation.HISTOGRAM:
                answer = answers.histogram(engine, asked, query, coverage)
            case Operation.EXPORT:
                lines = answers.exported(engine, asked, query, coverage)
                return _stream(lines, coverage, "text/plain; charset=utf-8", "auditing.jsonl")
            case Operation.QUERY:
                answer = answers.records(engine, asked, query, coverage)
        if coverage.cut_off == "time":
            raise ParameterError(500, f"the search took more than {call.limits.seconds:.0f} s; narrow its time range")
        response = Response(msgspec.json.encode(answer), media_type="application/json")
        if coverage.unreadable:
            # The shape of an answer has no room for it.
            response.headers["warning"] = f'199 - "{len(set(coverage.unreadable))} stored objects could not be read"'
        return response

    # --- around them

    def _engine(self, call: Call) -> Visible:
        """What answers this viewer, for as many dollars as the request agrees to.

        It is the money of whoever runs the console, so nobody agrees to more who was let in to see a part. KubeSphere's
        clients cannot be asked, so they agree to nothing.
        """
        costs, viewer = self._source.costs, call.viewer
        if not costs.engines:
            return Visible(self._source.engine, viewer)
        may_agree = viewer.sees_all and call.is_of_page
        return Visible(Costed(costs, read_agreed(call.given) if may_agree else 0.0, may_agree=may_agree), viewer)

    def _route(self, path: str, answer: _Answer, unknown: Callable[[], Response]) -> Route:
        """Answers whoever is known by ``answer``, and whoever is not by ``unknown``."""

        def respond(request: "Request") -> Response:
            call = call_of(request)
            call.route, call.given = path, request.query_params
            call.cluster = request.path_params.get("cluster", "")
            try:
                call.asker = self._who.asker_of(request)
                return unknown() if call.asker is None else answer(call)
            except KNOWN as error:
                return problem_of(error, path)

        return Route(path, respond, methods=["GET"])

    def _nobody(self) -> Response:
        return problem(401, self._who.advice, {"www-authenticate": "Bearer"})


def _interval(given: Any) -> Interval:
    try:
        return Interval.parse(given.get("interval", "1h"))
    except ValueError as error:
        raise WrongParameterError(str(error)) from None


def _json(value: Any) -> Response:
    return Response(rows.as_answer(value), media_type="application/json")


def _nobody_of_kubesphere() -> Response:
    return kubesphere_problem(403, "cannot obtain user info")


def _not_there() -> Response:
    return problem(404, "there is no such event, or you may not see it")


def _download(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, 200, {"content-disposition": f'attachment; filename="{name}"'}, media_type)


def _stream(chunks: "Iterator[bytes]", coverage: "Coverage", media_type: str, name: str) -> Response:
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(rows.whole(chunks, coverage), 200, disposition, media_type)
