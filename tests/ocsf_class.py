"""OCSF 1.5.0's class API Activity (6003), written down from its schema as far as the records use it.

Source: https://schema.ocsf.io/1.5.0/classes/api_activity with the profiles cloud, datetime and security_control. In
Parquet ``json_t`` and the object ``unmapped`` are texts of JSON, and times are in milliseconds or are TIMESTAMPs.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Final

Check = Callable[[Any], bool]


@dataclass(frozen=True)
class Kind:
    """An object: its attributes, which of them must be there, and of which at least one must be."""

    attributes: Mapping[str, "Check | Kind | list[Check | Kind]"]
    required: frozenset[str] = frozenset()
    at_least_one: frozenset[str] = frozenset()


def one_of(*values: object) -> Check:
    return lambda value: any(value == each and type(value) is type(each) for each in values)


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_integer(value: Any) -> bool:
    return type(value) is int and -(2**31) <= value < 2**31


def is_long(value: Any) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


def is_json(value: Any) -> bool:
    return isinstance(value, str) and json.loads(value, parse_constant=lambda name: 1 / 0) is not ...


def is_object(value: Any) -> bool:
    return is_json(value) and isinstance(json.loads(value), dict)


def is_address(value: Any) -> bool:
    return str(ip_address(value)) != ""


def is_datetime(value: Any) -> bool:
    return isinstance(value, datetime) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value) is not None


def kind(required: str = "", at_least_one: str = "", /, **attributes: Any) -> Kind:
    return Kind(attributes, frozenset(required.split()), frozenset(at_least_one.split()))


ENDPOINT: Final = kind("", "ip name", ip=is_address, intermediate_ips=[is_address], name=is_text)
USER: Final = kind(
    "",
    "name uid",
    name=is_text,
    uid=is_text,
    uid_alt=is_text,
    type_id=one_of(0, 1, 2, 3, 4, 99),
    groups=[kind("", "name uid", name=is_text)],
)
METADATA: Final = kind(
    "product version",
    version=one_of("1.5.0"),
    profiles=[one_of("cloud", "datetime", "security_control")],
    product=kind("", "name uid", name=is_text, vendor_name=is_text, version=is_text),
    log_provider=is_text,
    log_name=is_text,
    log_level=is_text,
    uid=is_text,
    correlation_uid=is_text,
    original_time=is_text,
    logged_time=is_long,
    labels=[is_text],
)
API: Final = kind(
    "operation",
    operation=is_text,
    version=is_text,
    group=kind("", "name uid", name=is_text),
    request=kind("uid", uid=is_text, data=is_json),
    response=kind(code=is_integer, message=is_text, error=is_text, error_message=is_text, data=is_json),
)
API_ACTIVITY: Final = kind(
    "activity_id actor api category_uid class_uid metadata severity_id src_endpoint time type_uid",
    class_uid=one_of(6003),
    class_name=one_of("API Activity"),
    category_uid=one_of(6),
    category_name=one_of("Application Activity"),
    activity_id=one_of(0, 1, 2, 3, 4, 99),
    activity_name=is_text,
    type_uid=one_of(600300, 600301, 600302, 600303, 600304, 600399),
    type_name=is_text,
    severity_id=one_of(0, 1, 2, 3, 4, 5, 6, 99),
    severity=is_text,
    status_id=one_of(0, 1, 2, 99),
    status=is_text,
    status_code=is_text,
    time=is_long,
    time_dt=is_datetime,
    start_time=is_long,
    start_time_dt=is_datetime,
    message=is_text,
    action_id=one_of(0, 1, 2, 3, 4, 99),
    action=is_text,
    policy=kind("", "name uid", name=is_text),
    is_alert=one_of(True, False),
    metadata=METADATA,
    actor=kind(
        "",
        "session user",
        user=USER,
        session=kind(uid=is_text, credential_uid=is_text, issuer=is_text),
    ),
    cloud=kind("provider", provider=is_text, account=kind("", "name uid", uid=is_text)),
    src_endpoint=ENDPOINT,
    dst_endpoint=ENDPOINT,
    http_request=kind(user_agent=is_text, url=kind("", "path url_string", path=is_text)),
    api=API,
    resources=[kind("", "name uid", name=is_text, namespace=is_text, type=is_text, uid=is_text, version=is_text)],
    observables=[kind("name type_id", name=is_text, type=is_text, type_id=one_of(2, 4, 6), value=is_text)],
    unmapped=is_object,
)


def faults(record: Any) -> list[str]:
    """What is wrong with a record."""
    found = list(_faults("", record, API_ACTIVITY))
    if record["type_uid"] != record["class_uid"] * 100 + record["activity_id"]:
        found.append("type_uid")
    if "cloud" in record["metadata"]["profiles"] and not record.get("cloud"):
        found.append("cloud")
    return found


def _faults(path: str, value: Any, wanted: Any) -> Iterator[str]:
    if isinstance(wanted, list):
        if not isinstance(value, list):
            yield f"{path}: no list"
            return
        for number, each in enumerate(value):
            yield from _faults(f"{path}[{number}]", each, wanted[0])
    elif isinstance(wanted, Kind):
        there = {name: each for name, each in value.items() if each is not None}
        yield from (f"{path}.{name}: missing" for name in wanted.required - there.keys())
        if wanted.at_least_one and not wanted.at_least_one & there.keys():
            yield f"{path}: has none of {sorted(wanted.at_least_one)}"
        for name, each in there.items():
            if name not in wanted.attributes:
                yield f"{path}.{name}: unknown"
            else:
                yield from _faults(f"{path}.{name}", each, wanted.attributes[name])
    elif not wanted(value):
        yield f"{path}: {value!r}"
