"""Asking an issuer over a network: nothing is followed, and nothing takes longer or is larger than it may."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from auditwire_console.signin import IssuerError, fetch
from auditwire_console.signin.fetching import MAX_LENGTH
from oidc_issuer import OidcIssuer, signing_key
from signing_in import Desk
from waiting import HANG_SECONDS


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that does this with its one connection once a request came."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(HANG_SECONDS)
                try:
                    answer(connection)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def says(*parts: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.recv(65_536)
        for part in parts:
            connection.sendall(part)

    return answer


def refusal(url: str, seconds: float = HANG_SECONDS) -> str:
    with pytest.raises(IssuerError) as refused:
        fetch(url, {}, seconds=seconds)
    return str(refused.value)


def test_people_sign_in_over_a_network() -> None:
    with OidcIssuer(client_secret="secret").serving() as issuer:
        desk = Desk(issuer, fetch=fetch)
        browser = desk.browser()

        assert browser.sign_in().status_code == 200
        assert browser.name == "1234"


def test_a_redirect_is_an_answer_like_others() -> None:
    with OidcIssuer(instead={"/keys": (302, b"see elsewhere")}).serving() as issuer:
        answer = fetch(f"{issuer.url}/keys", {})

        assert (answer.status, answer.body) == (302, b"see elsewhere")
        assert issuer.asked == ["/keys"]


def test_an_answer_is_a_megabyte_at_most() -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    with answering(says(head, MAX_LENGTH * b"x")) as url:
        assert len(fetch(url, {}).body) == MAX_LENGTH
    with answering(says(head, (MAX_LENGTH + 1) * b"x")) as url:
        assert "answers more than 1,048,576 bytes" in refusal(url)
    with answering(says(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", 2 * MAX_LENGTH * b"x")) as url:
        assert "answers more than 1,048,576 bytes" in refusal(url)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\n" + 101 * b"a: b\r\n" + b"\r\n",
        b"HTTP/1.1 99999999 x\r\n\r\n",
    ],
    ids=lambda answer: str(answer[:12]),
)
def test_what_is_no_http_is_a_sentence(answer: bytes) -> None:
    with answering(says(answer)) as url:
        assert "does not answer (this is no HTTP); try again" in refusal(url)


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\nsome"], ids=["nothing", "head", "body"]
)
def test_an_answer_that_trickles_in_ends_with_its_time(said: bytes) -> None:
    gone = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(said)
        for _ in range(1_000):
            if gone.wait(0.01):
                return
            connection.sendall(b"x")

    with answering(trickle) as url:
        try:
            assert "does not answer (not within 5 s)" in refusal(url, seconds=0.2)
        finally:
            gone.set()


def test_an_issuer_that_is_down_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert refusal(f"http://127.0.0.1:{port}/") == (
        "the issuer's host 127.0.0.1 does not answer (connection refused); try again"
    )
    assert "issuer.invalid does not answer" in refusal("https://issuer.invalid/")


def test_a_certificate_that_nobody_trusts_is_refused(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))

    def greet(connection: socket.socket) -> None:
        context.wrap_socket(connection, server_side=True)

    with answering(greet) as url:
        assert "its certificate is not trusted" in refusal(url.replace("http:", "https:"))


def certificate(folder: Path) -> Path:
    """A file with a key and a certificate for 127.0.0.1 that it signed itself."""
    key = signing_key("tls").private
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a b", "http://127.0.0.1:1/\r\nx: y"])
def test_an_address_that_is_none_is_not_asked(url: str) -> None:
    assert urlsplit(url).hostname == "127.0.0.1"
    assert "does not answer" in refusal(url)
