"""What changes the configuration of KubeSphere so that ks-apiserver sends here.

ks-apiserver posts to one URL, without a header of its own, so the credential is a part of the path. It waits three
seconds, sends once, and checks no certificate; small batches keep a body that is too large from being lost.
"""

from urllib.parse import quote

from auditwire.senders.paths import EVENT_PATH

_BATCH_EVENTS = 20


def config_script(cluster: str, url: str, credential: str, path: str) -> str:
    """For 3.x: a script of sed for the document kubesphere.yaml in the ConfigMap kubesphere-config.

    That document is one text, so kubectl cannot patch a line of it; and the key is written webhookURL or webhookUrl.
    """
    head = f"""\
# Audit webhook of the cluster {cluster}, for KubeSphere 3.x. Holds the credential: keep it private.
#
# Auditing must be on (spec.auditing.enabled of the ClusterConfiguration ks-installer). Then:
#
#   umask 077
#   kubectl -n kubesphere-system get configmap kubesphere-config -o jsonpath='{{.data.kubesphere\\.yaml}}' > before.yaml
#   sed -E -f {path} before.yaml > kubesphere.yaml
#   diff before.yaml kubesphere.yaml    # must show the webhook's address and the batch size
#   kubectl -n kubesphere-system create configmap kubesphere-config --from-file=kubesphere.yaml \\
#     --dry-run=client -o yaml > patch.yaml
#   kubectl -n kubesphere-system patch configmap kubesphere-config --patch-file patch.yaml
#   kubectl -n kubesphere-system rollout restart deployment ks-apiserver
#   rm before.yaml kubesphere.yaml patch.yaml
#
# ks-installer writes the address anew when it runs: do this again after it.
"""
    return head + (
        "/^ *eventBatchSize:/d\n"
        f"s#^( *)webhookU(RL|rl):.*#\\1webhookU\\2: {_target(url, credential)}\\\n"
        f"\\1eventBatchSize: {_BATCH_EVENTS}#\n"
    )


def helm_values(cluster: str, url: str, credential: str, path: str) -> str:
    """For 4.x: values of the Helm chart ks-core, which copies ``auditing`` into kubesphere-config as it is."""
    return f"""\
# Audit webhook of the cluster {cluster}, for KubeSphere 4.x. Holds the credential: keep it private.
#
#   helm -n kubesphere-system upgrade ks-core CHART --version VERSION --reuse-values -f {path}
#   kubectl -n kubesphere-system rollout restart deployment ks-apiserver
#
# CHART and VERSION as installed: `helm -n kubesphere-system list` names the version.
auditing:
  enable: true
  auditLevel: Metadata    # Request for rules that read bodies; RequestResponse has no limit of size and loses batches
  eventBatchSize: {_BATCH_EVENTS}
  webhookOptions:
    webhookUrl: {_target(url, credential)}
"""


def _target(url: str, credential: str) -> str:
    return f"{url}{EVENT_PATH}/{quote(credential, safe='')}"
