"""Removing ``metadata.managedFields`` from bodies: it records who set which field, is often half of an object, and
nobody asks for it.

Removed as in kube-apiserver (pkg/audit/request.go, copyWithoutManagedFields): from the object itself, from the items of
a list, and from the objects in the rows of a table.
"""

from collections.abc import Callable

import msgspec

from auditwire.events.casing import fields_of, is_object

_MANAGED_FIELDS = "managedFields"
# Every body that has the key contains this text. Only an escape could hide it, and no API server writes one.
_IN_TEXT = b'"managedFields"'
_LIST = msgspec.json.Decoder(list[msgspec.Raw])

_Rewrite = Callable[[msgspec.Raw], msgspec.Raw]


def strip_managed_fields(body: msgspec.Raw) -> msgspec.Raw:
    """The body without managed fields; every other value keeps its exact text. The same object if there were none."""
    if not is_object(body) or _IN_TEXT not in bytes(body):
        return body
    stripped = _in_key(body, "metadata", _without_managed_fields)
    stripped = _in_key(stripped, "items", lambda items: _in_array(items, _of_object))
    return _in_key(stripped, "rows", lambda rows: _in_array(rows, lambda row: _in_key(row, "object", _of_object)))


def _of_object(text: msgspec.Raw) -> msgspec.Raw:
    return _in_key(text, "metadata", _without_managed_fields)


def _without_managed_fields(metadata: msgspec.Raw) -> msgspec.Raw:
    if not is_object(metadata):
        return metadata
    fields = fields_of(metadata)
    if fields.pop(_MANAGED_FIELDS, None) is None:
        return metadata
    return msgspec.Raw(msgspec.json.encode(fields))


def _in_key(text: msgspec.Raw, name: str, rewrite: _Rewrite) -> msgspec.Raw:
    if not is_object(text):
        return text
    fields = fields_of(text)
    value = fields.get(name)
    if value is None:
        return text
    rewritten = rewrite(value)
    if rewritten is value:
        return text
    return msgspec.Raw(msgspec.json.encode({**fields, name: rewritten}))


def _in_array(text: msgspec.Raw, rewrite: _Rewrite) -> msgspec.Raw:
    if bytes(memoryview(text)[:1]) != b"[":
        return text
    items = _LIST.decode(text)
    rewritten = [rewrite(item) for item in items]
    if all(new is old for new, old in zip(rewritten, items, strict=True)):
        return text
    return msgspec.Raw(msgspec.json.encode(rewritten))
