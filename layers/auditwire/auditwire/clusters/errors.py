"""The errors of identifying a sender.

ClustersError                 a sender could not be identified, through no fault of its own: answered 5xx
├── DirectoryError            the clusters table could not be read, or has a row that cannot be used
└── InvalidClusterNameError   a name that may not be part of an archive key
"""


class ClustersError(Exception):
    """A sender could not be identified, which says nothing about its credential. Never answered 401."""


class DirectoryError(ClustersError):
    """The clusters table could not be read, or has a row that cannot be used. The message names no credential."""


class InvalidClusterNameError(ClustersError, ValueError):
    """A cluster name outside ``[a-z0-9-]{1,63}``."""
