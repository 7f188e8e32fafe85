"""A console as it is deployed, but for Lambda and the network: issuer, sessions, table of viewers, guard."""

from collections.abc import Mapping
from typing import Any

import boto3

from auditwire.evidence.store import MemoryStore
from auditwire.search import Engine
from auditwire.search.scan import Scan
from auditwire_console import ON_LAMBDA, ByTokenOrSession, Grant, Limits, Source, make_app
from auditwire_console.granted import Granted, key_of_token
from auditwire_console.guard import Site
from auditwire_console.rights import Rights
from auditwire_console.viewers_table import ViewersTable
from console_client import NOW
from oidc_issuer import OidcIssuer
from signing_in import ORIGIN, Browser, Desk


class SignedConsole:
    """Over an archive, for whoever signs in with these claims. DynamoDB is moto's, which must be there."""

    def __init__(
        self,
        store: MemoryStore,
        claims: Mapping[str, Any] | None = None,
        *,
        desk: Desk | None = None,
        host: str = ORIGIN.removeprefix("https://"),
        engine: Engine | None = None,
        limits: Limits = ON_LAMBDA,
        **source: Any,
    ) -> None:
        self.desk = desk or Desk(OidcIssuer(claims=dict(claims or {"sub": "jane-1"})))
        self.log: list[Mapping[str, Any]] = []
        client = boto3.client("dynamodb", "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.create_table(
            TableName="viewers",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.viewers = ViewersTable(client, "viewers")
        shown = Source("memory", engine or Scan(store), store, source.pop("keys", {}), lambda: NOW, **source)
        self.desk.app = make_app(
            shown,
            ByTokenOrSession(Rights(client, "viewers"), self.desk.sign_in),
            Site(lambda scope: [host], is_public=True),
            sign_in=self.desk.sign_in.routes(),
            limits=limits,
            log=self.log.append,
        )

    def grant(self, key: str, grant: Grant) -> None:
        """Grants to whoever has a key, such as ``subject#jane-1``, in place of what was granted before."""
        self.viewers.put(Granted(key, key.partition("#")[2], grant))

    def grant_token(self, token: str, grant: Grant) -> None:
        """Grants to whoever has a token."""
        self.viewers.put(Granted(key_of_token(token), "client", grant))

    def signed_in(self) -> Browser:
        """A browser in which somebody has signed in."""
        browser = Browser(self.desk)
        assert browser.sign_in().status_code == 200
        return browser
