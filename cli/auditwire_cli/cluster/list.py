"""``auditwire cluster list``: who may send, until when, and when they last did."""

import json
from typing import Annotated

import typer

from auditwire_cli.cluster.secret import say
from auditwire_cli.cluster.table import as_json, as_table, now_in_seconds, open_clusters
from auditwire_cli.output import Output
from auditwire_cli.stack import (
    DEFAULT_STACK,
    EndpointUrl,
    Profile,
    Region,
    Stack,
    StackName,
    StateFile,
    in_one_sentence,
)


def cluster_list(
    *,
    output: Annotated[Output, typer.Option("--format", help="For people, or JSON for scripts.")] = Output.TEXT,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """List the clusters, a line for each credential.

    Credentials are named by the start of their SHA-256. Last use is written about once a minute by each environment
    of the ingest function, so it may be a minute old, and events are at least what was sent. The version is what the
    sender's own events prove; else its user agent is shown.

    \b
    Exit codes: 0 listed, 1 the table could not be read, 2 the call was wrong.

    \b
    Examples:
      auditwire cluster list --profile prod
      auditwire cluster list --state .auditwire/dev.json --format json
    """
    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where):
        listing = open_clusters(where).table.list()
    now = now_in_seconds()
    if output is Output.JSON:
        print(json.dumps([as_json(one, now) for one in listing.registrations], ensure_ascii=False))
    else:
        print(as_table(listing.registrations, now) if listing.registrations else "no cluster may send")
    for key, reason in listing.broken.items():
        say(f"auditwire: the row {key[:13]}… is of no use, and whoever presents it is answered 503: {reason}")
