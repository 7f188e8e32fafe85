"""Every entrance of the library for what others wrote."""

from fuzz.target import Target
from fuzz.targets.bodies import DECODE, INFLATE, LINE, TIMESTAMP, URI
from fuzz.targets.compiled import BUNDLE, STATE
from fuzz.targets.console import CONSOLE, KUBESPHERE_API
from fuzz.targets.cost import COST
from fuzz.targets.documents import CONDITION, EVALUATE, POLICY, RULES
from fuzz.targets.export import RECORD
from fuzz.targets.kept import ITEM, OUTBOX, RETRY, SEARCH
from fuzz.targets.messages import RELAY
from fuzz.targets.requests import CREDENTIALS, REQUEST
from fuzz.targets.secrets import REDACTION
from fuzz.targets.signin import CALLBACK, ID_TOKEN, ISSUER
from fuzz.targets.wrapping import WRAPPING

TARGETS: tuple[Target, ...] = (
    DECODE,
    INFLATE,
    LINE,
    WRAPPING,
    REDACTION,
    URI,
    TIMESTAMP,
    CONDITION,
    EVALUATE,
    RULES,
    POLICY,
    BUNDLE,
    STATE,
    CREDENTIALS,
    REQUEST,
    RELAY,
    ITEM,
    SEARCH,
    RECORD,
    OUTBOX,
    RETRY,
    COST,
    CONSOLE,
    KUBESPHERE_API,
    CALLBACK,
    ID_TOKEN,
    ISSUER,
)
