"""``auditwire rules price`` and ``policy price``: what recorded events cost, and what need not be recorded."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from auditwire_cli.cluster.name import OnlyCluster
from auditwire_cli.errors import ExitCode
from auditwire_cli.replay.source import Archive, Bundles, Events, EventSource, Folder, Jobs, JudgingRules, MoreFiles
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json, tell, terminal_width
from auditwire_cli.terminal.table import table
from auditwire_cli.times import Since, To

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditwire.analysis.cuts import Cut
    from auditwire.analysis.price import PriceCounting, PriceTally, Sizes
    from auditwire.policy import Policy

Keep = Annotated[float, typer.Option("--keep", min=0, metavar="MONTHS", help="How many months events are kept.")]
Top = Annotated[int, typer.Option(min=1, metavar="N", help="How many rows of each table to show.")]

_LOOKED_AT: Final = 200
"""How many kinds of requests are asked whether they need to be recorded: the largest."""


@dataclass(frozen=True, slots=True)
class CountPrices:
    """Measuring events by a bundle's rules and a policy, which travels to other processes."""

    bundle: bytes
    policy: "Policy | None"

    def begin(self) -> "PriceCounting":
        """The rules made ready."""
        from auditwire.analysis.price import PriceCounting
        from auditwire.rules.bundle import decode_bundle

        return PriceCounting(decode_bundle(self.bundle).rule_set, self.policy)


@on_stack
def rules_price(
    more: MoreFiles = None,
    *,
    rules: JudgingRules = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The audit policy of the sender, to count by its rules.")
    ] = None,
    events: Events = None,
    archive: Archive = False,
    folder: Folder = None,
    since: Since = None,
    to: To = None,
    cluster: OnlyCluster = None,
    months: Keep = 12,
    top: Top = 10,
    jobs: Jobs = None,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Show what recorded events cost, and what need not be recorded.

    Events and bytes are counted by rule of the policy, kind of request, client and detection, with their share of the
    bill at list prices. Then come the cuts that lose no detection: kinds of requests that no alerting rule can match,
    and bodies that none needs, with the saving and as rules of an audit policy. Put these before the others.

    \b
    Exit codes: 0 done, 1 nothing can be read, 2 wrong usage, 3 done, but a part of the archive could not be read.

    \b
    Examples:
      auditwire rules price --archive --since 7d
      auditwire rules price --events audit.log --rules rules --policy audit-policy.yaml --format json
    """
    source = EventSource((*(events or ()), *(more or ())), archive, folder, since, to, cluster)
    _show_price(source, where, rules, policy, months=months, top=top, jobs=jobs, output=output)


@on_stack
def policy_price(
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="The audit policy to try.")],
    more: MoreFiles = None,
    *,
    rules: JudgingRules = None,
    events: Events = None,
    archive: Archive = False,
    folder: Folder = None,
    since: Since = None,
    to: To = None,
    cluster: OnlyCluster = None,
    months: Keep = 12,
    top: Top = 10,
    jobs: Jobs = None,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Show what recorded events would cost under an audit policy.

    What the policy leaves out of recorded events saves money; what was not recorded, no policy can add here. Below the
    totals stands what `auditwire rules price` shows: sizes by rule of the policy, kind of request, client and
    detection, and the cuts that lose no detection. Whether the policy keeps what detections need,
    `auditwire rules reach` says.

    \b
    Exit codes: 0 done, 1 nothing can be read, 2 wrong usage, 3 done, but a part of the archive could not be read.

    \b
    Examples:
      auditwire policy price audit-policy.yaml --archive --since 7d
      auditwire policy price audit-policy.yaml --events audit.log --rules rules --format json
    """
    source = EventSource((*(events or ()), *(more or ())), archive, folder, since, to, cluster)
    _show_price(source, where, rules, policy, months=months, top=top, jobs=jobs, output=output)


def _show_price(
    source: EventSource,
    where: Stack,
    rules: str | None,
    policy: Path | None,
    *,
    months: float,
    top: int,
    jobs: int | None,
    output: Output,
) -> None:
    from auditwire.analysis.cuts import cuts
    from auditwire.rules.bundle import decode_bundle
    from auditwire_cli.rules.reach import read_policy

    bundles = Bundles(where)
    _, bundle = bundles.find(rules) if rules else bundles.default(needs_stack=source.archive, option="--rules")
    tally = source.count(CountPrices(bundle, None if policy is None else read_policy(policy)), where, jobs)
    found = cuts(tally, decode_bundle(bundle).rule_set.alerting, _LOOKED_AT)
    has_policy = policy is not None
    if output is Output.JSON:
        show_json(_as_json(tally, found, months, has_policy=has_policy))
    else:
        show(_as_text(tally, found, months, top, has_policy=has_policy))
    if tally.unreadable:
        for sentence in tally.unreadable_places:
            tell(f"not complete: {sentence}")
        raise typer.Exit(ExitCode.INCOMPLETE)


def _parts(tally: "PriceTally") -> "list[tuple[str, Sizes]]":
    named = [("policy rule", tally.policy_rules), ("request", tally.kinds), ("client", tally.clients),
             ("detection", tally.detections)]  # fmt: skip
    return [(name, sizes) for name, sizes in named if sizes.events.counts]


def _shown(word: str) -> str:
    """A kind of request as people write it; other words as they are."""
    if "\x00" not in word:
        return word
    verb, group, resource, below, level = word.split("\x00")
    what = "/".join(filter(None, (resource, below))) or "a path"
    return f"{verb} {what}{f'.{group}' if group else ''} at {level}"


def _as_json(tally: "PriceTally", found: "list[Cut]", months: float, *, has_policy: bool) -> dict[str, Any]:
    def row(name: str, word: str, size: int, sizes: "Sizes") -> dict[str, Any]:
        number = sizes.events.counts[word]
        dollars = round(tally.dollars(number, size, months), 9)
        return {name: _shown(word), "events": number, "bytes": size, "dollars": dollars}

    return {
        "events": tally.events,
        "bytes": tally.size,
        "requests": round(tally.events / tally.events_a_request),
        "dollars": round(tally.dollars(tally.events, tally.size, months), 9),
        "under_policy": {
            "events": tally.kept_events, "bytes": tally.kept_size,
            "dollars": round(tally.dollars(tally.kept_events, tally.kept_size, months), 9),
        } if has_policy else None,
        "from": tally.first,
        "to": tally.last,
        "by": {
            name: [row(name, word, size, sizes) for word, size in sizes.bytes.most(100)]
            for name, sizes in _parts(tally)
        },
        "cuts": [
            {
                "request": _shown("\x00".join(cut.kind)), "level": str(cut.level), "events": cut.events,
                "bytes": cut.bytes, "dollars": round(tally.dollars(cut.events, cut.bytes, months), 9),
            }
            for cut in found
        ],
        "policy": _policy_rules(found),
        "unreadable": tally.unreadable,
    }  # fmt: skip


def _as_text(tally: "PriceTally", found: "list[Cut]", months: float, top: int, *, has_policy: bool) -> str:
    width = terminal_width()
    dollars = tally.dollars(tally.events, tally.size, months)
    what = f"{counted(tally.events, 'event')}, {tally.size / 1e6:,.1f} MB, {tally.first[:16]} to {tally.last[:16]}"
    batch = f"{tally.events_a_request:,.0f} events a request"
    blocks = [f"{what}\n{_money(dollars)} at list prices, {batch}, kept {months:g} months"]
    if has_policy:
        kept = tally.dollars(tally.kept_events, tally.kept_size, months)
        blocks.append(
            f"under the policy: {counted(tally.kept_events, 'event')} ({_share(tally.kept_events, tally.events)}), "
            f"{tally.kept_size / 1e6:,.1f} MB ({_share(tally.kept_size, tally.size)}), {_money(kept)}, "
            f"{_money(dollars - kept)} less"
        )
    for name, sizes in _parts(tally):
        rows = [
            (_shown(word), f"{sizes.events.counts[word]:,}", f"{size / 1e6:,.2f}", _share(size, tally.size),
             _money(tally.dollars(sizes.events.counts[word], size, months)))
            for word, size in sizes.bytes.most(top)
        ]  # fmt: skip
        heads = (name, "events", "MB", "share", "price")
        blocks.append(table(heads, rows, right=heads[1:], cut=(name,), width=width))
    if not found:
        return "\n\n".join([*blocks, "there is nothing to cut that loses no detection"])
    saved = [
        (_shown("\x00".join(cut.kind)), str(cut.level), f"{cut.events:,}", f"{cut.bytes / 1e6:,.2f}",
         _share(cut.bytes, tally.size), _money(tally.dollars(cut.events, cut.bytes, months)))
        for cut in found[:top]
    ]  # fmt: skip
    columns = ("cut that loses no detection", "to", "events", "MB", "share", "saves")
    blocks.append(table(columns, saved, right=columns[2:], cut=columns[:1], width=width))
    import yaml

    blocks.append(
        f"# rules for the audit policy, before the others\n{yaml.safe_dump(_policy_rules(found[:top]))}".rstrip()
    )
    return "\n\n".join(blocks)


def _policy_rules(found: "Sequence[Cut]") -> list[dict[str, Any]]:
    return [
        {
            "level": str(cut.rule.level), "verbs": list(cut.rule.verbs),
            "resources": [{"group": entry.group, "resources": list(entry.resources)} for entry in cut.rule.resources],
        }
        for cut in found
    ]  # fmt: skip


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _money(dollars: float) -> str:
    return f"${dollars:,.2f}" if dollars >= 0.01 else f"${dollars:.6f}"
