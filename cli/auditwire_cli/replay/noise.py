"""``auditwire rules noise``: which rules alert most, on whose requests, and what would silence them."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from auditwire_cli.cluster.name import OnlyCluster
from auditwire_cli.errors import CommandError, ExitCode
from auditwire_cli.replay.source import Archive, Bundles, Events, EventSource, Folder, Jobs, JudgingRules, MoreFiles
from auditwire_cli.rules.eval import OfSender
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json, tell, terminal_width
from auditwire_cli.terminal.table import table
from auditwire_cli.times import Since, To

if TYPE_CHECKING:
    from auditwire.analysis.noise import NoiseCounting, NoiseTally
    from auditwire.analysis.silencing import Silencing
    from auditwire.senders.kind import SenderKind

_EXPIRES: Final = timedelta(days=90)
_SLUG: Final = re.compile(r"[^a-z0-9]+")
_TIMES: Final = 48


class Period(StrEnum):
    """The length of time in which alerts are added up."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class CountNoise:
    """Counting the alerts of a bundle's rules, which travels to other processes."""

    bundle: bytes
    sender: "SenderKind | None" = None

    def begin(self) -> "NoiseCounting":
        """The rules made ready."""
        from auditwire.analysis.noise import NoiseCounting
        from auditwire.rules.bundle import decode_bundle

        return NoiseCounting(decode_bundle(self.bundle).rule_set, sender=self.sender)


@on_stack
def rules_noise(
    more: MoreFiles = None,
    *,
    rules: JudgingRules = None,
    events: Events = None,
    archive: Archive = False,
    folder: Folder = None,
    since: Since = None,
    to: To = None,
    cluster: OnlyCluster = None,
    sender: OfSender = None,
    by: Annotated[Period, typer.Option(help="Add up alerts by hour or by day.")] = Period.HOUR,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="How many groups and exceptions to show.")] = 10,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Also write the exceptions as documents there.")
    ] = None,
    jobs: Jobs = None,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Show which rules alert most, and what would silence them.

    Alerts are counted by rule, by who did what where, and over time. Then come the exceptions that would silence most
    with least lost: each rests on the user and on as much else as is needed to keep rare alerts, those of requests that
    alerted fewer than 5 times. Each is a ready document, with what it would have silenced.

    \b
    Exit codes: 0 done, 1 nothing can be read, 2 wrong usage, 3 done, but a part of the archive could not be read.

    \b
    Examples:
      auditwire rules noise --archive --since 7d --by day
      auditwire rules noise --events audit.log --rules rules --out exceptions
    """
    from auditwire.analysis.silencing import silencings
    from auditwire.senders.kind import SenderKind

    source = EventSource((*(events or ()), *(more or ())), archive, folder, since, to, cluster)
    bundles = Bundles(where)
    side, bundle = bundles.find(rules) if rules else bundles.default(needs_stack=archive, option="--rules")
    tally = source.count(CountNoise(bundle, None if sender is None else SenderKind(sender)), where, jobs)
    found = silencings(tally, top)
    expires = (datetime.now(UTC) + _EXPIRES).date().isoformat()
    if output is Output.JSON:
        show_json(_as_json(tally, found, by, expires))
    else:
        show(_as_text(tally, found, by, top, side.name, expires))
    if out is not None and found:
        _write(out, found, expires)
    if tally.unreadable:
        for sentence in tally.unreadable_places:
            tell(f"not complete: {sentence}")
        raise typer.Exit(ExitCode.INCOMPLETE)


def _loudest(tally: "NoiseTally") -> list[str]:
    return sorted(tally.rules, key=lambda name: (-tally.rules[name].alerts, name))


def _times(hours: "Counter[str]", by: Period) -> list[tuple[str, int]]:
    """The alerts of each hour or day in which there were any."""
    found: Counter[str] = Counter()
    for hour, alerts in hours.items():
        found[f"{hour}:00Z" if by is Period.HOUR else hour[:10]] += alerts
    return sorted(found.items())


def _as_json(tally: "NoiseTally", found: "list[Silencing]", by: Period, expires: str) -> dict[str, Any]:
    return {
        "events": tally.events,
        "alerts": tally.alerts,
        "from": tally.first,
        "to": tally.last,
        "rules": [
            {
                "rule": name,
                "alerts": tally.rules[name].alerts,
                "groups": [{**group._asdict(), "alerts": alerts} for group, alerts in tally.rules[name].most(100)],
                "times": [
                    {"time": time, "alerts": alerts} for time, alerts in _times(tally.rules[name].hours.counts, by)
                ],
            }
            for name in _loudest(tally)
        ],
        "exceptions": [
            {
                "rule": one.rule, "condition": one.condition, "silenced": one.silenced, "of": one.alerts,
                "rare": one.rare, "document": _document(one, expires),
            }
            for one in found
        ],
        "unreadable": tally.unreadable,
    }  # fmt: skip


def _as_text(tally: "NoiseTally", found: "list[Silencing]", by: Period, top: int, rules: str, expires: str) -> str:
    names = _loudest(tally)
    width = terminal_width()
    title = f"{counted(tally.alerts, 'alert')} of {counted(len(names), 'rule')} in {counted(tally.events, 'event')}"
    blocks = [f"{title}, {tally.first[:16]} to {tally.last[:16]}, {rules}"]
    if not names:
        return blocks[0]
    rows = [(name, f"{tally.rules[name].alerts:,}", _share(tally.rules[name].alerts, tally.alerts)) for name in names]
    blocks.append(table(("rule", "alerts", "share"), rows, right=("alerts", "share"), cut=("rule",), width=width))
    groups = sorted(
        ((name, group, alerts) for name in names for group, alerts in tally.rules[name].most(top)),
        key=lambda row: (-row[2], row[0], row[1]),
    )[:top]
    cells = [
        (name, group.user, group.verb, "/".join(filter(None, (group.resource, group.subresource))), group.namespace,
         f"{alerts:,}")
        for name, group, alerts in groups
    ]  # fmt: skip
    heads = ("rule", "user", "verb", "resource", "namespace", "alerts")
    blocks.append(table(heads, cells, right=("alerts",), cut=("rule", "user", "namespace"), width=width))
    hours: Counter[str] = Counter()
    for name in names:
        hours.update(tally.rules[name].hours.counts)
    times = _times(hours, by)
    shown = [(time, f"{alerts:,}") for time, alerts in times[-_TIMES:]]
    blocks.append(table((by.value, "alerts"), shown, right=("alerts",)))
    if not found:
        blocks.append("no exception would silence 10 alerts or more")
    for one in found:
        lost = f", {one.rare:,} of them rare" if one.rare else ", none of them rare"
        blocks.append(f"# silences {one.reason}{lost}\n{_document(one, expires)}".rstrip())
    return "\n\n".join(blocks)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _name(one: "Silencing") -> str:
    return _SLUG.sub("-", f"{one.rule} {one.user}".lower()).strip("-")[:60].strip("-")


def _document(one: "Silencing", expires: str) -> str:
    """The exception as a document. Its owner is for a person to fill in."""
    import yaml

    document = {
        "apiVersion": "auditwire.io/v1alpha1",
        "kind": "Exception",
        "metadata": {"name": _name(one)},
        "spec": {
            "rule": one.rule,
            "condition": one.condition,
            "owner": "whoever answers for it",
            "reason": f"{one.reason} are of this kind; say why they are expected",
            "expires": expires,
        },
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000)


def _write(folder: Path, found: "list[Silencing]", expires: str) -> None:
    """Writes each exception as a document of its own. An existing file is never touched."""
    names: Counter[str] = Counter()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in found:
            name = _name(one)
            names[name] += 1
            number = f"-{names[name]}" if names[name] > 1 else ""
            with (folder / f"{name}{number}.yaml").open("x", encoding="utf-8") as file:
                file.write(_document(one, expires))
    except FileExistsError as error:
        raise CommandError(f"{error.filename} exists", "give another --out") from None
    except OSError as error:
        raise CommandError(f"cannot write to {folder}: {error.strerror}") from None
    tell(f"{counted(len(found), 'exception')} in {folder}: say in each who answers for it, and why")
