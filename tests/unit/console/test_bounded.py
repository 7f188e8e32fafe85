"""Answers that are held back: whole and gzipped, or an error that says what to do. Never a part, nor too much."""

import base64
import gzip
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient

from auditwire.archive.errors import UnreadableError
from auditwire_console import ON_LAMBDA, Limits
from auditwire_console.bounded import Bounded
from auditwire_console.search_log import Logged, no_log
from console_client import Console
from local_road import exec_event
from searched import Archive

KUBESPHERE = "/kapis/tenant.kubesphere.io/v1alpha2/auditing/events"
MOST = 3_000


@pytest.fixture(scope="module")
def archive() -> Archive:
    chance, archive = random.Random(5), Archive()
    archive.take([exec_event(n, verb="create", userAgent=chance.randbytes(600).hex()) for n in range(20)])
    return archive


def console(archive: Archive, **limits: Any) -> Console:
    return Console(archive.store, limits=Limits(**limits))


PLAIN = {"accept-encoding": "identity"}
PACKED = {"accept-encoding": "br, GZIP;q=0.5"}


@pytest.mark.parametrize("headers", [PLAIN, PACKED], ids=("plain", "packed"))
@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/api/rows", {}),
        ("/api/export", {}),
        ("/api/export", {"format": "csv"}),
        ("/api/alerts", {}),
        (KUBESPHERE, {"size": "20"}),
        (KUBESPHERE, {"operation": "export"}),
    ],
)
def test_an_answer_is_the_whole_one_or_413(
    archive: Archive, path: str, asked: dict[str, str], headers: dict[str, str]
) -> None:
    whole = console(archive).get(path, asked)
    roomy = console(archive, answer_bytes=1_000_000).get(path, asked, headers=headers)
    tight = console(archive, answer_bytes=MOST).get(path, asked, headers=headers)

    assert (roomy.status_code, roomy.content) == (200, whole.content)
    assert roomy.headers.get("content-encoding") == ("gzip" if headers is PACKED else None)
    assert roomy.headers["content-type"] == whole.headers["content-type"]
    assert tight.status_code == 413
    sentence = tight.text if path == KUBESPHERE else tight.json()["problem"]
    assert "`auditwire query --export`" in sentence


def test_one_event_may_be_too_large() -> None:
    archive, chance = Archive(), random.Random(6)
    (key,) = archive.take([exec_event(1, requestObject={"data": chance.randbytes(40_000).hex()}), exec_event(2)])
    asked = console(archive, answer_bytes=30_000)

    answers = {n: asked.get("/api/event", {"key": key, "number": n}, headers=PACKED) for n in (0, 1)}

    assert (answers[0].status_code, answers[1].status_code) == (413, 200)
    assert answers[1].json()["line"] == archive.lines(key)[1].decode()


@pytest.mark.parametrize("path", ["/api/export", KUBESPHERE])
def test_an_export_that_takes_too_long_is_no_shorter_export(archive: Archive, path: str) -> None:
    late = console(archive, seconds=-1, export_seconds=-1, answer_bytes=1_000_000)

    answer = late.get(path, {"operation": "export"})

    assert answer.status_code == 413
    assert "the export takes longer" in answer.text


def test_what_an_export_could_not_read_is_said() -> None:
    archive = Archive()
    keys = archive.take([exec_event(1)]) + archive.take([exec_event(2)])
    archive.store.objects[keys[0]] = archive.store.objects[keys[0]][:30]

    answer = console(archive, answer_bytes=1_000_000).get("/api/export")

    assert (answer.status_code, len(answer.content.splitlines())) == (200, 1)
    assert answer.headers["warning"] == '199 - "1 stored objects could not be read"'


def bounded(chunks: Any, most: int, media_type: str = "text/plain") -> TestClient:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await StreamingResponse(iter(chunks), media_type=media_type)(scope, receive, send)

    return TestClient(Logged(Bounded(app, most), Limits(), no_log, time.monotonic))


def test_an_error_in_the_middle_of_an_answer_is_an_error() -> None:
    def broken() -> Iterator[bytes]:
        yield b"line\n" * 100
        raise UnreadableError("the archive went away")

    answer = bounded(broken(), 1_000_000).get("/api/export")

    assert (answer.status_code, answer.json()) == (502, {"problem": "the archive went away"})


@pytest.mark.parametrize("headers", [PLAIN, PACKED], ids=("plain", "packed"))
def test_however_it_is_sent_no_answer_is_more_than_there_is_room_for(headers: dict[str, str]) -> None:
    chance, refused = random.Random(7), 0
    alphabets = (b"a", b'"\\', b"\0\x1f", "é€😀".encode(), bytes(range(256)))
    for _ in range(150):
        letters = chance.choice(alphabets)
        body = bytes(chance.choice(letters) for _ in range(chance.choice((0, 1, 900, 1_100, 4_000))))
        cut = chance.randrange(len(body) + 1)
        client = bounded((body[:cut], body[cut:]), 1_000)
        with client.stream("GET", "/", headers=headers) as answer:
            sent = b"".join(answer.iter_raw())
        if answer.status_code == 413:
            refused += 1
            continue
        assert (gzip.decompress(sent) if answer.headers.get("content-encoding") else sent) == body
        assert int(answer.headers.get("content-length", 0)) == len(sent)
        as_base64, as_text = len(base64.b64encode(sent)), len(json.dumps(sent.decode(errors="replace")))
        assert (as_base64 if "content-encoding" in answer.headers else max(as_base64, as_text)) <= 1_336
    assert 0 < refused < 150


def test_the_bound_of_lambda_is_what_lambda_takes() -> None:
    assert ON_LAMBDA.answer_bytes
    assert 4 * ON_LAMBDA.answer_bytes // 3 + 10_240 < 6_291_556


@pytest.mark.parametrize("accepts", ["gzip;q=0", "gzip; q=0.0", "br", "identity", "", "x-gzip"])
def test_who_takes_no_gzip_gets_none(archive: Archive, accepts: str) -> None:
    answer = console(archive, answer_bytes=1_000_000).get("/api/rows", headers={"accept-encoding": accepts})

    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "accept-encoding"


def test_files_are_gzipped_and_kept_whole_in_parts_and_unchanged(archive: Archive) -> None:
    asked = console(archive, answer_bytes=1_000_000)
    script = asked.get("/").text.split('src="')[1].split('"')[0]
    whole = asked.get(script, headers=PACKED)
    part = asked.get(script, headers={**PACKED, "range": "bytes=2-9"})
    known = asked.get(script, headers={**PACKED, "if-none-match": whole.headers["etag"]})

    assert (whole.headers["content-encoding"], whole.headers["etag"][:2]) == ("gzip", "W/")
    assert "immutable" in whole.headers["cache-control"]
    assert (part.status_code, part.content, "content-encoding" in part.headers) == (206, whole.content[2:10], False)
    assert (known.status_code, known.content, "content-encoding" in known.headers) == (304, b"", False)


def test_on_this_machine_answers_are_as_long_as_they_are(archive: Archive) -> None:
    answer = console(archive).get("/api/rows", headers=PACKED)

    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers
