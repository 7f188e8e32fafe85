"""``auditwire public-key``: the key that proves seals."""

from auditwire_cli.errors import CommandError
from auditwire_cli.evidence.pem import key_in_kms
from auditwire_cli.stack import Stack, on_stack


@on_stack
def public_key(*, where: Stack) -> None:
    """Print the public key that seals are signed with.

    It is in PEM. Keep it apart from the archive.

    \b
    Exit codes: 0 printed, 1 it cannot be read, 2 wrong usage.

    \b
    Examples:
      auditwire public-key --profile prod > seal.pem
      auditwire public-key --state .auditwire/dev.json > seal.pem
    """
    found = where.find()
    arn = found.outputs.get("SealKeyArn")
    if arn is None:
        raise CommandError(f"the stack {found.name} makes no seals", "its parameter SealKeyArn is none")
    print(key_in_kms(found.client("kms"), arn).as_pem(), end="")
