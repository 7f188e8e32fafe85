"""Instructions for managed clouds: commands in the order in which they are run. A ``#`` begins an explanation, a word
in capitals behind ``$`` is to be set first."""

import shlex
from typing import Final

from auditwire.senders.paths import EVENT_PATH, FIREHOSE_PATH, GKE_PATH
from auditwire_cli.cluster.sources.source import Sending

_GKE_FILTER: Final = (
    'logName:("cloudaudit.googleapis.com%2Factivity" OR "cloudaudit.googleapis.com%2Fdata_access") '
    'resource.type="k8s_cluster" protoPayload.serviceName="k8s.io"'
)


def filter_name(stack: str) -> str:
    """The name of the subscription filters that belong to a stack."""
    return f"auditwire-{stack}"


def eks(sending: Sending) -> str:
    name = sending.log_group.removeprefix("/aws/eks/").removesuffix("/cluster")
    return f"""\
# The audit log has to be on. Only "audit" is needed; what other components log is skipped, and costs invocations.
aws eks update-cluster-config --region {sending.region} --name {shlex.quote(name)} \\
  --logging '{{"clusterLogging":[{{"types":["audit"],"enabled":true}}]}}'
# Every line is delivered: a pattern for JSON would leave out exactly the events that CloudWatch Logs has cut.
aws logs put-subscription-filter --region {sending.region} --log-group-name {shlex.quote(sending.log_group)} \\
  --filter-name {filter_name(sending.stack)} --filter-pattern "" \\
  --destination-arn {sending.function_arn}
"""


def eks_logging(sending: Sending) -> str:
    """What is left to do when the subscription filter is made."""
    return eks(sending).partition("# Every line")[0]


def gke(sending: Sending) -> str:
    name = f"auditwire-{sending.cluster}"
    if sending.service_account:
        project = sending.service_account.partition("@")[2].partition(".")[0]
        account = sending.service_account.partition("@")[0]
        first = f"""\
PROJECT={shlex.quote(project)}
# The account whose tokens Pub/Sub sends. It needs no role.
gcloud iam service-accounts create {shlex.quote(account)} --project "$PROJECT"
"""
        push = f"""\
  --push-endpoint={sending.endpoint}{GKE_PATH} \\
  --push-auth-service-account={shlex.quote(sending.service_account)} \\
  --push-auth-token-audience={shlex.quote(sending.audience)}"""
    else:
        first = "PROJECT=$(gcloud config get-value project)\n"
        push = f'  --push-endpoint="{sending.endpoint}{EVENT_PATH}/$(cat {shlex.quote(sending.credential_file)})"'
    return f"""\
{first}gcloud pubsub topics create {name} --project "$PROJECT"
# Without data_access there are no reads, and no port-forward; it has to be switched on in the project, and is billed.
gcloud logging sinks create {name} "pubsub.googleapis.com/projects/$PROJECT/topics/{name}" --project "$PROJECT" \\
  --log-filter={shlex.quote(f'{_GKE_FILTER} resource.labels.cluster_name="{sending.cluster}"')}
gcloud pubsub topics add-iam-policy-binding {name} --project "$PROJECT" --role=roles/pubsub.publisher \\
  --member="$(gcloud logging sinks describe {name} --project "$PROJECT" --format='value(writerIdentity)')"
# What could not be stored comes again for seven days. A dead-letter topic would end that after a hundred tries.
gcloud pubsub subscriptions create {name} --topic {name} --project "$PROJECT" \\
  --ack-deadline=60 --min-retry-delay=10s --max-retry-delay=600s \\
  --message-retention-duration=7d --expiration-period=never \\
{push}
"""


def aks(sending: Sending) -> str:
    return f"""\
GROUP=my-resource-group NAMESPACE=my-event-hubs FUNCTION=auditwire-{sending.cluster}
# One category of the two: kube-audit is everything, kube-audit-admin leaves out get and list. With both of them every
# write comes twice.
az eventhubs eventhub create --resource-group "$GROUP" --namespace-name "$NAMESPACE" --name kube-audit
az monitor diagnostic-settings create --name auditwire \\
  --resource "$(az aks show --resource-group "$GROUP" --name {shlex.quote(sending.cluster)} --query id --output tsv)" \\
  --event-hub kube-audit --logs '[{{"category":"kube-audit","enabled":true}}]' \\
  --event-hub-rule "$(az eventhubs namespace authorization-rule show --resource-group "$GROUP" \\
    --namespace-name "$NAMESPACE" --name RootManageSharedAccessKey --query id --output tsv)"
# The function in docs/recipes/azure-function posts what arrives. Its app must exist (Python, consumption plan will do).
az functionapp config appsettings set --resource-group "$GROUP" --name "$FUNCTION" --output none --settings \\
  "AUDITWIRE_URL={sending.endpoint}{EVENT_PATH}" \\
  "AUDITWIRE_CREDENTIAL=$(cat {shlex.quote(sending.credential_file)})" \\
  "EVENT_HUB=$(az eventhubs namespace authorization-rule keys list --resource-group "$GROUP" \\
    --namespace-name "$NAMESPACE" --name RootManageSharedAccessKey --query primaryConnectionString --output tsv)"
(cd docs/recipes/azure-function && func azure functionapp publish "$FUNCTION" --python)
"""


def firehose(sending: Sending) -> str:
    name = f"auditwire-{sending.cluster}"
    return f"""\
# In the account and region of the cluster. BUCKET keeps what could not be delivered; ROLE may write there, and
# SUBSCRIBER is a role with which logs.amazonaws.com may put records into the stream.
BUCKET=my-bucket ROLE=arn:aws:iam::111122223333:role/firehose SUBSCRIBER=arn:aws:iam::111122223333:role/logs
# 1 MB: five would be over what a Lambda function takes. No content encoding: API Gateway would destroy it.
aws firehose create-delivery-stream --delivery-stream-name {name} --delivery-stream-type DirectPut \\
  --http-endpoint-destination-configuration '{{
    "EndpointConfiguration": {{
      "Name": "auditwire",
      "Url": "{sending.endpoint}{FIREHOSE_PATH}",
      "AccessKey": "'"$(cat {shlex.quote(sending.credential_file)})"'"
    }},
    "BufferingHints": {{"SizeInMBs": 1, "IntervalInSeconds": 60}},
    "RequestConfiguration": {{"ContentEncoding": "NONE"}},
    "RetryOptions": {{"DurationInSeconds": 7200}},
    "RoleARN": "'"$ROLE"'",
    "S3BackupMode": "FailedDataOnly",
    "S3Configuration": {{
      "RoleARN": "'"$ROLE"'",
      "BucketARN": "arn:aws:s3:::'"$BUCKET"'",
      "CompressionFormat": "GZIP"
    }}
  }}'
aws logs put-subscription-filter --log-group-name /aws/eks/{sending.cluster}/cluster \\
  --filter-name {name} --filter-pattern "" --role-arn "$SUBSCRIBER" --destination-arn \\
  "$(aws firehose describe-delivery-stream --delivery-stream-name {name} \\
     --query DeliveryStreamDescription.DeliveryStreamARN --output text)"
# Later, what could not be delivered within two hours:
#   aws s3 cp --recursive "s3://$BUCKET/" failed && find failed -type f -exec auditwire send {{}} \\;
"""


def s3(sending: Sending) -> str:
    return f"""\
# The bucket has to tell EventBridge of new objects. This is its present configuration, and that.
aws s3api put-bucket-notification-configuration --bucket {sending.bucket} \\
  --notification-configuration {shlex.quote(sending.notifications)}
# Every object below s3://{sending.bucket}/{sending.prefix} is taken from then on. Those that are there already:
#   auditwire import s3://{sending.bucket}/{sending.prefix} --cluster {sending.cluster}
"""
