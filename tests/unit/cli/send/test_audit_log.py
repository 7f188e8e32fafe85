import gzip
import json
from pathlib import Path

import pytest

from auditwire.events import decode
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.send.audit_log import Item, open_audit_log, split

A, B, C = b'{"auditID":"a"}', b'{"auditID":"b","requestObject":{"items":[1]}}', b'{"AuditID":"c"}'


def read(path: Path, content: bytes) -> list[Item]:
    path.write_bytes(content)
    with open_audit_log(str(path)) as log:
        return list(log)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(A + b"\n" + B + b"\n", [A, B], id="json lines"),
        pytest.param(A + b"\r\n\r\n" + B, [A, B], id="json lines with empty lines and no end"),
        pytest.param(b"\xef\xbb\xbf" + A + b"\n" + B, [A, B], id="byte-order mark"),
        pytest.param(b'{"kind":"EventList","items":[' + A + b"," + B + b"]}", [A, B], id="EventList"),
        pytest.param(b'{"Items":[' + C + b"]}\n" + b'{"Items":[' + A + b"]}\n", [C, A], id="a list a line"),
        pytest.param(b"[\n  " + A + b",\n  " + B + b"\n]\n", [A, B], id="array over lines"),
        pytest.param(b"[\n" + A + b"\n]", [A], id="array of one over lines"),
        pytest.param(b'{\n "auditID": "a"\n}\n{\n "auditID": "b"\n}', None, id="printed for people"),
        pytest.param(A + B + C, [A, B, C], id="back to back"),
        pytest.param(A, [A], id="one event"),
        pytest.param(b"\n \n", [], id="nothing"),
    ],
)
def test_items_come_out_of_every_shape_byte_for_byte(
    tmp_path: Path, content: bytes, expected: list[bytes] | None
) -> None:
    items = read(tmp_path / "audit.log", content)

    assert not any(item.fault for item in items)
    assert [item.raw for item in items] == (expected or [b'{\n "auditID": "a"\n}', b'{\n "auditID": "b"\n}'])[
        : len(items)
    ]
    assert len(items) == (2 if expected is None else len(expected))


def test_gzip_is_recognised_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    items = read(tmp_path / "audit.log", gzip.compress(A + b"\n" + B))

    assert [item.raw for item in items] == [A, B]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        pytest.param(b'{"auditID":"cut', "not JSON: ", id="cut off"),
        pytest.param(b"E1121 audit buffer queue blocked", "not JSON: ", id="text"),
        pytest.param(b'{"auditID":"\xff"}', "not JSON: ", id="not UTF-8"),
        pytest.param(b'{"auditID":NaN}', "not JSON: ", id="NaN"),
        pytest.param(b'{"auditID":"\\ud800"}', "not JSON: ", id="lone surrogate"),
    ],
)
def test_a_line_that_is_no_json_is_kept_and_costs_no_neighbour(tmp_path: Path, line: bytes, fault: str) -> None:
    items = read(tmp_path / "audit.log", A + b"\n" + line + b"\n" + B + b"\n")

    assert [item.raw for item in items] == [A, line, B]
    assert [bool(item.fault) for item in items] == [False, True, False]
    assert items[1].fault.startswith(fault)
    assert items[1].place == "2"


EVENT = b'{"level":"Metadata","auditID":"e","stage":"ResponseComplete","verb":"get"}'
PRINTED = b'{\n  "level": "Metadata",\n  "verb": "get"\n}'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param([b"klog 1", b"klog 2", A, B], [1, 2, A, B], id="text first"),
        pytest.param([b'ID":"x"}', b'{"auditID":"cu', A, b'{"auditID":"'], [1, 2, A, 4], id="cut lines"),
        pytest.param([b'{"auditID":"a","user":{', A, B], [1, A, B], id="cut behind a brace"),
        pytest.param([b'{"auditID":"a",', A, b'{"x":', B], [1, A, 3, B], id="cut behind a comma, or a name"),
        pytest.param([PRINTED, A, PRINTED], [PRINTED, A, PRINTED], id="printed and lines"),
        pytest.param([b"klog", PRINTED], [1, PRINTED], id="text and printed"),
        pytest.param([b'{"items": [', A + b",", B, b"]}", C], [A, B, C], id="list of lines"),
        pytest.param([b"[" + A + b",", B + b"]"], [A, B], id="array of lines"),
        pytest.param([b"\0\0\0" + A, b"  " + B, b"\0"], [A, B], id="NUL bytes and spaces"),
        pytest.param([b"master-0 " + EVENT, A], [1, A], id="behind a prefix"),
        pytest.param([b"[", b"not JSON", A, b"{", b"]"], [1, 2, A, 4, 5], id="brackets that are none"),
    ],
)
def test_every_whole_value_is_found_whatever_stands_between(
    tmp_path: Path, content: list[bytes], expected: list[bytes | int]
) -> None:
    items = read(tmp_path / "audit.log", b"\n".join(content) + b"\n")

    assert [item.line if item.fault else item.raw for item in items] == expected


def test_a_cut_line_does_not_hold_back_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b'{"auditID":"a","user":{\n' + (A + b"\n") * 2_000)
    with open_audit_log(str(path)) as log:
        items = iter(log)
        assert [next(items).line for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("line", [b"klog", b"[", b'{"a":', b"\0", b"{" * 500])
def test_a_file_of_nothing_but_noise_is_given_up(tmp_path: Path, line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditwire_cli.send.audit_log.MAX_HEAD_BYTES", 10_000)
    with pytest.raises(CommandError, match="there are no audit events in"):
        read(tmp_path / "audit.log", (line + b"\n") * 5_000 + (b"" if line != b"\0" else b"x"))


def test_a_first_line_cut_by_log_rotation_does_not_hide_the_rest(tmp_path: Path) -> None:
    items = read(tmp_path / "audit.log", b'ID":"x"}\n' + A + b"\n" + B)

    assert [bool(item.fault) for item in items] == [True, False, False]


def test_places_name_the_line_and_the_item_on_it(tmp_path: Path) -> None:
    items = read(tmp_path / "audit.log", A + b"\n[" + A + b"," + B + b"]\n")

    assert [item.place for item in items] == ["1", "2 item 1", "2 item 2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"\x89PNG\r\n\x1a\n", "there are no audit events in .*: not UTF-8 at byte 1", id="picture"),
        pytest.param(b"hello\nworld\n", "there are no audit events in .*: not JSON: Expecting value", id="text"),
        pytest.param(gzip.compress(A * 50)[:-20], "cannot read", id="cut gzip"),
        pytest.param(b"[" * 100_000, "there are no audit events in", id="nested too deep"),
    ],
)
def test_a_file_that_holds_no_events_at_all_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        read(tmp_path / "audit.log", content)


def test_a_missing_file_is_a_wrong_call(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match=r"cannot read .+: No such file or directory"),
        open_audit_log(str(tmp_path / "none.log")),
    ):
        pass


def test_only_the_outer_list_is_split() -> None:
    assert split(B) == [B]
    assert split(b'{"items":"no list"}') == [b'{"items":"no list"}']


@pytest.mark.parametrize("indent", [1, 2, 4])
def test_a_printed_value_whose_beginning_is_cut_off_gives_none_of_what_stands_in_it(
    tmp_path: Path, indent: int
) -> None:
    forged = {"level": "Metadata", "auditID": "forged", "verb": "delete", "stage": "ResponseComplete"}
    printed = json.dumps({"auditID": "a", "requestObject": {"spec": forged}}, indent=indent)
    path = tmp_path / "audit.log"
    path.write_text(printed[printed.index('"spec": ') + 8 :] + '\n{"auditID": "whole"}\n')

    with open_audit_log(str(path)) as log:
        found = list(log)

    assert [item.raw for item in found if not item.fault] == [b'{"auditID": "whole"}']
    # What is sent alone holds the brackets behind it, by which the endpoint knows it too.
    assert [decode(item.raw).events for item in found if item.fault] == [[]] * (len(found) - 1)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_of_powershell_is_refused_by_its_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "audit.log"
    path.write_text('{"auditID": "a", "level": "Metadata"}\n' * 3, encoding=encoding)

    with open_audit_log(str(path)) as log, pytest.raises(CommandError, match="is UTF-16, not UTF-8"):
        list(log)
