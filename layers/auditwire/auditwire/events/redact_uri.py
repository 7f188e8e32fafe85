"""Bearer tokens in request URIs, replaced before anything is stored."""

import re
from urllib.parse import unquote_plus

MARK = "[REDACTED]"

# Names of parameters that carry a token, without case, dashes, dots and underscores. ``continue`` is none: it is the
# place in a list.
_TOKEN_NAMES = frozenset(
    [
        "accesstoken",
        "authorization",
        "authtoken",
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
# Percent signs that could hide a name or a separator; label selectors are full of harmless ones.
_ENCODED = re.compile("%(?:[4-7]|3f|26|3b|23)")
_PARAMETER = re.compile(r"(?<=[?&;#])([^=&;?#/]{1,200})=([^&;#]+)")
# The same inside a value that is a URI itself, as the API server's proxy is asked with.
_NESTED = re.compile(r"(?<=%3f|%26|%3b|%23)([^=&;?#/%]{1,200})(=|%3d)((?:(?!%26|%3b|%23)[^&;#])+)", re.IGNORECASE)
_BEARER = re.compile(
    # The WebSocket subprotocol of kube-apiserver: base64url.bearer.authorization.k8s.io.<token>
    r"(?P<protocol>base64url\.bearer\.authorization\.k8s\.io\.)[^&;,/?#\s]+"
    r"|(?P<scheme>\bbearer(?:%20|%09|\+|\s)+)[^&;,/?#\s]+"
    # A JSON Web Token, wherever it stands.
    r"|eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*",
    re.IGNORECASE,
)


def redact_uri(uri: str) -> str:
    """The URI with the values of its token parameters, bearer schemes and JSON Web Tokens replaced by ``[REDACTED]``.

    Everything else stays as it is; without a token the very same text comes back.
    """
    if not _may_hold_token(uri.lower()):
        return uri
    uri = _PARAMETER.sub(_without_token, uri)
    uri = _NESTED.sub(_without_nested_token, uri)
    return _BEARER.sub(lambda found: (found["protocol"] or found["scheme"] or "") + MARK, uri)


def _may_hold_token(lower: str) -> bool:
    # Written out: nearly every stored event passes here, and one regular expression for it all takes ten times as long.
    if "token" in lower or "bearer" in lower or "authorization=" in lower or "eyj" in lower or "jwt" in lower:
        return True
    return "%" in lower and _ENCODED.search(lower) is not None


def _names_token(name: str) -> bool:
    plain = unquote_plus(name).lower()
    return plain.replace("_", "").replace("-", "").replace(".", "").strip() in _TOKEN_NAMES


def _without_token(found: re.Match[str]) -> str:
    return f"{found[1]}={MARK}" if _names_token(found[1]) else found[0]


def _without_nested_token(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}{MARK}" if _names_token(found[1]) else found[0]
