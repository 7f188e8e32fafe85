"""What `make build` has made for AWS, and that making it again gives the same."""

import runpy
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from auditwire.rules.bundle import decode_bundle
from auditwire.rules.files import rule_files
from auditwire.rules.pack import compile_pack
from template import ROOT, folder_digest

BUILT = ROOT / ".aws-sam" / "build"
BUILD = ROOT / "layers" / "auditwire" / "build.py"
LAYER = BUILT / "AuditwireLayer"
FUNCTIONS = {
    "IngestFunction": "ingest",
    "RelayFunction": "relay",
    "CompileRulesFunction": "compile_rules",
    "PublishOutboxFunction": "publish_outbox",
    "WatchFunction": "watch",
    "ConsoleFunction": "console",
}
MAGIC_PYTHON_3_13 = 3571
UNCHECKED_HASH = 0b01
AARCH64 = 183

pytestmark = pytest.mark.skipif(
    not (BUILT / "template.yaml").is_file(), reason="aws-sam-cli has not built the artefacts: make build"
)


def test_native_modules_are_for_the_functions_processor_and_python() -> None:
    native = list(LAYER.rglob("*.so"))
    assert {path.relative_to(LAYER / "python").parts[0] for path in native} >= {"orjson", "msgspec", "isal", "yaml"}
    for path in native:
        assert struct.unpack_from("<H", path.read_bytes(), 18) == (AARCH64,), path
        assert "cpython-313-" in path.name or ".abi3." in path.name, path


def test_layer_holds_the_library_and_every_default_document() -> None:
    package = LAYER / "python" / "auditwire"
    source = ROOT / "layers" / "auditwire" / "auditwire"
    names = {
        path.relative_to(source) for path in source.rglob("*") if path.suffix in {".py", ".lark", ".jsonl", ".json"}
    }
    assert names == {path.relative_to(package) for path in package.rglob("*") if path.relative_to(package) in names}
    documents = {path.relative_to(ROOT / "rules") for path in rule_files(ROOT / "rules")}
    default = package / "default_rules"
    assert documents == {path.relative_to(default) for path in default.rglob("*.yaml")}
    assert documents


def test_layer_holds_the_default_documents_compiled() -> None:
    data = (LAYER / "python" / "auditwire" / "default_bundle.json").read_bytes()
    bundle = decode_bundle(data)
    assert data == compile_pack(), "or are the artefacts old? make build"
    assert {source.path for source in bundle.sources} == {
        path.relative_to(ROOT / "rules").as_posix() for path in rule_files(ROOT / "rules")
    }
    # What compiling uploaded rules needs.
    assert {"lark", "yaml"} <= {path.name for path in (LAYER / "python").iterdir()}


def test_layer_leaves_out_what_the_runtime_brings() -> None:
    # The runtime's boto3 is compiled and warm; a second one would cost seconds of each cold start.
    assert not {"boto3", "botocore", "urllib3", "bin"} & {path.name for path in (LAYER / "python").iterdir()}
    size = sum(path.stat().st_size for path in LAYER.rglob("*") if path.is_file())
    assert size < 40_000_000


def test_bytecode_is_the_runtimes_and_unchecked() -> None:
    # Only the runtime's own version can write it; where that does not run here, the build says so and leaves it out.
    python = runpy.run_path(str(BUILD))["find_python"]("3.13")
    compiled = list(LAYER.rglob("*.pyc"))
    assert len(compiled) == (len(list(LAYER.rglob("*.py"))) if python else 0)
    for path in compiled:
        magic, _, flags = struct.unpack_from("<H2sI", path.read_bytes())
        assert (magic, flags) == (MAGIC_PYTHON_3_13, UNCHECKED_HASH), path


def test_artefacts_can_be_read_by_any_user() -> None:
    for path in BUILT.rglob("*"):
        if path.is_file() and path.name != "template.yaml":
            assert path.stat().st_mode & 0o044 == 0o044, path


@pytest.mark.parametrize("logical_id", sorted(FUNCTIONS))
def test_building_a_function_again_gives_the_same(logical_id: str, tmp_path: Path) -> None:
    source = ROOT / "functions" / FUNCTIONS[logical_id]
    subprocess.run([sys.executable, str(BUILD), "function", str(source), str(tmp_path)], check=True)
    assert folder_digest(tmp_path) == folder_digest(BUILT / logical_id), "or are the artefacts old? make build"
    assert {path.name for path in tmp_path.iterdir()} == {"app.py", "layer.sha256"}


def test_the_layer_for_searching_holds_duckdb_and_functions_with_both_are_within_bounds() -> None:
    search = BUILT / "SearchLayer"
    native = list(search.rglob("*.so"))
    assert native
    for path in native:
        assert struct.unpack_from("<H", path.read_bytes(), 18) == (AARCH64,), path
        assert ".abi3." in path.name
    sizes = [sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) for layer in (LAYER, search)]
    assert sizes[1] < 90_000_000
    assert sum(sizes) < 250_000_000, "more cannot be unpacked on Lambda"


def test_the_layer_of_the_console_holds_its_page_and_all_three_are_within_bounds() -> None:
    console = BUILT / "ConsoleLayer"
    native = list(console.rglob("*.so"))
    assert native
    for path in native:
        assert struct.unpack_from("<H", path.read_bytes(), 18) == (AARCH64,), path
        assert "cpython-313-" in path.name or ".abi3." in path.name, path
    source = ROOT / "console" / "auditwire_console"
    files = {path.relative_to(source) for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    packed = console / "python" / "auditwire_console"
    assert files == {path.relative_to(packed) for path in packed.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    layers = (LAYER, BUILT / "SearchLayer", console)
    sizes = [sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) for layer in layers]
    assert sizes[2] < 40_000_000
    assert sum(sizes) < 250_000_000, "more cannot be unpacked on Lambda"


def test_building_the_layer_again_gives_the_same(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(BUILD), "layer", str(tmp_path)], check=True)
    assert folder_digest(tmp_path) == folder_digest(LAYER), "or are the artefacts old? make build"
