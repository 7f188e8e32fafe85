"""The endpoint on loopback: HTTP as API Gateway speaks it, and an end without a lost answer."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from auditwire_local.certificate import server_context
from auditwire_local.front import Front
from auditwire_local.gateway import MAX_BODY, HttpAnswer, Request
from waiting import HANG_SECONDS, until


class Service:
    """Stands behind the front: echoes bodies and, if told so, takes its time."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.arrived = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.troubles = threading.Event()

    def __call__(self, request: Request) -> HttpAnswer:
        self.requests.append(request)
        self.arrived.set()
        if request.body == b"break":
            raise RuntimeError("nobody foresaw this")
        assert self.go_on.wait(HANG_SECONDS)
        return HttpAnswer(200, [("Content-Type", "text/plain")], request.body)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def front(service: Service) -> Iterator[Front]:
    front = Front(0, service, tls=None, trouble=service.troubles.set)
    front.start()
    yield front
    service.go_on.set()
    if not front.draining:
        front.drain(time.monotonic() + HANG_SECONDS)


@pytest.fixture
def raw(front: Front) -> Callable[[bytes], bytes]:
    """Send bytes, return the whole answer up to the end of the connection."""

    def raw(data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", front.server_address[1]), timeout=HANG_SECONDS) as connection:
            connection.sendall(data)
            answer = b""
            while part := connection.recv(65536):
                answer += part
            return answer

    return raw


def _connection(front: Front) -> HTTPConnection:
    return HTTPConnection("127.0.0.1", front.server_address[1], timeout=HANG_SECONDS)


def test_a_connection_serves_request_after_request(front: Front, service: Service) -> None:
    connection = _connection(front)
    for number in range(3):
        connection.request("POST", f"/hook?n={number}", str(number).encode(), {"X-Y": "z"})
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, str(number).encode())
        assert response.version == 11
    connection.close()

    assert [request.target for request in service.requests] == ["/hook?n=0", "/hook?n=1", "/hook?n=2"]
    assert ("X-Y", "z") in service.requests[0].headers


def test_a_chunked_body_is_put_together(front: Front, service: Service) -> None:
    connection = _connection(front)
    connection.request("POST", "/", iter([b"one ", b"two ", b"x" * 70_000]), encode_chunked=True)

    assert connection.getresponse().read() == b"one two " + b"x" * 70_000
    connection.close()


def test_a_client_that_waits_for_permission_gets_it(front: Front) -> None:
    with socket.create_connection(("127.0.0.1", front.server_address[1]), timeout=HANG_SECONDS) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ok")
        assert connection.recv(1000).endswith(b"\r\n\r\nok")


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"POST /s3cret HTTP/1.1\r\nHost: x\r\n\r\n", 411),
        (b"POST /s3cret HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /s3cret HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST /s3cret HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /s3cret HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST /s3cret HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n\r\n", 400),
        (b"POST /s3cret HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
        (b"s3cret\r\n\r\n", 400),
        (b"BREW /s3cret HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (b"GET /" + b"s3cret" * 12_000 + b" HTTP/1.1\r\n\r\n", 414),
    ],
    ids=[
        "no length",
        "negative length",
        "two lengths",
        "length and chunks",
        "unknown encoding",
        "bad chunk size",
        "bad chunk end",
        "no HTTP",
        "unknown method",
        "endless path",
    ],
)
def test_what_is_no_request_is_refused_without_repeating_it(
    raw: Callable[[bytes], bytes], service: Service, request_head: bytes, status: int
) -> None:
    answer = raw(request_head)

    # HTTP/0.9 has no status line; whoever sends no HTTP at all gets only the body.
    assert answer.startswith(b"HTTP/1.1 %d " % status) or request_head == b"s3cret\r\n\r\n"
    assert b"s3cret" not in answer
    assert service.requests == []


def test_a_body_over_ten_megabytes_is_refused_though_the_client_is_still_sending(front: Front) -> None:
    connection = _connection(front)
    connection.request("POST", "/", b"x" * (MAX_BODY + 1))
    response = connection.getresponse()

    assert (response.status, response.read()) == (413, b'{"message":"Request Entity Too Large"}')
    connection.close()


def test_a_body_of_ten_megabytes_is_taken(front: Front, service: Service) -> None:
    connection = _connection(front)
    connection.request("POST", "/", b"x" * MAX_BODY)

    assert len(connection.getresponse().read()) == MAX_BODY
    connection.close()


def test_a_sender_is_answered_whatever_happens(front: Front, service: Service) -> None:
    connection = _connection(front)
    connection.request("POST", "/", b"break")
    response = connection.getresponse()

    assert (response.status, response.read()) == (500, b'{"message":"Internal Server Error"}')
    assert service.troubles.is_set()
    connection.close()


def test_nothing_of_a_request_is_printed(front: Front, capfd: pytest.CaptureFixture[str]) -> None:
    connection = _connection(front)
    connection.request("GET", "/audit/webhook/event/s3cret", headers={"Authorization": "Bearer s3cret"})
    connection.getresponse().read()
    connection.close()

    assert capfd.readouterr() == ("", "")


def test_the_end_waits_for_requests_in_flight_and_closes_idle_connections(front: Front, service: Service) -> None:
    idle, busy = _connection(front), _connection(front)
    idle.request("GET", "/")
    idle.getresponse().read()
    service.go_on.clear()
    service.arrived.clear()
    busy.request("POST", "/", b"in flight")
    assert service.arrived.wait(HANG_SECONDS)
    ends: list[bool] = []
    end = threading.Thread(target=lambda: ends.append(front.drain(time.monotonic() + HANG_SECONDS)))
    end.start()
    until(lambda: front.draining)
    service.go_on.set()
    end.join(HANG_SECONDS)

    response = busy.getresponse()
    assert (response.status, response.read(), response.headers["Connection"]) == (200, b"in flight", "close")
    assert ends == [True]
    assert idle.sock.recv(1) == b""
    idle.close()
    with pytest.raises(ConnectionRefusedError):
        _connection(front).request("GET", "/")


def test_the_end_does_not_wait_longer_than_it_may(front: Front, service: Service) -> None:
    service.go_on.clear()
    connection = _connection(front)
    connection.request("POST", "/", b"stuck")
    assert service.arrived.wait(HANG_SECONDS)

    assert front.drain(time.monotonic()) is False
    connection.close()


def test_tls_with_the_authority_of_this_run(service: Service, tmp_path: Path) -> None:
    context, ca_file = server_context(tmp_path)
    front = Front(0, service, tls=context, trouble=service.troubles.set)
    front.start()
    port = front.server_address[1]
    try:
        assert front.url == f"https://127.0.0.1:{port}"
        trusting = ssl.create_default_context(cafile=ca_file)
        trusting.verify_flags |= ssl.VERIFY_X509_STRICT
        for host in ("127.0.0.1", "localhost"):
            connection = HTTPSConnection(host, port, context=trusting, timeout=HANG_SECONDS)
            for body in (b"first", b"second"):
                connection.request("POST", "/", body)
                assert connection.getresponse().read() == body
            connection.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            HTTPSConnection("127.0.0.1", port, context=ssl.create_default_context(), timeout=HANG_SECONDS).connect()
        with (
            socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS) as plain,
            suppress(ConnectionResetError),
        ):
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert b"HTTP/1.1" not in plain.recv(100)
    finally:
        assert front.drain(time.monotonic() + HANG_SECONDS)
    assert [path.name for path in tmp_path.iterdir()] == ["ca.pem"]
    assert service.requests[0].scheme == "https"
