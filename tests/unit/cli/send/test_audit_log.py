import gzip
from pathlib import Path

import pytest

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
