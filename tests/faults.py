"""Faults on the wire between the functions' real clients and AWS. Every one is counted.

``Wire`` stands where moto takes a signed request off botocore and answers it, so a fault here is what a socket would
show: no answer, an answer of AWS that says no, an answer that is lost after the work was done, the end of the process.
Nothing of auditwire is replaced; its clients repeat, give up and report as they do on AWS.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, unquote, urlencode

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.retries import standard
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

from auditwire_local.runtime import running


@dataclass(frozen=True)
class Exchange:
    """One request of a function to AWS, such as ``s3.PutObject``; ``send`` has AWS do what a request asks for."""

    call: str
    request: AWSPreparedRequest
    send: Callable[[AWSPreparedRequest], AWSResponse]

    def done(self) -> AWSResponse:
        """The answer of AWS to the request as it stands."""
        return self.send(self.request)


Fault = Callable[[Exchange], AWSResponse]
"""What a request meets in place of its answer."""


@dataclass(frozen=True)
class Calls:
    """Requests of one function: ``call`` is ``service.Operation`` or empty for any, ``about`` a part of the URL."""

    function: str
    call: str = ""
    about: str = ""

    def include(self, function: str, exchange: Exchange) -> bool:
        """Whether this is one of them."""
        wanted = self.function == function and self.call in {"", exchange.call}
        return wanted and self.about in unquote(exchange.request.url)


def timeout(exchange: Exchange) -> AWSResponse:
    """AWS never gets to it, and the client waits in vain."""
    raise ReadTimeoutError(endpoint_url=exchange.request.url)


def cut(exchange: Exchange) -> AWSResponse:
    """AWS does it, and the connection breaks before the client hears of it."""
    exchange.done()
    raise ConnectionClosedError(endpoint_url=exchange.request.url)


def killed_before(exchange: Exchange) -> AWSResponse:
    """The process ends instead of sending the request."""
    raise SystemExit(f"killed before {exchange.call}")


def killed_after(exchange: Exchange) -> AWSResponse:
    """The process ends once AWS has done it."""
    exchange.done()
    raise SystemExit(f"killed after {exchange.call}")


def throttled(exchange: Exchange) -> AWSResponse:
    """AWS asks for patience."""
    return _refusal(exchange, *_THROTTLED[exchange.call.partition(".")[0]])


def internal_error(exchange: Exchange) -> AWSResponse:
    """AWS has a problem of its own."""
    return _refusal(exchange, 500, "InternalServerError" if exchange.call.startswith("dynamodb") else "InternalError")


def denied(exchange: Exchange) -> AWSResponse:
    """A permission is missing."""
    service = exchange.call.partition(".")[0]
    return _refusal(exchange, *_DENIED.get(service, (403, "AccessDenied")))


def half_of_the_content(exchange: Exchange) -> AWSResponse:
    """The answer breaks off in the middle of its body."""
    answer = exchange.done()
    return _answer(exchange, answer.status_code, answer.headers, answer.content[: len(answer.content) // 2])


def still_running(exchange: Exchange) -> AWSResponse:
    """Athena is not done yet."""
    answer = exchange.done()
    return _answer(exchange, 200, answer.headers, answer.content.replace(b"SUCCEEDED", b"RUNNING"))


def half_of_the_messages(exchange: Exchange) -> AWSResponse:
    """SNS takes every other message of a PublishBatch and throttles the rest."""
    fields = parse_qsl(_text(exchange.request.body), keep_blank_values=True)
    entries: dict[str, list[tuple[str, str]]] = {}
    for name, value in fields:
        if name.startswith(_ENTRY):
            number, _, rest = name.removeprefix(_ENTRY).partition(".")
            entries.setdefault(number, []).append((rest, value))
    taken = [entry for position, entry in enumerate(entries.values()) if position % 2]
    left = [dict(entry)["Id"] for position, entry in enumerate(entries.values()) if position % 2 == 0]
    failed = "".join(
        f"<member><Id>{name}</Id><Code>Throttled</Code><Message>slow down</Message><SenderFault>false</SenderFault>"
        "</member>"
        for name in left
    )
    if not taken:
        return _xml(
            exchange,
            200,
            f'<PublishBatchResponse xmlns="{_SNS}"><PublishBatchResult><Successful/><Failed>{failed}</Failed>'
            "</PublishBatchResult></PublishBatchResponse>",
        )
    body = [(name, value) for name, value in fields if not name.startswith(_ENTRY)]
    body += [(f"{_ENTRY}{number}.{rest}", value) for number, entry in enumerate(taken, 1) for rest, value in entry]
    answer = exchange.send(_with_body(exchange.request, urlencode(body)))
    text = answer.content.decode()
    assert text.count("<Failed>") <= 1
    text = text.replace("<Failed/>", "").replace("<Failed></Failed>", "")
    assert "<Failed>" not in text
    end = "</PublishBatchResult>"
    return _xml(exchange, 200, text.replace(end, f"<Failed>{failed}</Failed>{end}"))


def half_of_the_items(exchange: Exchange) -> AWSResponse:
    """DynamoDB writes every other item of a BatchWriteItem and hands the rest back as unprocessed."""
    asked = json.loads(_text(exchange.request.body))
    taken = {table: items[1::2] for table, items in asked["RequestItems"].items() if items[1::2]}
    left = {table: items[::2] for table, items in asked["RequestItems"].items()}
    if taken:
        exchange.send(_with_body(exchange.request, json.dumps({**asked, "RequestItems": taken})))
    return _json(exchange, 200, {"UnprocessedItems": left})


@dataclass(frozen=True)
class Trouble:
    """A fault that these calls meet: all but the first ``spare``, and no more than ``most`` of them (None: all)."""

    calls: Calls
    fault: Fault
    spare: int = 0
    most: int | None = None

    def meets(self, number: int) -> bool:
        """Whether the call of this number, from 1, meets the fault."""
        return number > self.spare and (self.most is None or number <= self.spare + self.most)


class _ElsewhereError(Exception):
    """A request that nobody answers in this process: a command's, to the address of a local system."""


class Wire:
    """The wire between the functions and AWS, while it is entered; quiet until ``faulty``.

    ``injected`` counts faults, ``published`` the messages that SNS has really taken.
    """

    def __init__(self) -> None:
        self.injected = 0
        self.published = 0
        self._troubles: list[tuple[Trouble, Iterator[int]]] = []
        self._lock = threading.Lock()

    @contextmanager
    def faulty(self, *troubles: Trouble) -> Iterator[None]:
        """These troubles exist inside."""
        begun = [(trouble, count(1)) for trouble in troubles]
        self._troubles += begun
        try:
            yield
        finally:
            self._troubles = [other for other in self._troubles if other not in begun]

    @contextmanager
    def in_place(self) -> Iterator["Wire"]:
        """Be the wire inside, where clients repeat at once what they would repeat after a random wait."""
        real = BotocoreStubber.__call__

        def answer(stubber: Any, event_name: str, request: AWSPreparedRequest, **named: Any) -> AWSResponse | None:
            def send(request: AWSPreparedRequest) -> AWSResponse:
                answered = real(stubber, event_name, request, **named)
                if answered is None:
                    raise _ElsewhereError
                return self._counted(call, answered)

            call = event_name.removeprefix("before-send.")
            exchange = Exchange(call, request, send)
            fault = self._met(running.get(), exchange)
            try:
                return fault(exchange) if fault else exchange.done()
            except _ElsewhereError:
                return None

        def at_once(backoff: Any, context: Any) -> float:
            return 0.0

        with (
            patch.object(BotocoreStubber, "__call__", answer),
            patch.object(standard.ExponentialBackoff, "delay_amount", at_once),
        ):
            yield self

    def _met(self, function: str | None, exchange: Exchange) -> Fault | None:
        """The fault that a call meets now."""
        for trouble, numbers in self._troubles:
            if function is not None and trouble.calls.include(function, exchange):
                with self._lock:
                    met = trouble.meets(next(numbers))
                    self.injected += met
                return trouble.fault if met else None
        return None

    def _counted(self, call: str, response: AWSResponse) -> AWSResponse:
        if call.startswith("sns.Publish") and response.status_code == 200:
            with self._lock:
                self.published += response.content.count(b"<MessageId>")
        return response


_SNS = "http://sns.amazonaws.com/doc/2010-03-31/"
_ENTRY = "PublishBatchRequestEntries.member."
_THROTTLED = {
    "s3": (503, "SlowDown"),
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "sns": (400, "Throttling"),
    "sqs": (400, "RequestThrottled"),
}
_XML = {"sns": _SNS, "sts": "https://sts.amazonaws.com/doc/2011-06-15/"}
_DENIED = {"dynamodb": (400, "AccessDeniedException"), "sns": (403, "AuthorizationError")}


def _refusal(exchange: Exchange, status: int, code: str) -> AWSResponse:
    """An error in the form of the service's protocol."""
    service = exchange.call.partition(".")[0]
    if service == "s3":
        return _xml(exchange, status, f"<Error><Code>{code}</Code><Message>no</Message></Error>")
    if service in _XML:
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error>"
        return _xml(exchange, status, f'<ErrorResponse xmlns="{_XML[service]}">{error}</ErrorResponse>')
    return _json(exchange, status, {"__type": f"com.amazonaws.{service}#{code}", "message": "no"})


def _answer(exchange: Exchange, status: int, headers: Any, content: str | bytes) -> AWSResponse:
    # At run time headers are any mapping; botocore's stubs know its own kind only.
    return AWSResponse(exchange.request.url, status, headers, MockRawResponse(content))


def _xml(exchange: Exchange, status: int, text: str) -> AWSResponse:
    return _answer(exchange, status, {"content-type": "text/xml"}, text)


def _json(exchange: Exchange, status: int, content: Mapping[str, Any]) -> AWSResponse:
    headers = {"content-type": "application/x-amz-json-1.0"}
    return _answer(exchange, status, headers, json.dumps(content))


def _with_body(request: AWSPreparedRequest, body: str) -> AWSPreparedRequest:
    given: Any = request.headers
    headers = given.copy()
    del headers["Content-Length"]
    headers["Content-Length"] = str(len(body.encode()))
    return AWSPreparedRequest(request.method, request.url, headers, body.encode(), request.stream_output)


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)
