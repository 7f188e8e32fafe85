"""The commands of ``auditwire policy``."""

from auditwire_cli.groups import group
from auditwire_cli.policy.check import policy_check
from auditwire_cli.policy.eval import policy_eval
from auditwire_cli.policy.init import policy_init
from auditwire_cli.replay.price import policy_price

policy = group(
    "Write and check audit policies, and try them on requests and recorded events.",
    init=policy_init,
    check=policy_check,
    eval=policy_eval,
    price=policy_price,
)
