"""What people read: a subject and one fact on each line, whatever a client has put into it."""

import json
import re
from typing import Any

import pytest

from auditwire.alerts import encode_message, fold, self_alert, with_runbook
from auditwire.alerts.mail import MAX_MAIL_BYTES, SHORT_MAIL_BYTES, mail_subject, mail_text
from auditwire.alerts.message import message_of
from auditwire.alerts.wire import wire_form
from memory_road import Road
from occurrences import occurrence, rule_of
from pages import ROOT

HOSTILE = (
    "https://evil.example/login",
    "http://192.0.2.1/x",
    "www.evil.example",
    "jane@evil.example",
    "evil。example",
    "mail\r\nBcc: all@evil.example",
    "xn--80ak6aa92e.example",
    "\u202ehttps://evil.example",
)
# What mail programs make links of: a scheme, a name with a dot before its last letters, an address of mail.
LINKS = re.compile(r"\w+://|\bwww\.|\w[.。]evil|evil[.。]\w|\w[.。]example|@[\w-]+\.")


def message_about(**changes: Any) -> dict[str, Any]:
    (alert,) = fold([occurrence(**changes)], cluster="prod", bundle="b", archive_url="https://console.example/o?k=")
    message: dict[str, Any] = json.loads(encode_message(alert))
    return message


def test_a_mail_says_what_happened_a_fact_on_each_line() -> None:
    message = message_about(message="mallory runs sh in web-1", userAgent="kubectl/v1.33")
    message["annotations"]["runbook_url"] = "https://wiki.example/runbooks#shell"
    lines = mail_text(message).splitlines()
    assert lines[0] == "WARNING: CreatePod in cluster prod"
    assert lines[2] == "mallory runs sh in web-1"
    facts = dict(line.split(": ", 1) for line in lines if ": " in line)
    assert facts["User"] == message["labels"]["user"]
    assert facts["Verb"] == message["labels"]["verb"]
    assert facts["Client"] == "kubectl/v1[.]33" or facts["Client"] == "kubectl/v1.33"
    assert facts["Events"] == "1"
    assert facts["Archived as"] == message["annotations"]["archive_key"]
    assert facts["Archived event"] == message["generatorURL"]
    assert facts["Runbook"] == "https://wiki.example/runbooks#shell"
    assert facts["Rule"] == "alerting-rule.CreatePod"
    assert mail_subject(message) == "WARNING CreatePod in prod"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("place", ["labels", "annotations"])
def test_addresses_that_a_client_chose_are_broken_and_stay_on_their_line(text: str, place: str) -> None:
    names = {"labels": ("user", "name", "own"), "annotations": ("message", "summary", "user_agent", "reason", "own")}
    plain = {"labels": {"alertname": "A"}, "annotations": {}}
    lines = len(mail_text({**plain, place: {**plain[place], **dict.fromkeys(names[place], "x")}}).splitlines())
    mail = mail_text({**plain, place: {**plain[place], **dict.fromkeys(names[place], text)}})
    assert not LINKS.search(mail), mail
    assert len(mail.splitlines()) == lines
    assert "evil" in mail or "192" in mail or "xn--" in mail


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://evil.example/ https://x", "ftp://evil.example"])
def test_a_runbook_that_is_no_link_is_broken_like_everything_else(address: str) -> None:
    mail = mail_text({"labels": {"alertname": "A"}, "annotations": {"runbook_url": address}})
    assert not LINKS.search(mail)


@pytest.mark.parametrize("limit", [SHORT_MAIL_BYTES, MAX_MAIL_BYTES])
def test_a_mail_is_bounded_and_says_what_it_leaves_out(limit: int) -> None:
    own = {f"n{number:02}": "ü" * 5_000 for number in range(32)}
    mail = mail_text(message_about(rule=rule_of(labels=own, annotations=own), message="🎉" * 1_000), limit)
    assert len(mail.encode()) <= limit
    if limit == MAX_MAIL_BYTES:
        assert "(more in the archive)" in mail
        assert mail.endswith("by mistake.")


@pytest.mark.parametrize("name", ["A" * 300, "ünïcode", "two\nlines", "\x00", "", "🎉" * 200])
def test_a_subject_is_one_short_line_of_ascii(name: str) -> None:
    messages: tuple[dict[str, Any], ...] = (
        {"labels": {"alertname": name, "cluster": "prod", "priority": name}},
        {"labels": {}},
        {},
    )
    for message in messages:
        subject = mail_subject(message)
        assert re.fullmatch(r"[!-~][ -~]{0,98}", subject)


def test_the_mail_on_the_page_is_one_of_the_sample_log() -> None:
    page = (ROOT / "docs/notifications.md").read_text(encoding="utf-8")
    shown = page.partition("```text\nSubject: ")[2].partition("```")[0].splitlines()
    road = Road()
    assert road.post((ROOT / "events/audit.log").read_bytes()).status == 200
    wire = wire_form(message_of(road.publisher.alerts[0]).body)
    assert wire.subject == shown[0]
    lines = json.loads(wire.message)["email"].splitlines()
    assert [line for line in shown[1:] if line not in {"…", *lines}] == []


def test_our_own_alerts_are_mails_too() -> None:
    annotations = {"message": "Nothing has come from cluster prod since noon.", "user_agent": "https://evil.example"}
    alert = self_alert(
        "auditwire.ClusterSilent", time=None, annotations=annotations, labels={"cluster": "prod"}, bundle=""
    )
    message = json.loads(encode_message(with_runbook(alert, "https://wiki.example/runbooks")))
    mail = mail_text(message)
    assert mail.startswith("WARNING: auditwire.ClusterSilent in cluster prod\n\nNothing has come")
    assert "Runbook: https://wiki.example/runbooks#auditwireclustersilent" in mail
