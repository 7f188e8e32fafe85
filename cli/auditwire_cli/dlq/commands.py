"""The commands of ``auditwire dlq``."""

from auditwire_cli.dlq.list import dlq_list
from auditwire_cli.dlq.redrive import dlq_redrive
from auditwire_cli.groups import group

dlq = group("See which alerts reached no Alertmanager, and send them again.", list=dlq_list, redrive=dlq_redrive)
