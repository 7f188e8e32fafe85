"""Instructions for log shippers: the part of their configuration that works, with the reason for what is not obvious.

The credential comes from the environment variable AUDITWIRE_CREDENTIAL, or from a secret.
"""

from typing import Final
from urllib.parse import urlsplit

from auditwire.senders.paths import EVENT_PATH
from auditwire_cli.cluster.sources.source import Sending

_LOG: Final = "/var/log/kubernetes/audit/audit.log"


def fluent_bit(sending: Sending) -> str:
    address = urlsplit(sending.endpoint)
    is_tls = address.scheme == "https"
    return f"""\
# fluent-bit. AUDITWIRE_CREDENTIAL is the content of {sending.credential_file}.
[SERVICE]
    Parsers_File       parsers.conf
    storage.path       /var/lib/fluent-bit

[INPUT]
    Name               tail
    Path               {_LOG}
    Parser             json
    DB                 /var/lib/fluent-bit/audit.db
    # At a line that is longer, tail would stop reading the file.
    Buffer_Chunk_Size  1M
    Buffer_Max_Size    2M
    Skip_Long_Lines    On
    storage.type       filesystem

[OUTPUT]
    Name               http
    Match              *
    Host               {address.hostname}
    Port               {address.port or (443 if is_tls else 80)}
    tls                {"On" if is_tls else "Off"}
    URI                {EVENT_PATH}
    Header             Authorization Bearer ${{AUDITWIRE_CREDENTIAL}}
    # Not json: API Gateway takes that for text, and destroys what is compressed.
    Format             json_lines
    compress           gzip
    Retry_Limit        no_limits
"""


def fluentd(sending: Sending) -> str:
    return f"""\
# Fluentd. AUDITWIRE_CREDENTIAL is the content of {sending.credential_file}.
<source>
  @type tail
  path {_LOG}
  pos_file /var/lib/fluentd/audit.pos
  tag audit
  <parse>
    @type json
    time_key stageTimestamp
    keep_time_key true
    time_type string
    time_format %iso8601
  </parse>
</source>

<match audit>
  @type http
  endpoint {sending.endpoint}{EVENT_PATH}
  headers {{"Authorization":"Bearer #{{ENV['AUDITWIRE_CREDENTIAL']}}"}}
  content_type application/x-ndjson
  compress gzip
  # Of itself it repeats 503 only, and loses what is refused while a credential is renewed.
  retryable_response_codes 401,408,413,429,500,502,503,504
  <format>
    @type json
  </format>
  <buffer>
    @type file
    path /var/lib/fluentd/buffer
    chunk_limit_size 2m
    chunk_limit_records 2000
    flush_interval 5s
    retry_forever true
    retry_max_interval 60s
  </buffer>
</match>
"""


def vector(sending: Sending) -> str:
    return f"""\
# Vector. AUDITWIRE_CREDENTIAL is the content of {sending.credential_file}.
[sources.audit]
type = "file"
include = ["{_LOG}"]
# Longer lines are left out.
max_line_bytes = 2097152

[sinks.auditwire]
type = "http"
inputs = ["audit"]
uri = "{sending.endpoint}{EVENT_PATH}"
compression = "gzip"
# One event a line, so that the type is none that API Gateway takes for text: that would destroy what is compressed.
encoding.codec = "json"
framing.method = "newline_delimited"
batch.max_bytes = 2000000
batch.max_events = 2000
batch.timeout_secs = 5
# A 401 is not repeated: renew the credential before it ends.
request.retry_attempts = 1000000
request.headers.Authorization = "Bearer ${{AUDITWIRE_CREDENTIAL}}"
buffer.type = "disk"
buffer.max_size = 1073741824
"""


def logstash(sending: Sending) -> str:
    return f"""\
# Logstash. AUDITWIRE_CREDENTIAL is the content of {sending.credential_file}.
input {{
  file {{
    path => "{_LOG}"
    sincedb_path => "/var/lib/logstash/audit.sincedb"
    codec => json
  }}
}}
output {{
  http {{
    url => "{sending.endpoint}{EVENT_PATH}"
    http_method => "post"
    format => "json_batch"
    headers => {{ "Authorization" => "Bearer ${{AUDITWIRE_CREDENTIAL}}" }}
    # Not compressed: its type is application/json, so API Gateway would destroy it.
    http_compression => false
    retryable_codes => [401, 408, 429, 500, 502, 503, 504]
  }}
}}
# In logstash.yml: pipeline.batch.size: 500, and queue.type: persisted.
"""


def otel(sending: Sending) -> str:
    return f"""\
# OpenTelemetry Collector (contrib). AUDITWIRE_CREDENTIAL is the content of {sending.credential_file}.
extensions:
  file_storage:
    directory: /var/lib/otelcol
receivers:
  filelog:
    include: [{_LOG}]
    # Longer lines are cut, and what is cut off is lost.
    max_log_size: 2MiB
    storage: file_storage
processors:
  batch:
    send_batch_size: 1000
    send_batch_max_size: 2000
exporters:
  otlphttp/auditwire:
    # As protobuf, compressed, which are the defaults. With "encoding: json" say "compression: none".
    logs_endpoint: {sending.endpoint}{EVENT_PATH}
    headers:
      Authorization: Bearer ${{env:AUDITWIRE_CREDENTIAL}}
    # A 401 is not repeated: renew the credential before it ends.
    retry_on_failure:
      max_elapsed_time: 0
    sending_queue:
      storage: file_storage
service:
  extensions: [file_storage]
  pipelines:
    logs:
      receivers: [filelog]
      processors: [batch]
      exporters: [otlphttp/auditwire]
"""


def openshift(sending: Sending) -> str:
    return f"""\
# OpenShift's Cluster Logging 6. First:
#   oc create secret generic auditwire -n openshift-logging --from-file=token={sending.credential_file}
#   oc create serviceaccount auditwire -n openshift-logging
#   oc adm policy add-cluster-role-to-user collect-audit-logs -z auditwire -n openshift-logging
apiVersion: observability.openshift.io/v1
kind: ClusterLogForwarder
metadata:
  name: auditwire
  namespace: openshift-logging
spec:
  serviceAccount:
    name: auditwire
  inputs:
    - name: api-servers
      type: audit
      audit:
        # Not auditd and ovn: they are no Kubernetes audit events.
        sources: [kubeAPI, openshiftAPI]
  outputs:
    - name: auditwire
      type: http
      http:
        url: {sending.endpoint}{EVENT_PATH}
        method: POST
        timeout: 30
        authentication:
          token:
            from: secret
            secret:
              name: auditwire
              key: token
        tuning:
          # Not compressed: the type is application/json, so API Gateway would destroy it.
          compression: none
          deliveryMode: AtLeastOnce
  pipelines:
    - name: auditwire
      inputRefs: [api-servers]
      outputRefs: [auditwire]
"""


def syslog_ng(sending: Sending) -> str:
    return f"""\
# syslog-ng, with its module for HTTP. AUDITWIRE_CREDENTIAL is the content of {sending.credential_file}.
# Of itself it cuts a line after 64 KiB.
options {{ log-msg-size(2097152); }};
source s_audit {{
  file("{_LOG}" follow-freq(1) flags(no-parse));
}};
destination d_auditwire {{
  http(
    url("{sending.endpoint}{EVENT_PATH}")
    method("POST")
    headers("Authorization: Bearer `AUDITWIRE_CREDENTIAL`", "Content-Type: application/x-ndjson")
    body("${{MESSAGE}}")
    delimiter("\\n")
    batch-lines(1000)
    batch-bytes(2Mb)
    batch-timeout(5000)
    # A 401 is repeated, like everything that is not 200.
    response-action(401 => retry)
    retries(1000000)
    disk-buffer(reliable(yes) disk-buf-size(1073741824) mem-buf-size(67108864))
  );
}};
log {{ source(s_audit); destination(d_auditwire); flags(flow-control); }};
"""
