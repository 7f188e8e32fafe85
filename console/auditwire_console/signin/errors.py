"""
SignInError              nobody is signed in, and why: a status and a sentence for whoever tries
├── IssuerError          the issuer cannot be reached, or answers what it must not
├── NotSignedInError     the sign-in did not begin here, was used, took too long, or was refused by the issuer
├── SecretError          the client's secret cannot be read
└── SessionsError        the table of sessions does not answer
"""

from auditwire_console.errors import UnavailableError


class SignInError(Exception):
    """Why nobody is signed in, as a sentence that holds no code, token or cookie."""

    status = 500


class IssuerError(SignInError):
    """The issuer cannot be reached, or what it answers cannot be trusted."""

    status = 502


class NotSignedInError(SignInError):
    """What a browser brings back does not belong to a sign-in that it began."""

    status = 403


class SecretError(SignInError):
    """The client's secret cannot be read now."""

    status = 503


class SessionsError(SignInError, UnavailableError):
    """Sessions can be neither read nor written now."""

    status = 503
