"""One Alertmanager over HTTP: addresses, credentials, certificates, and answers that are none."""

import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from alertmanagers import alertmanager, always, takes_all
from auditwire.alerts import AlertmanagerPeer, Credentials, PeerAddressError, PeerAnswer, PeerError, parse_credentials
from waiting import HANG_SECONDS


def test_alerts_are_posted_to_the_v2_api() -> None:
    with alertmanager() as fake:
        assert AlertmanagerPeer(fake.url).post(b"[]", HANG_SECONDS) == PeerAnswer(200)
    assert fake.paths == ["/api/v2/alerts"]
    assert fake.headers[0]["Content-Type"] == "application/json"
    assert "Authorization" not in fake.headers[0]


@pytest.mark.parametrize(
    ("suffix", "path"),
    [
        ("", "/api/v2/alerts"),
        ("/", "/api/v2/alerts"),
        ("/api/v2/alerts", "/api/v2/alerts"),
        ("/api/v1/alerts/", "/api/v2/alerts"),
        ("/api/v2", "/api/v2/alerts"),
        ("/monitoring/am/", "/monitoring/am/api/v2/alerts"),
        ("/monitoring/am/api/v1/alerts", "/monitoring/am/api/v2/alerts"),
    ],
)
def test_an_address_may_have_a_prefix_or_name_the_api_itself(suffix: str, path: str) -> None:
    with alertmanager() as fake:
        AlertmanagerPeer(fake.url + suffix).post(b"[]", HANG_SECONDS)
    assert fake.paths == [path]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("alertmanager:9093", "is not an Alertmanager address: http://host:9093 or https://…"),
        ("ftp://host", "'ftp'… is not an Alertmanager address: http://host:9093 or https://…"),
        ("http://", "is not an Alertmanager address"),
        ("http://host:port", "an Alertmanager address cannot be read"),
        ("http://[::1", "an Alertmanager address cannot be read"),
        ("https://user:hunter2@host:9093", "the address of host contains credentials; they belong in"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_showing_what_may_be_secret(url: str, why: str) -> None:
    with pytest.raises(PeerAddressError) as caught:
        AlertmanagerPeer(url)
    assert why in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("secret", "header"),
    [
        ('{"username": "auditwire", "password": "pä:ss"}', "Basic " + b64encode("auditwire:pä:ss".encode()).decode()),
        ('{"token": "abc.def"}', "Bearer abc.def"),
    ],
    ids=["basic", "bearer"],
)
def test_credentials_are_sent_and_never_shown(secret: str, header: str) -> None:
    credentials = parse_credentials(secret)
    assert repr(credentials) == "Credentials()"
    with alertmanager() as fake:
        AlertmanagerPeer(fake.url, credentials=credentials).post(b"[]", HANG_SECONDS)
    assert fake.headers[0]["Authorization"] == header


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2",
        "[]",
        "{}",
        '{"token": ""}',
        '{"token": "hunter2\\r\\nX: y"}',
        '{"username": "u:hunter2", "password": "p"}',
        '{"username": "hunter2"}',
        '{"token": 5}',
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(PeerAddressError) as caught:
        parse_credentials(secret)
    assert str(caught.value) == (
        'the Alertmanager secret must be JSON like {"username": …, "password": …} or {"token": …}'
    )
    assert "hunter2" not in repr(caught.value.__cause__)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    with alertmanager(always(status)) as fake:
        assert AlertmanagerPeer(fake.url, credentials=Credentials("Bearer x")).post(b"[]", HANG_SECONDS) == PeerAnswer(
            status
        )
        assert len(fake.posts) == 1


def test_what_a_peer_says_is_one_bounded_line() -> None:
    with alertmanager(always(400, "bad\nalert " + "x" * 90_000)) as fake:
        answer = AlertmanagerPeer(fake.url).post(b"[]", HANG_SECONDS)
    assert answer.detail.startswith(r"bad\nalert xxx")
    assert len(answer.detail) == 200


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_peer_that_is_down_is_told_as_such() -> None:
    with pytest.raises(PeerError, match="ConnectionRefusedError: "):
        AlertmanagerPeer(f"http://127.0.0.1:{free_port()}").post(b"[]", HANG_SECONDS)


def test_a_name_that_does_not_exist_is_told_as_such() -> None:
    with pytest.raises(PeerError, match="gaierror: "):
        AlertmanagerPeer("http://alertmanager.invalid:9093").post(b"[]", HANG_SECONDS)


def test_a_peer_that_hangs_costs_no_more_than_the_time_given() -> None:
    with alertmanager(takes_all, hang=threading.Event()) as fake, pytest.raises(PeerError, match="timeout"):
        AlertmanagerPeer(fake.url).post(b"[]", 0.2)


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n"])
def test_a_peer_that_trickles_costs_no_more_than_the_time_given(begin: bytes) -> None:
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(begin)
                while not is_over.wait(0.02):
                    connection.sendall(b"x")

        thread = threading.Thread(target=trickle)
        thread.start()
        with pytest.raises(PeerError, match="timeout"):
            AlertmanagerPeer(f"http://127.0.0.1:{server.getsockname()[1]}").post(b"[]", 0.3)
        is_over.set()
        thread.join()


def test_something_that_does_not_speak_http_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(PeerError, match="BadStatusLine: "):
            AlertmanagerPeer(f"http://127.0.0.1:{server.getsockname()[1]}").post(b"[]", HANG_SECONDS)
        thread.join()


class TlsHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keeps the tests' output clean."""


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """An HTTPS server with a certificate of its own making: its address, and the certificate in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "both.pem").write_bytes(private + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    server = HTTPServer(("127.0.0.1", 0), TlsHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_address[1]}", pem.decode()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_private_ca_is_taken_as_pem_and_as_kubernetes_writes_it(tls_server: tuple[str, str]) -> None:
    url, pem = tls_server
    for ca in (pem, b64encode(pem.encode()).decode()):
        assert AlertmanagerPeer(url, ca=ca).post(b"[]", HANG_SECONDS).taken
    in_secret = parse_credentials('{"token": "x", "ca": "' + pem.replace("\n", "\\n") + '"}')
    assert AlertmanagerPeer(url, credentials=in_secret).post(b"[]", HANG_SECONDS).taken


def test_a_certificate_of_an_unknown_ca_is_not_trusted(tls_server: tuple[str, str]) -> None:
    with pytest.raises(PeerError, match="SSLCertVerificationError: "):
        AlertmanagerPeer(tls_server[0]).post(b"[]", HANG_SECONDS)


def test_a_ca_that_is_none_is_refused() -> None:
    with pytest.raises(PeerAddressError, match="the CA of https://host is not a certificate in PEM"):
        AlertmanagerPeer("https://host", ca="!!")
    with pytest.raises(PeerAddressError, match="the CA of https://host is not a certificate in PEM"):
        AlertmanagerPeer("https://host", ca="-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----")
