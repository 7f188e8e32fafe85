"""Signing in at an issuer of OpenID Connect: authorization code flow with PKCE, and sessions."""

from auditwire_console.signin.errors import IssuerError, NotSignedInError, SecretError, SessionsError, SignInError
from auditwire_console.signin.fetching import Answer, Fetch, fetch
from auditwire_console.signin.routes import SignIn
from auditwire_console.signin.sessions import DynamoSessions, MemorySessions, Session, Sessions, Transaction
from auditwire_console.signin.settings import Settings

__all__ = [
    "Answer",
    "DynamoSessions",
    "Fetch",
    "IssuerError",
    "MemorySessions",
    "NotSignedInError",
    "SecretError",
    "Session",
    "Sessions",
    "SessionsError",
    "Settings",
    "SignIn",
    "SignInError",
    "Transaction",
    "fetch",
]
