"""Parameters that do not go together are refused as CloudFormation does it."""

from typing import Any

import pytest

from auditwire_local.errors import DeployError
from auditwire_local.template_rules import check_rules
from template import Document, source

DOMAIN = {"DomainName": "audit.example.com", "CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}
SUBNETS = {"RelaySubnetIds": "subnet-01234567,subnet-12345678"}
GROUPS = {"RelaySecurityGroupIds": "sg-01234567"}
SECRET = {"AlertmanagerSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:am-AbCdEf"}
LAKE = {
    "OcsfBucket": "lake",
    "OcsfPrefix": "ext/a/",
    "OcsfRoleArn": "arn:aws:iam::123456789012:role/lake",
    "OcsfExternalId": "x-1",
}
TRUST = {"TruststoreUri": "s3://trust/ca.pem"}


@pytest.fixture(scope="module")
def template() -> Document:
    return source()


def check(template: Document, given: dict[str, str]) -> None:
    defaults = {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}
    check_rules(template, {**defaults, **given})


@pytest.mark.parametrize(
    "given",
    [
        {},
        DOMAIN,
        {**DOMAIN, **TRUST, "TruststoreVersion": "v1"},
        {**SUBNETS, **GROUPS},
        {**SECRET, "AlertmanagerUrls": "https://am.example"},
        {"OcsfBucket": "lake"},
        LAKE,
    ],
    ids=["defaults", "domain", "client certificates", "network", "secret", "export", "lake"],
)
def test_what_goes_together_is_taken(template: Document, given: dict[str, str]) -> None:
    check(template, given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"DomainName": DOMAIN["DomainName"]}, "DomainName needs a CertificateArn."),
        ({"CertificateArn": DOMAIN["CertificateArn"]}, "CertificateArn has no effect without a DomainName."),
        (TRUST, "TruststoreUri has no effect without a DomainName."),
        ({**DOMAIN, "TruststoreVersion": "v1"}, "TruststoreVersion needs a TruststoreUri."),
        (SUBNETS, "RelaySubnetIds need RelaySecurityGroupIds."),
        (GROUPS, "RelaySecurityGroupIds have no effect without RelaySubnetIds."),
        (SECRET, "AlertmanagerSecretArn is only sent to AlertmanagerUrls"),
        ({**LAKE, "SealKeyArn": "none"}, "OcsfBucket needs seals"),
        ({**LAKE, "ArchiveStore": "dynamodb"}, "OcsfBucket needs ArchiveStore s3"),
        ({"OcsfPrefix": "ext/a/"}, "OcsfPrefix has no effect without an OcsfBucket."),
        ({"OcsfRoleArn": LAKE["OcsfRoleArn"]}, "OcsfRoleArn has no effect without an OcsfBucket."),
        ({**LAKE, "OcsfRoleArn": ""}, "OcsfExternalId has no effect without an OcsfRoleArn."),
    ],
    ids=[
        "no certificate",
        "no domain",
        "no domain to trust",
        "no truststore",
        "no groups",
        "no subnets",
        "no peers",
        "no seals",
        "no objects",
        "no bucket for a prefix",
        "no bucket for a role",
        "no role",
    ],
)
def test_what_does_not_go_together_is_refused(template: Document, given: dict[str, str], said: str) -> None:
    with pytest.raises(DeployError) as caught:
        check(template, given)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("asserted", "holds"),
    [
        ({"Fn::And": [{"Fn::Equals": [{"Ref": "One"}, "a"]}, {"Fn::Contains": [{"Ref": "Many"}, "b"]}]}, True),
        ({"Fn::And": [{"Fn::Equals": [{"Ref": "One"}, "b"]}, {"Fn::Contains": [{"Ref": "Many"}, "b"]}]}, False),
        ({"Fn::Or": [{"Fn::Equals": [{"Ref": "One"}, "b"]}, {"Fn::Contains": [{"Ref": "Many"}, "b"]}]}, True),
        ({"Fn::Or": [{"Fn::Equals": [{"Ref": "One"}, "b"]}, {"Fn::Contains": [{"Ref": "Many"}, "c"]}]}, False),
        ({"Fn::EachMemberEquals": [{"Ref": "Many"}, "a"]}, False),
        ({"Fn::Not": [{"Fn::EachMemberEquals": [{"Ref": "Many"}, "a"]}]}, True),
    ],
)
def test_the_functions_of_rules(asserted: dict[str, Any], holds: bool) -> None:
    document = {
        "Parameters": {"One": {"Type": "String"}, "Many": {"Type": "CommaDelimitedList"}},
        "Rules": {"R": {"Assertions": [{"Assert": asserted, "AssertDescription": "no"}]}},
    }
    values = {"One": "a", "Many": "a,b"}

    if holds:
        check_rules(document, values)
    else:
        with pytest.raises(DeployError, match=r"^no$"):
            check_rules(document, values)


def test_a_function_that_is_not_known_is_refused() -> None:
    rule = {"Assertions": [{"Assert": {"Fn::RefAll": ["AWS::EC2::Subnet::Id"]}, "AssertDescription": "no"}]}

    with pytest.raises(DeployError, match="does not know Fn::RefAll"):
        check_rules({"Rules": {"R": rule}}, {})
