from dataclasses import replace

from rich.console import Console

from auditwire_cli.dev.summary import alert_lines, headline, live_view, report
from auditwire_local import ArchivePlace, Status

ALERT = {
    "labels": {"alertname": "NodePort", "cluster": "demo", "priority": "WARNING"},
    "annotations": {"message": "mira opened a port.", "count": "3"},
    "generatorURL": "https://example.com/x",
    "auditwire": {"rule": "own.NodePort", "count": 3},
}
STATUS = Status(
    archive=ArchivePlace("s3://bucket-1", "aws s3 ls s3://bucket-1/"),
    requests=4,
    received=1234,
    ignored={"no_rule": 1000, "level_none": 30},
    archived=201,
    alerted=3,
    alerts={"own.NodePort": 3},
    quarantined={"invalid_json": 3},
    delivered=1,
    undelivered=2,
    peers={"http://127.0.0.1:9093": "ok", "http://127.0.0.1:9094": "connection refused"},
    latest_alerts=(ALERT,),
)


def drawn(status: Status, *, height: int) -> str:
    console = Console(width=100, height=height)
    with console.capture() as capture:
        console.print(live_view(status, "title", width=100, height=height))
    return capture.get()


def test_the_report_counts_everything_with_its_parts() -> None:
    lines = report(STATUS).splitlines()
    trouble = "; 2 attempts failed and will be repeated; http://127.0.0.1:9094: connection refused"

    assert lines[1:8] == [
        "received       1,234  events in 4 requests",
        "ignored        1,030  no_rule 1,000, level_none 30",
        "archived         201",
        "alerted            3  own.NodePort 3",
        "quarantined        3  invalid_json 3",
        f"alerts             1  delivered to Alertmanager{trouble}",
        "archive      s3://bucket-1 (in the AWS of this process, so it is gone)",
    ]


def test_what_was_not_stored_is_told_where_there_is_some() -> None:
    lines = report(replace(STATUS, not_stored=400)).splitlines()

    assert "not stored       400  answered with 503: lost, unless the sender repeats them" in lines
    assert "not stored" not in report(STATUS)


def test_an_alert_is_shown_in_full() -> None:
    assert list(alert_lines(ALERT)) == [
        "WARNING own.NodePort (3 events)",
        "  mira opened a port.",
        "  label      alertname  NodePort",
        "  label      cluster    demo",
        "  label      priority   WARNING",
        "  annotation count    3",
        "  annotation message  mira opened a port.",
        "  evidence   https://example.com/x",
    ]


def test_an_alert_in_one_line() -> None:
    assert headline(ALERT) == "demo: WARNING own.NodePort: mira opened a port."


def test_text_of_strangers_cannot_steer_the_terminal() -> None:
    hostile = {"labels": {"user": "\x1b[2J"}, "annotations": {"message": "a\nb"}, "auditwire": {}}

    assert "\x1b" not in "".join(alert_lines(hostile)) + headline(hostile)
    assert r"a\nb" in headline(hostile)


def test_the_live_view_draws_markup_of_strangers_as_text() -> None:
    alert = {**ALERT, "annotations": {"message": "[bold]x[/bold]"}}
    status = Status(archive=STATUS.archive, latest_alerts=(alert,))
    assert "[bold]x[/bold]" in drawn(status, height=40)


def test_the_live_view_shows_the_newest_alert_in_full_and_older_ones_as_they_fit() -> None:
    newer, older = {**ALERT, "auditwire": {"rule": "own.Newer"}}, {**ALERT, "auditwire": {"rule": "own.Older"}}
    status = Status(archive=STATUS.archive, latest_alerts=(older, newer))
    small, large = drawn(status, height=10), drawn(status, height=60)

    assert "own.Newer" in small
    assert "own.Older" not in small
    assert large.index("own.Newer") < large.index("own.Older")
