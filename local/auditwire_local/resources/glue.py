"""Databases and tables of Glue's catalog."""

from auditwire_local.resources.shim import Made, Request, resource


@resource("AWS::Glue::Database")
def make_database(request: Request) -> Made:
    """A database. As on AWS its name is made up where the template gives none, in lower case."""
    properties = request.properties
    properties.record("CatalogId")
    given = dict(properties.require("DatabaseInput"))
    name = given.setdefault("Name", request.name.lower())
    request.client("glue").create_database(DatabaseInput=given)
    return Made(name)


@resource("AWS::Glue::Table")
def make_table(request: Request) -> Made:
    """A table."""
    properties = request.properties
    properties.record("CatalogId")
    given = properties.require("TableInput")
    request.client("glue").create_table(DatabaseName=properties.require("DatabaseName"), TableInput=given)
    return Made(given["Name"])
