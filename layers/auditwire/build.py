"""Build the shared layer and the functions' artefacts: what the makefile builders of `sam build` call.

No Docker: pip is told to fetch the wheels of the function's platform, whatever this machine is. The script itself is
standard library; compiling the default rules takes a Python with what the library needs (.venv), from 3.11 on.

    build.py layer DEST [--arch arm64|x86_64|host] [--python 3.13]   library, locked requirements, default rules
                                                                    and the bundle they compile to
    build.py search-layer DEST [--arch …] [--python …]              the locked requirements of layers/search
    build.py console-layer DEST [--arch …] [--python …]             those of layers/console, and the console itself
    build.py function SOURCE DEST                                   the function's modules and the layer's digest
    build.py inputs FILE                                            rewrite FILE if anything `sam build` reads changed
    build.py host DEST                                              all of it for this machine, for the tests
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LAYER = Path(__file__).resolve().parent
ROOT = LAYER.parent.parent
REQUIREMENTS = LAYER / "requirements.txt"
SEARCH = ROOT / "layers" / "search"
SEARCH_REQUIREMENTS = SEARCH / "requirements.txt"
CONSOLE = ROOT / "layers" / "console"
CONSOLE_REQUIREMENTS = CONSOLE / "requirements.txt"
CONSOLE_PACKAGES = ROOT / "console"
RULES = ROOT / "rules"
DEFAULT_BUNDLE = "default_bundle.json"
RUNTIME_PYTHON = "3.13"
WHEEL_ARCHITECTURE = {"arm64": "aarch64", "x86_64": "x86_64"}
# Files of an installed distribution that say how pip installed it, not what it is.
PIP_TRACES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


class BuildError(Exception):
    """The build cannot go on; the text says what to do."""


def source_files(folder: Path) -> Iterator[Path]:
    """Files below `folder` that belong to the source, in a stable order: nothing compiled, nothing hidden."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and "__pycache__" not in parts and not any(p.startswith(".") for p in parts):
            yield path


def rule_documents() -> list[Path]:
    """The default documents that go into the layer."""
    return [
        path
        for path in source_files(RULES)
        if path.suffix in {".yaml", ".yml"} and not path.name.endswith((".test.yaml", ".test.yml"))
    ]


def digest_of(paths: Iterable[Path], *words: str) -> str:
    """SHA-256 in hexadecimal over words and over the files' names (relative to the repository) and contents."""
    digest = hashlib.sha256()
    for word in words:
        digest.update(f"{word}\0".encode())
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def layer_digest() -> str:
    """Digest of everything the layers for AWS are made of.

    Taken from the inputs, so that a function can be built before or beside the layer; with the locked hashes the same
    inputs give the same layer. Whether there is bytecode is an input too.
    """
    bytecode = "bytecode" if find_python(RUNTIME_PYTHON) else "no bytecode"
    files = [LAYER / "build.py", REQUIREMENTS, SEARCH_REQUIREMENTS, CONSOLE_REQUIREMENTS]
    files += [*source_files(LAYER / "auditwire"), *source_files(CONSOLE_PACKAGES), *rule_documents()]
    return digest_of(files, "layer", RUNTIME_PYTHON, bytecode)


def inputs_digest() -> str:
    """Digest of everything `sam build` reads."""
    files = [ROOT / "template.yaml", ROOT / "samconfig.toml", LAYER / "Makefile"]
    files += [SEARCH / "Makefile", CONSOLE / "Makefile"]
    files += source_files(ROOT / "functions")
    return digest_of(files, "inputs", layer_digest())


def find_python(version: str) -> str | None:
    """Path of an interpreter of `version` (such as "3.13") that really starts, or None.

    A name on the PATH proves nothing: a version manager's shim may refuse to run, so each candidate is tried.
    """
    name = f"python{version}"
    candidates = [sys.executable, os.environ.get("AUDITWIRE_PYTHON", ""), shutil.which(name) or ""]
    for manager in (Path.home() / ".pyenv/versions", Path.home() / ".local/share/uv/python"):
        candidates += sorted((str(path) for path in manager.glob(f"*{version}*/bin/{name}")), reverse=True)
    probe = "import sys, compileall; print('%d.%d' % sys.version_info[:2])"
    for candidate in filter(None, candidates):
        try:
            answer = subprocess.run(  # noqa: S603 - the interpreters found above
                [candidate, "-I", "-c", probe], capture_output=True, text=True, timeout=20, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return candidate
    return None


def pip_install(requirements: Path, dest: Path, *, arch: str, python: str) -> None:
    """Install locked wheels for another machine into `dest`; `host` means this kind of machine."""
    platforms: list[str] = []
    if arch != "host":
        machine = WHEEL_ARCHITECTURE[arch]
        # Both tags: google-re2 comes as 2_28 only, others as 2014 only. Amazon Linux 2023 runs either.
        platforms = ["--platform", f"manylinux_2_28_{machine}", "--platform", f"manylinux2014_{machine}"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:", "--implementation", "cp"]
    command += ["--python-version", python, *platforms, "--target", str(dest), "--requirement", str(requirements)]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own pip
        raise BuildError(f"pip could not install {requirements.relative_to(ROOT)} for {arch}, Python {python}")
    shutil.rmtree(dest / "bin", ignore_errors=True)
    for folder in dest.glob("*.dist-info"):
        for trace in PIP_TRACES:
            (folder / trace).unlink(missing_ok=True)


def compile_bytecode(dest: Path, *, python: str) -> bool:
    """Write .pyc files for everything below `dest`; False where no interpreter of that version runs here.

    Without them each cold start compiles, which costs more than importing. Only the runtime's own version can write
    them. Unchecked: packing changes modification times, and /opt is read-only anyway.
    """
    interpreter = find_python(python)
    if interpreter is None:
        return False
    command = [interpreter, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    # Paths as the function sees them, in tracebacks too; a fixed hash seed keeps the bytes the same each time.
    command += ["-s", str(dest), "-p", "/opt", str(dest)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    if subprocess.run(command, env=environment, check=False).returncode:  # noqa: S603 - the interpreter found above
        raise BuildError(f"{interpreter} could not compile the layer")
    return True


def compile_default_rules(package: Path) -> None:
    """Write the bundle of the default documents beside them, so that no function needs parser or YAML for it.

    It is data, the same for every processor, so this Python makes it: with the copied library, but with its own wheels.
    """
    command = [sys.executable, "-m", "auditwire.rules.pack", str(package / DEFAULT_BUNDLE)]
    with tempfile.TemporaryDirectory() as folder:
        # The copy alone, since the wheels beside it are for another machine; no bytecode of this Python in it.
        (Path(folder) / package.name).symlink_to(package)
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, env=environment, cwd=folder, check=False)  # noqa: S603 - our own module
    if done.returncode:
        raise BuildError(
            f"{sys.executable} could not compile the default rules. It needs what the library needs: make setup"
        )


def copy_files(paths: Iterable[Path], source: Path, dest: Path) -> None:
    """Copy files from below `source` to the same places below `dest`."""
    for path in paths:
        target = dest / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def settle_modes(dest: Path) -> None:
    """Readable by all, whatever the builder's umask: the function runs as another user."""
    for path in [dest, *dest.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def build_layer(dest: Path, *, arch: str, python: str) -> None:
    """Make the layer's content in `dest`: python/ with the requirements, the library, its default documents and
    the bundle of them."""
    if not RULES.is_dir():
        raise BuildError("rules/ is not beside layers/: SAM copied the source away. Use `sam build --build-in-source`.")
    packages = dest / "python"
    shutil.rmtree(packages, ignore_errors=True)
    pip_install(REQUIREMENTS, packages, arch=arch, python=python)
    copy_files(source_files(LAYER / "auditwire"), LAYER, packages)
    copy_files(rule_documents(), RULES, packages / "auditwire" / "default_rules")
    compile_default_rules(packages / "auditwire")
    if not compile_bytecode(dest, python=python):
        print(
            f"warning: no python{python} runs here: the layer has no bytecode, cold starts are slower", file=sys.stderr
        )
    settle_modes(dest)


def build_search_layer(dest: Path, *, arch: str, python: str) -> None:
    """Make the content of the layer for searching in `dest`."""
    packages = dest / "python"
    shutil.rmtree(packages, ignore_errors=True)
    pip_install(SEARCH_REQUIREMENTS, packages, arch=arch, python=python)
    compile_bytecode(dest, python=python)
    settle_modes(dest)


def build_console_layer(dest: Path, *, arch: str, python: str) -> None:
    """Make the content of the console's layer in `dest`: its requirements, and the package with the page's files."""
    packages = dest / "python"
    shutil.rmtree(packages, ignore_errors=True)
    pip_install(CONSOLE_REQUIREMENTS, packages, arch=arch, python=python)
    copy_files(source_files(CONSOLE_PACKAGES), CONSOLE_PACKAGES, packages)
    compile_bytecode(dest, python=python)
    settle_modes(dest)


def build_function(source: Path, dest: Path) -> None:
    """Make a function's artefact: its modules, and the digest of the layer it runs with.

    SAM publishes a new version of a function when its artefact changes, not when its layer does; the digest makes the
    one follow the other.
    """
    modules = [path for path in source_files(source.resolve()) if path.suffix == ".py"]
    if not modules:
        raise BuildError(f"{source} has no Python module")
    copy_files(modules, source.resolve(), dest)
    (dest / "layer.sha256").write_text(layer_digest() + "\n", encoding="ascii")
    settle_modes(dest)


def build_host(dest: Path) -> None:
    """Make what a test needs to run the artefacts here: the same make targets, for this machine's processor.

    Writes layer/, search/, console-layer/, a folder per function, base/ (what the Lambda base image brings beside the
    interpreter) and `python`, the path of the interpreter it was made for: the runtime's version where one runs here,
    else this one.
    """
    shutil.rmtree(dest, ignore_errors=True)
    interpreter, version = find_python(RUNTIME_PYTHON), RUNTIME_PYTHON
    if interpreter is None:
        interpreter, version = sys.executable, f"{sys.version_info.major}.{sys.version_info.minor}"
    targets = {
        "layer": (LAYER, "AuditwireLayer"),
        "search": (SEARCH, "SearchLayer"),
        "console-layer": (CONSOLE, "ConsoleLayer"),
    }
    for folder in sorted((ROOT / "functions").iterdir()):
        if (folder / "Makefile").is_file():
            name = "".join(word.capitalize() for word in folder.name.split("_"))
            targets[folder.name] = (folder, f"{name}Function")
    for name, (folder, logical_id) in targets.items():
        artefacts = dest / name
        artefacts.mkdir(parents=True)
        variables = [f"ARTIFACTS_DIR={artefacts}", f"BUILD_PYTHON={sys.executable}", "LAYER_ARCH=host"]
        command = ["make", "--silent", "-C", str(folder), f"build-{logical_id}", *variables, f"LAYER_PYTHON={version}"]
        if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own makefiles
            raise BuildError(f"{folder.relative_to(ROOT)} could not be built for this machine")
    pip_install(ROOT / "requirements" / "runtime.txt", dest / "base", arch="host", python=version)
    (dest / "python").write_text(interpreter + "\n", encoding="utf-8")


def write_inputs(file: Path) -> None:
    """Keep the digest of the build's inputs in `file`, untouched when nothing changed: make compares its time."""
    digest = inputs_digest() + "\n"
    if not file.is_file() or file.read_text(encoding="ascii") != digest:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(digest, encoding="ascii")


def parse_arguments() -> argparse.Namespace:
    """The command line as the docstring of this module shows it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    layers = [commands.add_parser(name) for name in ("layer", "search-layer", "console-layer")]
    function = commands.add_parser("function")
    function.add_argument("source", type=Path)
    for command in (*layers, function, commands.add_parser("host")):
        command.add_argument("dest", type=Path)
    for layer in layers:
        layer.add_argument("--python", default=RUNTIME_PYTHON)
        layer.add_argument("--arch", choices=[*WHEEL_ARCHITECTURE, "host"], default="arm64")
    commands.add_parser("inputs").add_argument("file", type=Path)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    match arguments.command:
        case "layer":
            build_layer(arguments.dest.resolve(), arch=arguments.arch, python=arguments.python)
        case "search-layer":
            build_search_layer(arguments.dest.resolve(), arch=arguments.arch, python=arguments.python)
        case "console-layer":
            build_console_layer(arguments.dest.resolve(), arch=arguments.arch, python=arguments.python)
        case "function":
            build_function(arguments.source, arguments.dest.resolve())
        case "inputs":
            write_inputs(arguments.file)
        case "host":
            build_host(arguments.dest.resolve())


if __name__ == "__main__":
    try:
        main()
    except BuildError as error:
        sys.exit(f"build: {error}")
