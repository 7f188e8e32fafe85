"""Changes of KubeSphere's configuration that make ks-apiserver send here.

ks-apiserver posts to one URL and cannot add a header, so the credential is a part of the path. It waits three seconds,
tries once, and checks no certificate. Batches are small, because a body that is too large would be lost.
"""

from urllib.parse import quote

from auditwire.senders.paths import EVENT_PATH

_BATCH_EVENTS = 20


def config_script(cluster: str, url: str, credential: str, path: str) -> str:
    """For 3.x: a sed script for the document kubesphere.yaml in the ConfigMap kubesphere-config.

    That document is one string, so kubectl cannot patch a line of it. Its key is either webhookURL or webhookUrl.
    """
    head = f"""\
# Audit webhook of the cluster {cluster}, for KubeSphere 3.x. It has the credential: keep it private.
#
# Auditing must be enabled (spec.auditing.enabled of the ClusterConfiguration ks-installer). Then run:
#
#   umask 077
#   kubectl -n kubesphere-system get configmap kubesphere-config -o jsonpath='{{.data.kubesphere\\.yaml}}' > before.yaml
#   sed -E -f {path} before.yaml > kubesphere.yaml
#   diff before.yaml kubesphere.yaml    # should show the webhook's address and the batch size
#   kubectl -n kubesphere-system create configmap kubesphere-config --from-file=kubesphere.yaml \\
#     --dry-run=client -o yaml > patch.yaml
#   kubectl -n kubesphere-system patch configmap kubesphere-config --patch-file patch.yaml
#   kubectl -n kubesphere-system rollout restart deployment ks-apiserver
#   rm before.yaml kubesphere.yaml patch.yaml
#
# ks-installer overwrites the address whenever it runs: repeat this afterwards.
"""
    return head + (
        "/^ *eventBatchSize:/d\n"
        f"s#^( *)webhookU(RL|rl):.*#\\1webhookU\\2: {_target(url, credential)}\\\n"
        f"\\1eventBatchSize: {_BATCH_EVENTS}#\n"
    )


def helm_values(cluster: str, url: str, credential: str, path: str) -> str:
    """For 4.x: values for the Helm chart ks-core, which copies ``auditing`` into kubesphere-config as it is."""
    return f"""\
# Audit webhook of the cluster {cluster}, for KubeSphere 4.x. It has the credential: keep it private.
#
#   helm -n kubesphere-system upgrade ks-core CHART --version VERSION --reuse-values -f {path}
#   kubectl -n kubesphere-system rollout restart deployment ks-apiserver
#
# CHART and VERSION are those that are installed; `helm -n kubesphere-system list` shows the version.
auditing:
  enable: true
  auditLevel: Metadata    # Request, if rules read bodies; RequestResponse has no size limit and loses batches
  eventBatchSize: {_BATCH_EVENTS}
  webhookOptions:
    webhookUrl: {_target(url, credential)}
"""


def _target(url: str, credential: str) -> str:
    return f"{url}{EVENT_PATH}/{quote(credential, safe='')}"
