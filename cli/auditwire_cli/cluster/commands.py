"""The commands of ``auditwire cluster``."""

from auditwire_cli.cluster.add import cluster_add
from auditwire_cli.cluster.kubeconfig import cluster_kubeconfig
from auditwire_cli.cluster.list import cluster_list
from auditwire_cli.cluster.revoke import cluster_revoke
from auditwire_cli.cluster.rotate import cluster_rotate
from auditwire_cli.cluster.silence import cluster_silence
from auditwire_cli.groups import group

cluster = group(
    "Manage the clusters that may send, and their credentials.",
    add=cluster_add,
    list=cluster_list,
    rotate=cluster_rotate,
    revoke=cluster_revoke,
    silence=cluster_silence,
    kubeconfig=cluster_kubeconfig,
)
