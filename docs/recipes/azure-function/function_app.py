"""Posts the audit log of an AKS cluster, as it arrives in an Event Hub, to auditwire.

Settings of the app: AUDITWIRE_URL, AUDITWIRE_CREDENTIAL, and EVENT_HUB, a connection string of the namespace.
"""

import json
import os
import urllib.request

import azure.functions as func

app = func.FunctionApp()


# After an exception the same batch comes again, without an end, and the checkpoint waits.
@app.retry(
    strategy="exponential_backoff",
    max_retry_count="-1",
    minimum_interval="00:00:05",
    maximum_interval="00:05:00",
)
@app.event_hub_message_trigger(
    arg_name="messages", event_hub_name="kube-audit", connection="EVENT_HUB", cardinality=func.Cardinality.MANY
)
def forward(messages: list[func.EventHubEvent]) -> None:
    """Posts one batch. Raises an error for every answer but 200."""
    body = json.dumps([message.get_body().decode("utf-8", "replace") for message in messages]).encode()
    headers = {"Authorization": "Bearer " + os.environ["AUDITWIRE_CREDENTIAL"], "Content-Type": "application/json"}
    request = urllib.request.Request(os.environ["AUDITWIRE_URL"], body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        if answer.status != 200:
            raise RuntimeError(f"auditwire answered {answer.status}")
