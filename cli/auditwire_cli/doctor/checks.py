"""What can be told about a stack by looking at it. Nothing is changed."""

import json
from collections.abc import Iterator
from typing import Any

from auditwire_cli.doctor.clouds import clouds
from auditwire_cli.doctor.finding import Finding, ill, note, skipped, well
from auditwire_cli.doctor.patient import Patient
from auditwire_cli.terminal.output import counted
from auditwire_cli.times import ago

MIN_CONCURRENCY = 100
"""New accounts may run ten functions at a time. All functions of a stack share them with everything else."""

_PEER_SECONDS = 5.0
_ALARMS_AT_ONCE = 100


def rules_in_force(patient: Patient) -> list[Finding]:
    """Whether the rules in the bucket are those that decide."""
    from auditwire.bundles.rules_bucket import ACTIVE_KEY, STATUS_KEY, S3RulesBucket
    from auditwire.bundles.rules_state import Active, StateError, Status
    from auditwire.bundles.stale_rules import stale_rules

    check, bucket = "rules", S3RulesBucket(patient.client("s3"), patient.found.output("RulesBucket"))
    if stale := stale_rules(bucket, patient.now):
        mend = "`auditwire rules status` says more; `auditwire rules rollback` goes back to the set before"
        return [ill(check, f"the rules in the bucket are not in force: {stale.why}", mend)]
    stored, looked = bucket.read(ACTIVE_KEY), bucket.read(STATUS_KEY)
    try:
        if looked and Status.decode(looked.data).verdict == "refused":
            return [ill(check, "the last upload was refused, the rules before it decide", "`auditwire rules status`")]
        active = Active.decode(stored.data) if stored else None
    except StateError as error:
        return [ill(check, str(error), "invoke compile_rules, which writes it again")]
    if active is None:
        return [well(check, "the default rules decide; none were published yet")]
    return [well(check, f"the bundle {active.digest[:12]} decides, compiled {ago(active.compiled, patient.now)}")]


def receivers(patient: Patient) -> list[Finding]:
    """Whether the Alertmanagers answer."""
    from auditwire.alerts import PeerError

    check = "receivers"
    if not patient.has_relay:
        return [skipped(check, "Alertmanager=off: alerts go to the subscribers of the topic")]
    if not patient.peers:
        mend = "set the parameter AlertmanagerUrls, or publish a Webhook document with receivers"
        return [ill(check, "no Alertmanager is configured, so alerts become dead letters", mend)]
    findings = []
    for peer in patient.peers:
        try:
            answer = peer.post(b"[]", _PEER_SECONDS)
            problem = "" if answer.taken else f"{answer.status} {answer.detail}".strip()
        except PeerError as error:
            problem = str(error)
        if not problem:
            findings.append(well(check, f"{peer.url} answers"))
        elif "subnet-" in patient.parameter("RelaySubnetIds"):
            text = f"{peer.url} does not answer here ({problem}), but the relay is in a network of its own"
            findings.append(note(check, text))
        else:
            mend = "is it up, may the relay reach it, is its credential right?"
            findings.append(ill(check, f"{peer.url} does not take alerts: {problem}", mend))
    return findings


def subscriptions(patient: Patient) -> list[Finding]:
    """Whether somebody gets what the topics say, and has confirmed it."""
    check, sns = "subscriptions", patient.client("sns")
    findings = []
    for name, topic in (("alerts", "AlertsTopicArn"), ("operations", "OperationsTopicArn")):
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=patient.found.output(topic))
        found = [one for page in pages for one in page["Subscriptions"]]
        waiting = [one for one in found if one["SubscriptionArn"] == "PendingConfirmation"]
        confirmed = [one for one in found if one not in waiting]
        findings += [
            ill(check, f"{one['Endpoint']} has not confirmed its subscription", "follow the link that AWS sent there")
            for one in waiting
        ]
        if name == "alerts":
            findings += _road_of_alerts(patient, confirmed)
        elif patient.local:
            findings.append(skipped(check, "alarms never go off on one machine"))
        elif not confirmed:
            mend = "deploy with OperationsEmail=ADDRESS, or subscribe somebody to OperationsTopicArn"
            findings.append(ill(check, "nobody is told of alarms", mend))
        else:
            findings.append(well(check, f"{counted(len(confirmed), 'subscriber')} of alarms"))
    return findings


def _road_of_alerts(patient: Patient, confirmed: list[Any]) -> Iterator[Finding]:
    check = "subscriptions"
    others = len(confirmed)
    if patient.has_relay:
        queue = patient.client("sqs").get_queue_attributes(
            QueueUrl=patient.found.output("AlertsQueueUrl"), AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        if queue not in {one["Endpoint"] for one in confirmed}:
            yield ill(check, "the alerts queue is not subscribed to the alerts topic", "deploy the stack again")
            return
        others -= 1
        yield well(check, f"the alerts queue, and {counted(others, 'other subscriber')} of alerts")
    elif not confirmed:
        yield ill(check, "nobody gets alerts", "deploy with AlertEmail=ADDRESS or Alertmanager=on")
    else:
        yield well(check, f"{counted(others, 'subscriber')} of alerts")


def alarms(patient: Patient) -> list[Finding]:
    """Whether every alarm is there, on, and wired to the operations topic, and whether any rings."""
    check, cloudwatch = "alarms", patient.client("cloudwatch")
    wanted = patient.resources.get("AWS::CloudWatch::Alarm", [])
    found: dict[str, Any] = {}
    for start in range(0, len(wanted), _ALARMS_AT_ONCE):
        answer = cloudwatch.describe_alarms(AlarmNames=wanted[start : start + _ALARMS_AT_ONCE])
        found |= {one["AlarmName"]: one for one in answer["MetricAlarms"]}
    topic = patient.found.output("OperationsTopicArn")
    again = "deploy the stack again"
    findings = [ill(check, f"{name} is gone", again) for name in wanted if name not in found]
    for name, one in found.items():
        if topic not in one.get("AlarmActions", ()):
            findings.append(ill(check, f"{name} tells nobody", again))
        elif not one.get("ActionsEnabled", True):
            findings.append(ill(check, f"{name} is switched off", "`aws cloudwatch enable-alarm-actions`"))
        if one.get("StateValue") == "ALARM":
            findings.append(ill(check, f"{name} rings: {one.get('StateReason', '')}", "docs/runbooks.md"))
    return findings or [well(check, f"{counted(len(wanted), 'alarm')}, all wired, none rings")]


def dead_letters(patient: Patient) -> list[Finding]:
    """Whether alerts were put aside."""
    from auditwire.alerts.redrive import waiting

    check = "dead letters"
    if not patient.has_relay:
        return [skipped(check, "Alertmanager=off: there is no such queue")]
    count = waiting(patient.client("sqs"), patient.found.output("DeadLetterQueueUrl"))
    if count:
        return [ill(check, f"{counted(count, 'alert')} reached no Alertmanager", "`auditwire dlq list` says why")]
    return [well(check, "none")]


def key_access(patient: Patient) -> list[Finding]:
    """Whether the customer-managed key is on, and lets the roles and SNS use it."""
    check, key = "key", patient.parameter("KmsKeyArn")
    if not key:
        return [skipped(check, "keys of AWS encrypt everything")]
    kms, iam = patient.client("kms"), patient.client("iam")
    state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    if state != "Enabled":
        return [ill(check, f"{key} is {state}", "enable it: nothing can be read or written without it")]
    findings = []
    if not _lets_sns(json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])):
        mend = "let sns.amazonaws.com use kms:GenerateDataKey and kms:Decrypt in the key's policy"
        findings.append(ill(check, "SNS may not use it, so no alert reaches the queue", mend))
    roles = patient.resources.get("AWS::IAM::Role", [])
    without = [role for role in roles if not _role_names(iam, role, key)]
    findings += [ill(check, f"the role {role} does not name it", "deploy the stack again") for role in without]
    return findings or [well(check, f"enabled; SNS and {counted(len(roles), 'role')} may use it")]


def _role_names(iam: Any, role: str, key: str) -> bool:
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return any(_names(_policy(iam, role, name), key) for name in names)


def _policy(iam: Any, role: str, name: str) -> Any:
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    return json.loads(document) if isinstance(document, str) else document


def _names(policy: Any, key: str) -> bool:
    return any(key in _listed(one["Resource"]) and _allows(one, "kms:Decrypt") for one in policy["Statement"])


def _lets_sns(policy: Any) -> bool:
    return all(
        any(_of_sns(one) and _allows(one, action) for one in policy["Statement"])
        for action in ("kms:GenerateDataKey", "kms:Decrypt")
    )


def _of_sns(statement: Any) -> bool:
    principal = statement.get("Principal")
    return isinstance(principal, dict) and "sns.amazonaws.com" in _listed(principal.get("Service", []))


def _allows(statement: Any, action: str) -> bool:
    actions = _listed(statement.get("Action", []))
    wide = {action, "kms:*", "*", *(["kms:GenerateDataKey*"] if action == "kms:GenerateDataKey" else [])}
    return statement.get("Effect") == "Allow" and not wide.isdisjoint(actions)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def concurrency(patient: Patient) -> list[Finding]:
    """Whether the account may run enough functions at a time."""
    check = "concurrency"
    if patient.local:
        return [skipped(check, "one machine has no limit of AWS")]
    limits = patient.client("lambda").get_account_settings()["AccountLimit"]
    all_of_it, free = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    if free < MIN_CONCURRENCY:
        mend = "ask for more under Service Quotas: Lambda, Concurrent executions"
        return [ill(check, f"the account may run {free} functions at a time ({all_of_it} with what is reserved)", mend)]
    return [well(check, f"the account may run {free:,} functions at a time")]


def clusters(patient: Patient) -> list[Finding]:
    """When each cluster was last heard of."""
    from auditwire.clusters import DOCTOR_CLUSTER, ClustersTable
    from auditwire.clusters.silence import duration, silences

    check = "clusters"
    listing = ClustersTable(patient.client("dynamodb"), patient.found.output("ClustersTable")).list()
    findings = [
        ill(check, why, "correct or remove that row of the table") for why in dict.fromkeys(listing.broken.values())
    ]
    silent = {one.cluster: one for one in silences(listing.registrations, patient.now)}
    names = sorted({one.cluster.name for one in listing.registrations} - {DOCTOR_CLUSTER})
    if not names:
        findings.append(note(check, "no cluster is registered", "`auditwire cluster add NAME`"))
    for name in names:
        uses = [one.use.seen for one in listing.of(name) if one.use]
        heard = f"last heard of {ago(max(uses), patient.now)}" if uses else "never heard of"
        if name in silent:
            mend = (
                f"docs/runbooks.md, auditwire.ClusterSilent; it counts as silent after {duration(silent[name].seconds)}"
            )
            findings.append(ill(check, f"{name} is silent: {heard}", mend))
        elif not any(one.holds(patient.now.timestamp()) for one in listing.of(name)):
            findings.append(
                ill(check, f"{name} has no valid credential; {heard}", f"`auditwire cluster rotate {name}`")
            )
        else:
            findings.append(well(check, f"{name} was {heard}"))
    return findings


def protection(patient: Patient) -> list[Finding]:
    """Whether the tables are protected against deletion."""
    check, dynamodb = "deletion protection", patient.client("dynamodb")
    tables = [
        patient.found.outputs[name] for name in ("ClustersTable", "ArchiveTable") if name in patient.found.outputs
    ]
    open_ones = [
        name for name in tables if not dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled")
    ]
    if open_ones:
        return [note(check, f"off for {', '.join(open_ones)}", "deploy with DeletionProtection=on")]
    return [well(check, f"on for {counted(len(tables), 'table')}")]


CHECKS = {
    "rules": rules_in_force,
    "receivers": receivers,
    "subscriptions": subscriptions,
    "alarms": alarms,
    "dead letters": dead_letters,
    "key": key_access,
    "concurrency": concurrency,
    "clusters": clusters,
    "clouds": clouds,
    "deletion protection": protection,
}
"""Every check, in the order in which they are shown."""
