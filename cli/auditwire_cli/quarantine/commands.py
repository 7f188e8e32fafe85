"""The commands of ``auditwire quarantine``."""

from auditwire_cli.groups import group
from auditwire_cli.quarantine.list import quarantine_list
from auditwire_cli.quarantine.retry import quarantine_retry
from auditwire_cli.quarantine.show import quarantine_show

quarantine = group(
    "See what could not be read, and retry it.", list=quarantine_list, show=quarantine_show, retry=quarantine_retry
)
