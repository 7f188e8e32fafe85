"""Redacting bearer tokens in request URIs, before anything is stored."""

import re
from urllib.parse import unquote_plus

MARK = "[REDACTED]"

# Names of parameters that carry a token or a password, in lower case, without dashes, dots and underscores.
# ``continue`` is not one of them: it is a position in a list.
_TOKEN_NAMES = frozenset(
    [
        "accesstoken",
        "authorization",
        "authtoken",
        "clientsecret",
        "passwd",
        "password",
        "bearer",
        "bearertoken",
        "idtoken",
        "jwt",
        "refreshtoken",
        "sessiontoken",
        "token",
        "xamzsecuritytoken",
    ]
)
# Percent signs that could hide a name or a separator. Label selectors are full of harmless ones.
_ENCODED = re.compile("%(?:[4-7]|3f|26|3b|23)")
_PARAMETER = re.compile(r"(?<=[?&;#])([^=&;?#/]{1,200})=")
_PARAMETER_END = re.compile(r"[&;#]|\Z")
# The same inside a value that is itself a URI, as requests to proxied services may have.
_NESTED = re.compile(r"(?<=%3f|%26|%3b|%23)([^=&;?#/%]{1,200})(?:=|%3d)", re.IGNORECASE)
_NESTED_END = re.compile(r"%26|%3b|%23|[&;#]|\Z", re.IGNORECASE)
_BEARER = re.compile(
    # The WebSocket subprotocol of kube-apiserver: base64url.bearer.authorization.k8s.io.<token>
    r"(?P<protocol>base64url\.bearer\.authorization\.k8s\.io\.)[^&;,/?#\s]+"
    r"|(?P<scheme>\bbearer(?:%20|%09|\+|\s)+)[^&;,/?#\s]+"
    # A JSON Web Token, wherever it stands.
    r"|(?:(?<![\w-])|(?<=%[0-9a-f]{2}))eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*",
    re.IGNORECASE,
)


# Segments of OpenShift's paths that are a secret themselves: of a webhook, and the name of a token that is no digest.
_SEGMENT = re.compile(
    # The API server splits the path when it is decoded.
    r"(?P<hook>(?:/|%2f)buildconfigs(?:/|%2f)(?:(?!%2f)[^/?])*(?:/|%2f)webhooks(?:/|%2f))(?:(?!%2f)[^/?])+"
    r"|(?P<token>(?:/|%2f)oauth(?:access|authorize)tokens(?:/|%2f|\?(?:[^#]*&)?fieldselector=metadata\.name(?:=|%3d){1,2}))"
    r"(?!sha256(?:~|%7e))(?:(?!%2f)[^/?&])+",
    re.IGNORECASE,
)


def redact_uri(uri: str) -> str:
    """The URI with the values of its token parameters, bearer schemes, JSON Web Tokens, and segments that are a secret
    in OpenShift replaced by ``[REDACTED]``.

    Everything else stays as it is. Without a token the same text is returned.
    """
    lower = uri.lower()
    if "webhooks" in lower or "tokens" in lower:
        uri = _SEGMENT.sub(lambda found: (found["hook"] or found["token"]) + MARK, uri)
    if not _may_hold_token(lower):
        return uri
    uri = _without_tokens(uri, _PARAMETER, _PARAMETER_END)
    uri = _without_tokens(uri, _NESTED, _NESTED_END)
    return _BEARER.sub(lambda found: (found["protocol"] or found["scheme"] or "") + MARK, uri)


def _may_hold_token(lower: str) -> bool:
    # Written out, because nearly every stored event passes here and a single regular expression takes ten times as
    # long.
    if "token" in lower or "bearer" in lower or "authorization=" in lower or "eyj" in lower or "jwt" in lower:
        return True
    if "passw" in lower or "secret=" in lower:
        return True
    return "%" in lower and _ENCODED.search(lower) is not None


def _names_token(name: str) -> bool:
    plain = unquote_plus(name).lower()
    return plain.replace("_", "").replace("-", "").replace(".", "").strip() in _TOKEN_NAMES


def _without_tokens(uri: str, parameter: re.Pattern[str], end: re.Pattern[str]) -> str:
    parts: list[str] = []
    kept = 0
    for found in parameter.finditer(uri):
        if found.start() < kept or not _names_token(found[1]):
            continue
        value_end = end.search(uri, found.end())
        if value_end is not None and value_end.start() > found.end():
            parts += (uri[kept : found.end()], MARK)
            kept = value_end.start()
    return "".join((*parts, uri[kept:]))
