"""IAM roles with their inline policies."""

from auditwire_local.resources.shim import Made, Request, as_json, resource


@resource("AWS::IAM::Role", name="RoleName", attributes=("Arn", "RoleId"))
def make_role(request: Request) -> Made:
    """A role. Managed policies are only recorded, because moto does not have those of AWS."""
    properties, iam = request.properties, request.client("iam")
    properties.record("RoleName", "ManagedPolicyArns")
    role = iam.create_role(
        RoleName=request.name[:64],
        AssumeRolePolicyDocument=as_json(properties.require("AssumeRolePolicyDocument")),
        Description=properties.take("Description", ""),
        Tags=properties.take("Tags", []),
    )["Role"]
    for policy in properties.items("Policies"):
        # SAM's policy templates have no Version. IAM then takes 2008-10-17, which moto refuses.
        document = {"Version": "2012-10-17", **policy.require("PolicyDocument")}
        iam.put_role_policy(
            RoleName=role["RoleName"],
            PolicyName=policy.require("PolicyName"),
            PolicyDocument=as_json(document),
        )
    return Made(role["RoleName"], {"Arn": role["Arn"], "RoleId": role["RoleId"]})
