"""Where objects keep secrets: for each kind and resource a tree of keys, with a mask at its ends.

Keys are in lower case, because Go reads keys in any case. Arrays have no level of their own: what holds for a place
holds for each element of an array there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

MAX_PATH_LENGTH: Final = 12
"""How many keys the path of a secret may have."""

ANY: Final = "*"
"""In a path, any key; as a resource, any resource."""


class Mask(Enum):
    """What is hidden at a place."""

    WHOLE = auto()
    """The value, whatever it is."""
    EACH = auto()
    """Every value of an object, or what stands there instead of one."""
    TOKEN = auto()
    """The value, unless it is empty."""
    NAME = auto()
    """A name that is a token itself: one that is not a digest."""
    URI = auto()
    """What is secret in a URI."""
    APPLIED = auto()
    """The secrets of the object of which this is the text."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in an object: the places below it, or a mask. ``is_patch``: operations of a patch on the object that
    ``keys`` describe."""

    keys: Mapping[str, "Place"] = field(default_factory=dict)
    mask: Mask | None = None
    is_patch: bool = False

    def below(self, key: str) -> "Place | None":
        """The place under a key, given in lower case."""
        return self.keys.get(key) or self.keys.get(ANY)

    def with_path(self, path: Iterable[str], mask: Mask) -> "Place":
        """The place with one more mask below it."""
        first, *rest = path
        known = self.keys.get(first, Place())
        below = known.with_path(rest, mask) if rest else replace(known, mask=mask)
        return replace(self, keys={**self.keys, first: below})


@dataclass(frozen=True, slots=True)
class Redaction:
    """A secret of which a site knows: its path in objects, and the resources that have it, as ``RESOURCE[.GROUP]`` or
    ``RESOURCE[.GROUP]/SUBRESOURCE`` or ``*``."""

    path: tuple[str, ...]
    resources: tuple[str, ...]

    def is_about(self, resource: str, group: str, subresource: str) -> bool:
        """Whether it is about these objects; names in lower case. Without a group or subresource any will do."""
        for wanted in self.resources:
            head, _, below = wanted.lower().partition("/")
            name, _, of_group = head.partition(".")
            if name in (ANY, resource) and of_group in ("", group) and below in ("", subresource):
                return True
        return False


def _tree(**paths: Mask) -> Place:
    """The places of an object by their paths, with ``__`` between keys, and ``_`` for a dash."""
    place = Place()
    for path, mask in paths.items():
        place = place.with_path((key.replace("_", "-") for key in path.split("__")), mask)
    return place


def with_applied(place: Place) -> Place:
    """The places of an object, and those in the text of it that ``kubectl apply`` leaves in its annotations."""
    return place.with_path(("metadata", "annotations", LAST_APPLIED), Mask.APPLIED)


_SECRET: Final = _tree(data=Mask.EACH, stringdata=Mask.EACH).with_path(
    ("metadata", "annotations", LAST_APPLIED), Mask.WHOLE
)
_TOKENS: Final = _tree(spec__token=Mask.TOKEN, status__token=Mask.TOKEN)
_USER: Final = with_applied(
    _tree(spec__password=Mask.WHOLE, password=Mask.WHOLE, currentpassword=Mask.WHOLE, newpassword=Mask.WHOLE)
)
_KUBECONFIG: Final = _tree(
    users__user__token=Mask.WHOLE,
    users__user__password=Mask.WHOLE,
    users__user__client_key_data=Mask.WHOLE,
    users__user__auth_provider__config=Mask.EACH,
    users__user__exec__env__value=Mask.WHOLE,
)
_FEDERATED: Final = with_applied(
    Place({
        "spec": Place({
            "template": _SECRET,
            "overrides": Place({"clusteroverrides": Place(_SECRET.keys, is_patch=True)}),
        })
    })
)  # fmt: skip
_OAUTH_TOKEN: Final = with_applied(
    _tree(
        metadata__name=Mask.NAME,
        metadata__selflink=Mask.URI,
        authorizetoken=Mask.TOKEN,
        refreshtoken=Mask.TOKEN,
        # Of the Status that comes instead of one.
        message=Mask.WHOLE,
        details__name=Mask.NAME,
    )
)
_OAUTH_CLIENT: Final = with_applied(_tree(secret=Mask.TOKEN, additionalsecrets=Mask.WHOLE))
# A member cluster of KubeSphere, with the kubeconfig by which it is managed and the token of its agent.
_CLUSTER: Final = with_applied(_tree(spec__connection__kubeconfig=Mask.TOKEN, spec__connection__token=Mask.TOKEN))
# What somebody logs in with, and what comes back. KubeSphere tries credentials of registries in the same way.
_LOGIN_KEYS: Final = ("password", "client_secret", "access_token", "refresh_token", "id_token")
_LOGIN: Final = Place({key: Place(mask=Mask.TOKEN) for key in _LOGIN_KEYS})
_HOOKS: Final = ("github", "gitlab", "bitbucket", "generic")
_BUILD: Final = with_applied(_tree(**{f"spec__triggers__{hook}__secret": Mask.TOKEN for hook in _HOOKS}))

KINDS: Final[Mapping[str, Place]] = {
    "Secret": _SECRET,
    "TokenRequest": _TOKENS,
    "TokenReview": _TOKENS,
    "User": _USER,
    "Config": _KUBECONFIG,
    "FederatedSecret": _FEDERATED,
    "OAuthAccessToken": _OAUTH_TOKEN,
    "OAuthAuthorizeToken": _OAUTH_TOKEN,
    "OAuthClient": _OAUTH_CLIENT,
    "BuildConfig": _BUILD,
    "Cluster": _CLUSTER,
}
"""By the kind of an object, wherever it stands."""

RESOURCES: Final[Mapping[tuple[str, str], Place]] = {
    ("secrets", ""): _SECRET,
    ("credentials", ""): _SECRET,  # what KubeSphere DevOps calls its Secrets
    ("tokenreviews", ""): _TOKENS,
    ("serviceaccounts", "token"): _TOKENS,
    ("users", ""): _USER,
    ("users", "kubeconfig"): _KUBECONFIG,
    ("federatedsecrets", ""): _FEDERATED,
    ("oauthaccesstokens", ""): _OAUTH_TOKEN,
    ("oauthauthorizetokens", ""): _OAUTH_TOKEN,
    ("oauthclients", ""): _OAUTH_CLIENT,
    ("buildconfigs", ""): _BUILD,
    ("clusters", ""): _CLUSTER,
    ("login", ""): _LOGIN,
    ("token", ""): _LOGIN,
    ("registry", "verify"): _LOGIN,
}
"""By resource and subresource; an empty subresource stands for all that are not named themselves."""

OF_NO_RESOURCE: Final = _LOGIN
"""Of requests that are about no resource, as those to KubeSphere's /oauth/token are."""

NAMED_BY_TOKEN: Final = ("oauthaccesstokens", "oauthauthorizetokens")
"""Resources whose objects have a token for a name."""

DIGEST: Final = "sha256~"
"""How such a name begins where it is the digest of the token instead, as from OpenShift 4.6 on."""


def is_token_name(name: str) -> bool:
    """Whether the name of an object of NAMED_BY_TOKEN is the token itself."""
    return bool(name) and not name.startswith((DIGEST, "["))
