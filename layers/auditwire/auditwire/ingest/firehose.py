"""What Firehose wants of an HTTP endpoint that other senders do not want.

Source: the documentation of Amazon Data Firehose, "Understand HTTP endpoint delivery request and response
specifications". A delivery stream waits for three minutes, repeats a request with the same requestId, and takes any
answer for a failure that is not JSON with that requestId and a timestamp.
"""

from typing import Final

import msgspec

from auditwire.ingest.request import Request

DEADLINE_SECONDS: Final = 8.0
"""How long after a request the answer must be on its way: API Gateway gives up after ten seconds."""

_ERRORS: Final = {401: "the access key is not valid", 503: "the records could not be stored; send them again"}
_MAX_ID: Final = 128


class _Body(msgspec.Struct):
    records: msgspec.Raw


class _Named(msgspec.Struct):
    requestId: str = ""


_BODY = msgspec.json.Decoder(_Body)
_NAMED = msgspec.json.Decoder(_Named)


class Body(msgspec.Struct):
    """The body of an answer. Firehose logs the message of an error."""

    requestId: str
    timestamp: int
    errorMessage: str | msgspec.UnsetType = msgspec.UNSET


def records_of(body: bytes) -> bytes:
    """The records of a request in an object of their own, without what may differ when the request is repeated; the
    body itself where it has none."""
    try:
        records = _BODY.decode(body).records
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    return b'{"records":%b}' % records


def answer_body(request: Request, status: int) -> str:
    """The body of the answer to a request that ended with this status."""
    body = Body(_id_of(request), int(request.received.timestamp() * 1000), _ERRORS.get(status, msgspec.UNSET))
    return msgspec.json.encode(body).decode()


def _id_of(request: Request) -> str:
    """The request's own identifier: that of its header, or else that in its body; empty for none that can be used."""
    given = request.header("x-amz-firehose-request-id")
    if given is None:
        try:
            given = _NAMED.decode(request.body).requestId
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            given = ""
    return given if len(given) <= _MAX_ID and given.isascii() and given.isprintable() else ""
