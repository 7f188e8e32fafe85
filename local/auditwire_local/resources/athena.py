"""Workgroups of Athena."""

from auditwire_local.resources.shim import Made, Request, resource


@resource("AWS::Athena::WorkGroup", name="Name")
def make_workgroup(request: Request) -> Made:
    """A workgroup. ``auditwire_local.athena`` keeps to its cutoff."""
    properties = request.properties
    properties.record("Name", "RecursiveDeleteOption")
    configuration = dict(properties.require("WorkGroupConfiguration"))
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None:
        configuration["BytesScannedCutoffPerQuery"] = int(cutoff)
    request.client("athena").create_work_group(
        Name=request.name, Configuration=configuration, Description=properties.take("Description", "")
    )
    return Made(request.name)
