"""The commands of ``auditwire viewer``."""

from auditwire_cli.groups import group
from auditwire_cli.viewer.add import viewer_add
from auditwire_cli.viewer.list import viewer_list
from auditwire_cli.viewer.remove import viewer_remove

viewer = group(
    "Manage who may see what in the console of a stack.", add=viewer_add, list=viewer_list, remove=viewer_remove
)
