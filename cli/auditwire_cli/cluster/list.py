"""``auditwire cluster list``: who may send, until when, and when they last did."""

from auditwire_cli.cluster.clusters import as_table, open_clusters
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import Format, Output, show, show_json, tell
from auditwire_cli.times import now_in_seconds


@on_stack
def cluster_list(*, output: Format = Output.TEXT, where: Stack) -> None:
    """List the clusters, with one line for each credential.

    A credential is named by the first digits of its SHA-256. Each environment of the ingest function writes the last
    use about once a minute, so it may be a minute old; EVENTS may lack up to a fifth of what came. VERSION is what
    the sender's own events prove, or else its user agent.

    \b
    Exit codes: 0 listed, 1 the table cannot be read, 2 wrong usage.

    \b
    Examples:
      auditwire cluster list --profile prod
      auditwire cluster list --state .auditwire/dev.json --format json
    """
    from auditwire.clusters.listed import as_json

    listing = open_clusters(where).table.list()
    now = now_in_seconds()
    if output is Output.JSON:
        show_json([as_json(one, now) for one in listing.registrations])
    else:
        show(as_table(listing.registrations, now) if listing.registrations else "no cluster may send")
    for key, reason in listing.broken.items():
        tell(f"auditwire: the row {key[:13]}… cannot be used, and its sender is answered 503: {reason}")
