"""What can go wrong while a sender is identified.

ClustersError                 a sender could not be identified for reasons that are not its own: answered 5xx
├── DirectoryError            the clusters table could not be read, or what it says cannot be used
└── InvalidClusterNameError   a name that may not stand in an archive key
"""


class ClustersError(Exception):
    """A sender could not be identified, and that says nothing about its credential: never a 401."""


class DirectoryError(ClustersError):
    """The clusters table could not be read, or holds a row that cannot be used. Names no credential."""


class InvalidClusterNameError(ClustersError, ValueError):
    """A cluster name outside ``[a-z0-9-]{1,63}``."""
