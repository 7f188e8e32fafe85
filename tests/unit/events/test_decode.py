"""Bodies of every shape become events, item by item."""

import json

import pytest

from audit_events import SHAPES, as_kubesphere, event_list, item, text_of, view
from auditwire.events import Event, ObjectRef, Reject, User, decode, read
from auditwire.events.bounds import MAX_ITEMS
from captures import Capture, each_of, logs, own_bodies
from payloads import payload, payload_names

GOOD = text_of(item())

EXPECTED = {
    "aks-1.33-string-body": 1,
    "eks-1.33-array": 2,
    "eks-1.33-line-truncated": 2,
    "hypershift-4.16-unknown-key": 1,
    "ibm-iks-1.33-batch": 2,
    "k3s-1.31-single-event": 1,
    "ks-apiserver-3.0-single": 1,
    "ks-apiserver-3.1-batch": 2,
    "ks-apiserver-3.4-batch": 3,
    "ks-apiserver-3.4-empty-list": 0,
    "ks-apiserver-4.1-concatenated": 3,
    "ks-apiserver-4.1-single": 1,
    "ks-log-4.1-lines": 2,
    "kube-apiserver-1.26-exec-forbidden": 1,
    "kube-apiserver-1.34-batch": 4,
    "kube-apiserver-1.34-blocking-single": 1,
    "kube-apiserver-1.34-empty-list": 0,
    "kube-apiserver-1.34-exec": 3,
    "kube-apiserver-1.34-impersonation": 1,
    "kube-apiserver-1.34-json-patch": 1,
    "kube-apiserver-1.34-null-list": 0,
    "kube-apiserver-1.34-panic": 1,
    "kube-apiserver-1.34-secrets": 5,
    "kube-apiserver-1.34-tokens": 3,
    "kube-apiserver-1.34-truncated": 1,
    "kube-apiserver-1.34-unauthorized": 1,
    "kube-apiserver-1.35-authentication-metadata": 1,
    "kube-log-1.34-lines": 4,
    "kube-log-1.8-lines": 2,
    "openshift-4.14-line": 1,
}


def only(body: bytes) -> Event:
    decoded = decode(body)
    assert decoded.rejects == []
    (event,) = decoded.events
    return event


def bad(body: bytes) -> Reject:
    decoded = decode(body)
    assert decoded.events == []
    (reject,) = decoded.rejects
    return reject


# --- senders and shapes


def test_the_library_is_covered() -> None:
    assert payload_names() == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_sender_is_understood(name: str) -> None:
    decoded = decode(payload(name))

    assert len(decoded.events) == EXPECTED[name]
    assert [reject.reason for reject in decoded.rejects] == (["invalid_json"] if "line-truncated" in name else [])
    assert {event.sender for event in decoded.events} <= {"kubesphere" if name.startswith("ks-") else "kubernetes"}


@each_of(logs())
def test_every_captured_event_decodes(capture: Capture) -> None:
    decoded = decode(b"\n".join(capture.lines))

    assert [event.raw for event in decoded.events] == list(capture.lines)
    assert decoded.rejects == []


@each_of(own_bodies())
def test_every_captured_body_decodes(capture: Capture) -> None:
    decoded = [decode(body) for body in capture.lines]
    events = [event for one in decoded for event in one.events]

    assert [json.loads(event.raw) for event in events] == capture.events()
    assert not any(one.rejects for one in decoded)
    assert "" in {event.verb for event in events}  # of OPTIONS and of methods that nobody defined
    assert {event.sender for event in events} == {"kubesphere" if capture.name.startswith("ks-") else "kubernetes"}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_events(shape: str) -> None:
    items = [text_of(item(auditID=str(number), requestObject={"a": [1, None]})) for number in range(3)]

    decoded = decode(SHAPES[shape](items))

    assert decoded.rejects == []
    assert [event.raw for event in decoded.events] == items
    assert [event.auditID for event in decoded.events] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b" \r\n\t", b"\xef\xbb\xbf", b"null", b"{}", b"[]", b"{}{}", b"null\nnull",
        b'{"items":[]}', b'{"items":null}', b'{"Items":[ ]}', b'{"ITEMS":null}', b'{"kind":"EventList","items":[]}',
    ],
)  # fmt: skip
def test_bodies_of_nothing_hold_nothing(body: bytes) -> None:
    decoded = decode(body)

    assert (decoded.events, decoded.rejects) == ([], [])


def test_the_sender_of_a_mixture_is_told_by_the_casing_of_each_item() -> None:
    kubesphere = text_of(as_kubesphere(item()))

    decoded = decode(b"[%b,%b,%b]" % (GOOD, kubesphere, GOOD))

    assert [event.sender for event in decoded.events] == ["kubernetes", "kubesphere", "kubernetes"]
    assert len({json.dumps(view(event)) for event in decoded.events}) == 1


# --- the model


def test_an_event_has_the_names_of_kubernetes() -> None:
    event = only(GOOD)

    assert (event.level, event.stage, event.verb) == ("Metadata", "ResponseComplete", "get")
    assert event.user == User(username="alice", groups=["developers", "system:authenticated"])
    assert event.objectRef == ObjectRef(resource="pods", namespace="shop", name="web", apiVersion="v1")
    assert event.responseStatus is not None
    assert event.responseStatus.code == 200
    assert (event.impersonatedUser, event.annotations, event.requestObject, event.requestBody) == (None,) * 4


def test_what_an_event_lacks_is_empty_or_none() -> None:
    event = only(b'{"level":"Metadata","auditID":"a","stage":"Panic","verb":"get"}')

    assert event.user == User()
    assert event.objectRef == ObjectRef()
    assert (event.requestURI, event.userAgent, event.cluster, event.workspace) == ("",) * 4
    assert (event.responseStatus, event.sourceIPs, event.stageTimestamp) == (None,) * 3


def test_null_means_absent_everywhere_in_the_model() -> None:
    nulls = {
        "requestURI": None,
        "user": {"username": None, "groups": None, "extra": {"scopes": None, "kept": ["x"]}},
        "impersonatedUser": None,
        "authenticationMetadata": None,
        "sourceIPs": None,
        "objectRef": None,
        "responseStatus": {"code": None, "message": None},
        "requestObject": None,
        "responseObject": None,
        "requestReceivedTimestamp": None,
        "stageTimestamp": None,
        "annotations": {"gone": None, "kept": "x"},
        "cluster": None,
    }

    event = only(text_of(item(**nulls)))

    assert event.user == User(extra={"kept": ["x"]})
    assert event.objectRef == ObjectRef()
    assert event.annotations == {"kept": "x"}
    assert (event.requestURI, event.cluster) == ("", "")
    assert (event.requestObject, event.responseObject, event.stageTimestamp, event.sourceIPs) == (None,) * 4
    assert event.responseStatus is not None
    assert event.responseStatus.code is None


def test_keys_are_read_in_any_casing_at_the_levels_of_the_model_only() -> None:
    body = {"Kind": "Pod", "kind": "pod", "Data": {"A": 1}}
    event = only(
        text_of(
            {
                "LEVEL": "Request", "AuditId": "a", "sTaGe": "Panic", "VERB": "get",
                "USER": {"UserName": "bob", "GROUPS": ["g"], "Extra": {"Key": ["v"], "key": ["w"]}},
                "impersonateduser": {"Username": "eve"},
                "AuthenticationMetadata": {"ImpersonationConstraint": "x"},
                "objectref": {"RESOURCE": "pods", "APIGroup": "apps"},
                "ResponseStatus": {"Code": 200, "Details": {"Name": "n"}},
                "Annotations": {"Owner": "o", "owner": "p"},
                "RequestObject": body,
            }
        )
    )  # fmt: skip

    assert event.user == User(username="bob", groups=["g"], extra={"Key": ["v"], "key": ["w"]})
    assert event.impersonatedUser == User(username="eve")
    assert event.authenticationMetadata is not None
    assert event.authenticationMetadata.impersonationConstraint == "x"
    assert (event.objectRef.resource, event.objectRef.apiGroup) == ("pods", "apps")
    assert event.responseStatus is not None
    assert (event.responseStatus.code, event.responseStatus.details) == (200, {"Name": "n"})
    assert event.annotations == {"Owner": "o", "owner": "p"}
    assert event.requestBody == body


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        (b'"verb":"get","verb":"delete"', "delete"),
        (b'"Verb":"get","verb":"delete"', "delete"),
        (b'"verb":"get","VERB":"delete"', "delete"),
        (b'"verb":5,"verb":"delete"', "delete"),
        (b'"verb":null,"Verb":"delete"', "delete"),
    ],
)
def test_of_a_key_given_twice_the_last_wins(text: bytes, verb: str) -> None:
    assert only(b'{"level":"Metadata","auditID":"a","stage":"Panic",%b}' % text).verb == verb


def test_of_a_nested_key_given_twice_the_last_wins() -> None:
    ref = b'{"Name":"a","name":"b","NAME":"c"}'
    event = only(b'{"level":"Metadata","auditID":"a","stage":"Panic","verb":"get","objectRef":%b}' % ref)

    assert event.objectRef.name == "c"


def test_unknown_keys_are_no_fault_and_kept() -> None:
    event = only(payload("hypershift-4.16-unknown-key"))

    assert {key: bytes(value) for key, value in event.unknown.items()} == {
        "job": b'"audit"',
        "hostedCluster": b'{"name":"guest-1","id":100.0}',
    }
    assert set(only(payload("ks-apiserver-4.1-single")).unknown) == {"HostName", "HostIP"}
    assert only(GOOD).unknown == {}


def test_no_key_of_a_body_reaches_what_stands_beside_the_fields() -> None:
    forged = {"raw": "x", "received": "x", "flags": ["x"], "edited": ["level"], "sender": "x", "reportedCluster": "x"}
    event = only(text_of(item(**forged)))

    assert (event.sender, event.flags, event.reportedCluster, event.edited) == ("kubernetes", (), "", frozenset())
    assert json.loads(event.raw)["raw"] == "x"


def test_a_level_nobody_knows_is_no_fault() -> None:
    assert only(text_of(item(level="Everything"))).level == "Everything"


def test_an_outer_key_items_that_is_no_list_is_an_unknown_key_of_the_event() -> None:
    assert "items" in only(text_of(item(items="three"))).unknown


def test_the_digest_is_of_the_item_as_received() -> None:
    compact, spaced = only(GOOD), only(GOOD.replace(b'","', b'" ,"'))

    assert compact.digest != spaced.digest
    assert compact.digest == decode(event_list([GOOD])).events[0].digest
    assert len(compact.digest) == 64


# --- bad items


@pytest.mark.parametrize(
    ("fault", "reason", "detail"),
    [
        (b"5", "not_an_object", "the item is not a JSON object"),
        (b"null", "not_an_object", "the item is not a JSON object"),
        (b'"text"', "not_an_object", "the item is not a JSON object"),
        (b"[1]", "not_an_object", "the item is not a JSON object"),
        (b"{}", "not_an_event", "the object has none of the fields of an audit event"),
        (b'{"foo":1}', "not_an_event", "the object has none of the fields of an audit event"),
        (text_of(item(auditID=None)), "missing_field", "the event lacks auditID"),
        (text_of(item(verb="", stage="")), "missing_field", "the event lacks stage"),
        (text_of(item(verb=None, stage="")), "missing_field", "the event lacks stage, verb"),
        (text_of(as_kubesphere(item(level=""))), "missing_field", "the event lacks level"),
        (text_of(item(verb=["get"])), "wrong_type", "Expected `str`, got `array` - at `$.verb`"),
        (text_of(item(user="alice")), "wrong_type", "Expected `object`, got `str` - at `$.user`"),
        (text_of(item(user={"groups": "g"})), "wrong_type", "Expected `array | null`, got `str` - at `$.user.groups`"),
        (text_of(item(sourceIPs=[1])), "wrong_type", "Expected `str`, got `int` - at `$.sourceIPs[0]`"),
        (text_of(item(sourceIPs=[None])), "wrong_type", "Expected `str`, got `null` - at `$.sourceIPs[0]`"),
        (text_of(item(objectRef=[])), "wrong_type", "Expected `object`, got `array` - at `$.objectRef`"),
        (text_of(item(annotations={"a": 1})), "wrong_type", "Expected `str`, got `int` - at `$.annotations[...]`"),
        (text_of(item(responseStatus={"code": "200"})), "wrong_type", "got `str` - at `$.responseStatus.code`"),
        (text_of(item(responseStatus={"code": 2**70})), "wrong_type", "at `$.responseStatus.code`"),
        (text_of(item(stageTimestamp=5)), "wrong_type", "got `int` - at `$.stageTimestamp`"),
        (text_of(as_kubesphere(item(message=5))), "wrong_type", "Expected `str`, got `int` - at `$.message`"),
        (text_of(item(kind=5)), "wrong_type", "Expected `str`, got `int` - at `$.kind`"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["EventList", "Items", "array"])
def test_a_bad_item_costs_only_itself(shape: str, fault: bytes, reason: str, detail: str) -> None:
    decoded = decode(SHAPES[shape]([GOOD, fault, GOOD]))

    assert [event.raw for event in decoded.events] == [GOOD, GOOD]
    (reject,) = decoded.rejects
    assert (reject.kind, reject.reason, reject.raw) == ("item", reason, fault)
    assert detail in reject.detail


@pytest.mark.parametrize("body", [b"5", b'"text"', b"true", b'{"foo":1}', b'{"items":{"a":1}}', b'{"items":"x"}'])
def test_a_body_that_is_neither_list_nor_event_is_one_bad_item(body: bytes) -> None:
    reject = bad(body)

    assert (reject.kind, reject.raw) == ("item", body)


def test_a_bad_object_among_concatenated_ones_costs_only_itself() -> None:
    decoded = decode(GOOD + b'{"foo":1}' + GOOD)

    assert len(decoded.events) == 2
    assert [reject.reason for reject in decoded.rejects] == ["not_an_event"]


@pytest.mark.parametrize("line", [b"not JSON", b'{"level":"Meta', b'{"a":NaN}', GOOD[:200] + b"[Truncated...]"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_faulty_line_costs_only_itself(line: bytes, place: int) -> None:
    lines = [GOOD, GOOD]
    lines.insert(place, line)

    decoded = decode(b"\n".join(lines) + b"\n")

    assert len(decoded.events) == 2
    assert decoded.rejects == [Reject("item", "invalid_json", "the line is not JSON", line)]


def test_what_is_said_about_a_bad_item_never_quotes_it() -> None:
    reject = bad(text_of(item(user={"username": {"password": "synthetic-secret"}})))

    assert "synthetic-secret" not in reject.detail


# --- bad bodies


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not JSON", "invalid_json"),
        (event_list([GOOD, b'{"a":NaN}']), "invalid_json"),
        (event_list([GOOD, b'{"requestObject":-Infinity}']), "invalid_json"),
        (event_list([GOOD, b'{"requestObject":"\\q"}']), "invalid_json"),
        (event_list([GOOD, b'{"requestObject":"\\ud800 and on and on"}']), "invalid_json"),
        (event_list([GOOD, b'{"requestObject":"\\udc00"}']), "invalid_json"),
        (event_list([GOOD, b'{"requestObject":"a\nb"}']), "invalid_json"),
        (event_list([GOOD, b'{"requestObject":01}']), "invalid_json"),
        (event_list([GOOD, b""]), "invalid_json"),
        (event_list([GOOD, b'{"requestObject":"\xff"}']), "invalid_utf8"),
        (event_list([GOOD, b'{"requestObject":"\xed\xa0\x80"}']), "invalid_utf8"),
        (event_list([GOOD, b'{"requestObject":"\xc3"}']), "invalid_utf8"),
        (GOOD.replace(b"alice", b"al\xffce") + b"\n", "invalid_utf8"),
        (event_list([GOOD, GOOD])[:-20], "truncated"),
        (event_list([GOOD, GOOD])[:-2], "truncated"),
        (GOOD + GOOD[:-1], "truncated"),
        (b'{"Items":[' + GOOD + b",\n" + GOOD, "truncated"),
        (b'{"Items":[' + GOOD + b",\n" + GOOD + b",\n" + GOOD[:50], "truncated"),
        (json.dumps(item(), indent=2).encode()[:-5], "truncated"),
        (GOOD + b"," + GOOD, "invalid_json"),
        (GOOD.decode().encode("utf-16"), "invalid_utf8"),
        (GOOD.decode().encode("utf-16-le"), "invalid_json"),
        (b"\x00", "invalid_json"),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", "invalid_json"),
    ],
)
def test_a_fault_that_prevents_splitting_rejects_the_whole_body(body: bytes, reason: str) -> None:
    reject = bad(body)

    assert (reject.kind, reject.reason, reject.raw) == ("body", reason, body)


# --- numbers out of range


def test_a_number_beyond_a_double_in_a_body_becomes_infinite_and_harms_nothing() -> None:
    text = b'{"big":1e999,"small":-1e999,"digits":%b,"ok":18446744073709551616}' % (b"9" * 5000)
    event = only(GOOD[:-1] + b',"requestObject":%b}' % text)

    assert event.requestBody["big"] == float("inf")
    assert event.requestBody["small"] == float("-inf")
    assert event.requestBody["digits"] == float("inf")
    assert event.requestBody["ok"] == 18446744073709551616
    assert bytes(event.requestObject or b"") == text


def test_a_number_beyond_a_double_in_the_model_makes_the_item_bad() -> None:
    fault = GOOD.replace(b'"code":200', b'"code":1e999')

    assert [reject.reason for reject in decode(event_list([GOOD, fault])).rejects] == ["wrong_type"]


# --- deep nesting

DEEP = b"[" * 10_000 + b"]" * 10_000
DEEP_OBJECT = b'{"a":' * 10_000 + b"1" + b"}" * 10_000
TOO_DEEP = {
    "request body": GOOD[:-1] + b',"requestObject":%b}' % DEEP,
    "object in a response body": GOOD[:-1] + b',"responseObject":%b}' % DEEP_OBJECT,
    "unknown key": GOOD[:-1] + b',"more":%b}' % DEEP,
    "details": GOOD.replace(b'"code":200', b'"details":%b' % DEEP_OBJECT),
    "status metadata": GOOD.replace(b'"metadata":{}', b'"metadata":%b' % DEEP_OBJECT),
    "field of the model": GOOD.replace(b'"get"', DEEP),
    "brackets in strings": GOOD[:-1] + b',"requestObject":["]}]\\"",%b,"[{"]}' % DEEP,
    "601 levels": GOOD[:-1] + b',"requestObject":%b}' % (b"[" * 600 + b"]" * 600),
}


@pytest.mark.parametrize("where", TOO_DEEP)
@pytest.mark.parametrize("shape", SHAPES)
def test_an_item_nested_too_deep_costs_only_itself(shape: str, where: str) -> None:
    fault = TOO_DEEP[where]

    decoded = decode(SHAPES[shape]([GOOD, fault, GOOD, fault]))

    assert [event.raw for event in decoded.events] == [GOOD, GOOD]
    assert [(reject.kind, reject.raw) for reject in decoded.rejects] == [("item", fault)] * 2
    assert {reject.reason for reject in decoded.rejects} == {"too_deep"}


@pytest.mark.parametrize("shape", ["EventList", "Items", "array"])
def test_an_item_that_is_nothing_but_depth_costs_only_itself(shape: str) -> None:
    decoded = decode(SHAPES[shape]([GOOD, DEEP, GOOD]))

    assert [event.raw for event in decoded.events] == [GOOD, GOOD]
    assert [reject.raw for reject in decoded.rejects] == [DEEP]


def test_nesting_up_to_the_bound_is_read() -> None:
    event = only(event_list([GOOD[:-1] + b',"requestObject":%b}' % (b"[" * 499 + b"]" * 499)]))

    assert event.requestBody is not None


def test_a_deep_item_in_a_faulty_body_does_not_save_the_body() -> None:
    deep = TOO_DEEP["request body"]

    assert bad(event_list([deep, b'{"a":NaN}'])).reason == "invalid_json"
    assert bad(event_list([GOOD, deep])[:-10_000]).reason == "truncated"
    assert bad(b"[" * 100_000).kind == "body"


def test_a_deep_value_outside_of_the_items_costs_nothing() -> None:
    assert only(b'{"kind":"EventList","metadata":%b,"items":[%b]}' % (DEEP_OBJECT, GOOD)).raw == GOOD


@pytest.mark.slow
# Any cost that grows faster than the body would keep these from ever ending.
@pytest.mark.parametrize(
    "body",
    [b"[" * 3_000_000, b'[{"a":' * 500_000, b'"' + b'\\"' * 1_000_000 + DEEP, DEEP * 100, b'[["\\' * 300_000],
    ids=["arrays", "objects", "behind a text", "many", "open texts"],
)
def test_deep_nesting_is_found_however_long_the_body(body: bytes) -> None:
    decoded = decode(body)

    assert not decoded.events
    assert decoded.rejects


def test_an_item_that_holds_what_an_item_begins_with_is_read_whole() -> None:
    nested = text_of(item(requestObject={"items": [{"a": 1}, {"level": "x"}, {"level": "y", "auditID": "z"}]}))
    short = b'{"level":"Metadata","auditID":"a","stage":"Panic","verb":"get"}'
    for sent in ([nested], [nested, short], [short, nested, short, nested]):
        assert [event.raw for event in decode(event_list(sent)).events] == sent


def test_a_taker_is_dropped_when_a_bound_comes_to_light_late() -> None:
    takers: list[list[Event]] = []

    def begin() -> list[Event]:
        takers.append([])
        return takers[-1]

    taken = read(b"\n".join([GOOD] * (MAX_ITEMS + 1)), begin, list.append)

    assert taken.taker == []
    assert [reject.reason for reject in taken.rejects] == ["too_many_items"]
    assert len(takers[0]) == MAX_ITEMS
