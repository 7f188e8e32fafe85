"""Whether the roads of managed clouds lead from every registered source to the stack, and from no other."""

from fnmatch import fnmatchcase

from botocore.exceptions import ClientError

from auditwire.aws.errors import code_of
from auditwire_cli.cluster.sources.clouds import filter_name
from auditwire_cli.doctor.finding import Finding, ill, note, skipped, well
from auditwire_cli.doctor.patient import Patient
from auditwire_cli.terminal.output import counted

_GROUPS = "/aws/eks/"
_CHECK = "clouds"


def clouds(patient: Patient) -> list[Finding]:
    """Whether log groups and clusters fit together, and whether tokens of registered accounts can be accepted."""
    from auditwire.clusters import ClustersTable, CredentialKind, log_group_of

    rows = ClustersTable(patient.client("dynamodb"), patient.found.output("ClustersTable")).list().registrations
    groups = {group: row.cluster.name for row in rows if (group := log_group_of(row.credential))}
    accounts = [row.cluster.name for row in rows if row.kind is CredentialKind.ACCOUNT]
    allowed = patient.parameter("EksLogGroups")
    if not (allowed or groups or accounts):
        return [skipped(_CHECK, "no cluster of a managed cloud is registered by name")]
    findings = []
    if accounts and not patient.parameter("PubSubAudience"):
        mend = "deploy with PubSubAudience=AUDIENCE"
        findings.append(ill(_CHECK, f"no token is accepted, so nothing comes from {', '.join(accounts)}", mend))
    if groups and not allowed:
        findings.append(
            ill(_CHECK, f"nothing is taken from {', '.join(groups)}", "deploy with EksLogGroups=/aws/eks/*")
        )
    elif allowed:
        findings += _log_groups(patient, groups, allowed)
    return findings or [
        well(_CHECK, f"{counted(len(groups), 'log group')} subscribed, {counted(len(accounts), 'account')} accepted")
    ]


def _log_groups(patient: Patient, registered: dict[str, str], allowed: str) -> list[Finding]:
    pages = patient.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=_GROUPS)
    there = {one["logGroupName"] for page in pages for one in page["logGroups"]}
    findings = []
    for group, cluster in sorted(registered.items()):
        again = f"`auditwire cluster revoke {cluster}`, then `auditwire cluster add {cluster} --from eks`"
        if not fnmatchcase(group, allowed):
            findings.append(ill(_CHECK, f"nothing is taken from {group}", f"EksLogGroups is {allowed}"))
        elif group not in there:
            findings.append(ill(_CHECK, f"the log group {group} of {cluster} is gone", "is the audit log switched on?"))
        elif not _is_subscribed(patient, group):
            findings.append(ill(_CHECK, f"{group} of {cluster} is not subscribed, so nothing comes from it", again))
    for group in sorted(there - registered.keys()):
        add = f"`auditwire cluster add NAME --from eks --source {group}`"
        if _is_subscribed(patient, group):
            findings.append(ill(_CHECK, f"{group} belongs to no cluster, so what it delivers is quarantined", add))
        elif fnmatchcase(group, allowed):
            findings.append(note(_CHECK, f"{group} is not subscribed", add))
    return findings


def _is_subscribed(patient: Patient, group: str) -> bool:
    try:
        found = patient.client("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            return False
        raise
    return any(
        one["filterName"] == filter_name(patient.found.name)
        and one["destinationArn"] == patient.found.outputs.get("SubscribeEksFunctionArn")
        for one in found
    )
