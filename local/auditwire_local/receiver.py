"""The built-in alert receiver: the part of Alertmanager's API that the relay uses, for machines without Alertmanager.

It refuses what Alertmanager 0.25 refuses, with the same status codes, and lists the active alerts. It notifies nobody.
"""

import hashlib
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import orjson

_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_RESOLVE_TIMEOUT = timedelta(minutes=5)
"""The default of Alertmanager's ``resolve_timeout``: how long an alert without endsAt is active."""
_MAX_BODY = 64 * 1024 * 1024

_Status = tuple[int, str]


class AlertReceiver:
    """Alerts by their label sets, as in an Alertmanager; any thread may use it."""

    def __init__(self) -> None:
        self._alerts: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="receiver", daemon=True)

    @property
    def url(self) -> str:
        """The address that the relay gets."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serve, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def post(self, body: bytes) -> tuple[int, bytes]:
        """POST /api/v2/alerts: the status and the body.

        As in Alertmanager, a request that does not follow the schema stores nothing (400, or 422 for a generatorURL
        that is not a URI). An alert with an illegal label set is left out and answered with 400, and the other alerts
        are stored.
        """
        try:
            posted = orjson.loads(body)
            status, problem = _check_schema(posted)
        except orjson.JSONDecodeError as error:
            status, problem = 400, str(error)
        if status == 200:
            now = datetime.now(UTC)
            with self._lock:
                problems = [problem for alert in posted if (problem := self._store(alert, now))]
            if problems:
                status, problem = 400, "; ".join(problems)
        return status, orjson.dumps(problem) if status == 400 else orjson.dumps({"message": problem})

    def active(self) -> list[dict[str, Any]]:
        """GET /api/v2/alerts: the alerts that have not ended."""
        now = datetime.now(UTC)
        with self._lock:
            return [dict(alert) for alert in self._alerts.values() if _time(alert["endsAt"]) > now]

    def _store(self, alert: Mapping[str, Any], now: datetime) -> str:
        """Store one alert. Returns the reason when its content is not legal."""
        labels = {name: value for name, value in (alert.get("labels") or {}).items() if value}
        annotations = alert.get("annotations") or {}
        if problem := _check_names(labels, annotations):
            return problem
        given_end = _time(alert["endsAt"]) if alert.get("endsAt") else None
        ends = given_end or now + _RESOLVE_TIMEOUT
        starts = _time(alert["startsAt"]) if alert.get("startsAt") else given_end or now
        if ends < starts:
            return "start time must be before end time"
        fingerprint = hashlib.sha256(orjson.dumps(labels, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
        before = self._alerts.get(fingerprint)
        if before and _time(before["endsAt"]) >= starts:
            # The same alert goes on, so it began when it first began.
            starts = min(starts, _time(before["startsAt"]))
        self._alerts[fingerprint] = {
            "labels": labels,
            "annotations": annotations,
            "startsAt": starts.isoformat(timespec="milliseconds"),
            "endsAt": ends.isoformat(timespec="milliseconds"),
            "updatedAt": now.isoformat(timespec="milliseconds"),
            "generatorURL": alert.get("generatorURL", ""),
            "fingerprint": fingerprint,
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
            "receivers": [{"name": "auditwire-dev"}],
        }
        return ""


def _check_schema(posted: Any) -> _Status:
    if not isinstance(posted, list):
        return 400, "cannot unmarshal into a list of alerts"
    for alert in posted:
        if not isinstance(alert, dict):
            return 400, "cannot unmarshal into an alert"
        for kind in ("labels", "annotations"):
            if not isinstance(alert.get(kind) or {}, dict):
                return 400, f"cannot unmarshal {kind} into a map"
            if any(not isinstance(value, str) for value in (alert.get(kind) or {}).values()):
                return 400, f"cannot unmarshal a value of {kind} into a string"
        for moment in ("startsAt", "endsAt"):
            if alert.get(moment) and not _is_time(alert[moment]):
                return 400, f"{moment} is not a date and time"
        url = alert.get("generatorURL")
        if url and not (isinstance(url, str) and _is_uri(url)):
            return 422, "generatorURL in body must be of type uri"
    return 200, ""


def _check_names(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    if not labels:
        return "at least one label pair required"
    for kind, names in (("label set", labels), ("annotations", annotations)):
        for name in names:
            if not _LABEL_NAME.fullmatch(name):
                return f"invalid {kind}: invalid name {name!r}"
    return ""


def _is_uri(text: str) -> bool:
    """Whether Go's url.ParseRequestURI accepts it: an absolute URI or an absolute path."""
    if text.startswith("/"):
        return True
    try:
        return bool(urlsplit(text).scheme) and not re.search(r"[\x00-\x1f\x7f]", text)
    except ValueError:
        return False


def _is_time(text: Any) -> bool:
    try:
        _time(text)
    except (TypeError, ValueError):
        return False
    return True


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        msg = f"{text} has no time zone"
        raise ValueError(msg)
    return moment


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, receiver: AlertReceiver) -> None:
        self.receiver = receiver
        super().__init__(("127.0.0.1", 0), _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: the relay sees what happened."""


class _Connection(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 60
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Take alerts."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, _MAX_BODY))
        if self.path == "/api/v2/alerts":
            self._send(*self.server.receiver.post(body))
        else:
            self._send(404, b'"not found"')

    def do_GET(self) -> None:
        """List the active alerts, or say that the receiver is ready."""
        path = self.path.partition("?")[0]
        if path == "/api/v2/alerts":
            self._send(200, orjson.dumps(self.server.receiver.active()))
        elif path in {"/-/healthy", "/-/ready"}:
            self._send(200, b'"OK"')
        else:
            self._send(404, b'"not found"')

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
        """Say nothing."""

    def _send(self, status: int, body: bytes) -> None:
        content = b"" if status == 200 and self.command == "POST" else body
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
