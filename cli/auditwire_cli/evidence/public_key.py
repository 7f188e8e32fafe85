"""``auditwire public-key``: the key that proves seals."""

from auditwire_cli.errors import CommandError
from auditwire_cli.evidence.pem import key_in_kms
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


def public_key(
    *,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Print the public key that seals are signed with, in PEM. Keep it apart from the archive.

    \b
    Exit codes: 0 printed, 1 it cannot be had, 2 the call was wrong.

    \b
    Examples:
      auditwire public-key --profile prod > seal.pem
      auditwire public-key --state .auditwire/dev.json > seal.pem
    """
    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where):
        found = where.find()
        arn = found.outputs.get("SealKeyArn")
        if arn is None:
            raise CommandError(f"the stack {found.name} makes no seals", "its parameter SealKeyArn is none")
        print(key_in_kms(found.client("kms"), arn).as_pem(), end="")
