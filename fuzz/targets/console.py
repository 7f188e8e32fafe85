"""The parameters that a console's page, KubeSphere's clients and whoever has a token choose."""

from collections.abc import Hashable
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import QueryParams

from auditwire.archive import batch_digest, object_key
from auditwire.events.gzipping import gzip_lines
from auditwire.evidence.store import MemoryStore
from auditwire.search.answer import Coverage
from auditwire.search.scan import Scan
from auditwire_console.api import rows
from auditwire_console.api.parameters import (
    WrongParameterError,
    read_agreed,
    read_page,
    read_query,
    read_search,
    read_wanted,
)
from auditwire_console.kubesphere import answers
from auditwire_console.kubesphere.parameters import Operation, ParameterError, read_parameters
from auditwire_console.viewer import Grant, Viewer, Visible
from fuzz.mutation import mutator
from fuzz.target import Target

_LINE = (
    b'{"level":"Metadata","auditID":"a%d","stage":"ResponseComplete","verb":"get","user":{"username":"u"},"cluster":"%s",'
    b'"objectRef":{"resource":"pods","namespace":"%s"},"requestReceivedTimestamp":"2026-11-21T22:05:00.000000Z",'
    b'"stageTimestamp":"2026-11-21T22:05:00.000000Z","_auditwire":{"archiving":["d.r"]}}'
)
_GRANTED = (("prod", "shop"), ("test", "kube-system"))
_VIEWER = Viewer("shop", tuple(Grant(frozenset({cluster}), frozenset({space})) for cluster, space in _GRANTED), "prod")


def _archive() -> MemoryStore:
    store = MemoryStore()
    for cluster in ("prod", "test"):
        lines = [_LINE % (at, cluster.encode(), space) for at, space in enumerate((b"shop", b"kube-system", b""))]
        key = object_key(cluster, "2026-11-21T22", "20261121T220500.000000Z", batch_digest(cluster, lines[0]))
        store.put(key, gzip_lines(lines))
    return store


_ENGINE = Visible(Scan(_archive()), _VIEWER)


def _page(data: bytes) -> Hashable:
    given = QueryParams(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        query, page, wanted = read_query(given), read_page(given), read_wanted(given)
        read_agreed(given)
        assert len(read_search(given)) <= 64, "a name that is too long"
    except WrongParameterError as error:
        return str(error)[:20]
    found = rows.rows(_ENGINE, query, page, Coverage())
    for row in found["rows"]:
        assert (row["cluster"], row["namespace"]) in _GRANTED, "a row that is not granted"
    try:
        counted = rows.summary(_ENGINE, query, wanted, Coverage())
    except ValueError as error:
        return str(error)[:20]
    assert counted["events"] <= len(_GRANTED), "an event that is not granted was counted"
    rows.as_answer([found, counted])
    return len(found["rows"]), counted["events"]


def _kubesphere(data: bytes) -> Hashable:
    given = dict(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        asked = read_parameters(given)
        query = answers.query_of(asked, _VIEWER)
        coverage = Coverage()
        match asked.operation:
            case Operation.STATISTICS:
                answer = answers.statistics(_ENGINE, query, coverage)
            case Operation.HISTOGRAM:
                answer = answers.histogram(_ENGINE, asked, query, coverage)
            case Operation.QUERY:
                answer = answers.records(_ENGINE, asked, query, coverage)
                assert answer["query"]["total"] <= 1, "an event that is not granted was counted"
            case Operation.EXPORT:
                answer = {"export": list(answers.exported(_ENGINE, asked, query, coverage))}
    except ParameterError as error:
        return error.status, str(error)[:30]
    msgspec.json.encode(answer)
    return asked.operation, str(answer)[:40]


_TOKENS = (
    b"&", b"=", b"%00", b"%ff", b"is=", b"has=", b"not=", b"text=", b"cluster=prod", b"cluster=test", b"verb:", b"namespace:",
    b"kube-system", b"code:", b"start=2026-11-21T22:00:00Z", b"end=", b"limit=", b"offset=", b"pay=", b"interval=1h", b"facet=user",
    b"operation=histogram", b"operation=statistics", b"operation=export", b"start_time=", b"end_time=", b"9223372036854775807",
    b"interval=1s", b"workspace_filter=", b"objectref_namespace_search=", b"response_code_filter=", b"size=", b"from=",
)  # fmt: skip


def _seeds() -> list[bytes]:
    return [
        b"is=verb:get&not=user:x&has=name:w&text=pods&facet=user&interval=1h&limit=5",
        b"start=2026-11-21T22:00:00Z&end=2026-11-22T00:00:00%2B01:00&order=oldest&is=code:200",
        b"operation=histogram&interval=15m&start_time=0&end_time=1795305600",
        b"verb_filter=get,list&objectref_namespace_search=kube&size=50&from=0&sort=asc&cluster=host",
        b"operation=statistics&user_search=U&response_code_filter=200",
    ]


CONSOLE = Target("console", _page, _seeds, mutator(_TOKENS, trees=False))
KUBESPHERE_API = Target("kubesphere-api", _kubesphere, _seeds, mutator(_TOKENS, trees=False))
