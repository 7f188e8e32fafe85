"""What the repository itself must hold: every dependency by hash, and no secret in any file."""

import gzip
import re
import runpy
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from auditwire import __version__

ROOT = Path(__file__).parents[2]
LOCKS = sorted([*(ROOT / "requirements").glob("*.txt"), *(ROOT / "layers").glob("*/requirements.txt")])

_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[a-z0-9,_-]+\])?==[A-Za-z0-9.!+-]+( ;.*)?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")

SECRETS = {
    "AWS access key": r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z2-7]{16}\b",
    "AWS secret key": r"(?i)aws_?secret_?(?:access_?)?key[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9/+]{40}\b",
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[\s\\n]+[A-Za-z0-9+/]{20}",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})",
    "GitLab token": r"\bglpat-[A-Za-z0-9_-]{20}",
    "Slack token or webhook": r"\bxox[abposr]-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/T[A-Z0-9]{8,}/",
    "PyPI token": r"\bpypi-AgEI[A-Za-z0-9_-]{50,}",
    "Google API key": r"\bAIza[A-Za-z0-9_-]{35}\b",
    "password in an address": r"\b(?:https?|postgres|amqp)://[^\s/:@\"'<>{}$%]{3,}:[^\s/@\"'<>{}$%]{8,}@[a-z0-9-]+\.[a-z]",
    "JSON Web Token": r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}",
}
# Recorded events, whose tokens belonged to a control plane that no longer exists; its README says so.
CAPTURES = ROOT / "tests" / "data" / "captures"
# Keys that AWS prints in its own documentation, and of accounts that cannot exist.
_EXAMPLES = re.compile(r"EXAMPLE")


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name]


def text_of(path: Path) -> str:
    """What a file holds, unpacked."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8", "replace")


def secrets_in(text: str) -> Iterator[str]:
    """What looks like a secret, without showing it."""
    for name, pattern in SECRETS.items():
        for found in re.finditer(pattern, text):
            if not _EXAMPLES.search(found[0]):
                yield f"line {text[: found.start()].count(chr(10)) + 1}: {name}"


def requirements_of(lock: str) -> list[str]:
    """The entries of a lock file, each with its continuation lines."""
    lines = (line for line in lock.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return [entry.strip() for entry in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines()]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_package_of_a_lock_file_has_one_version_and_its_hashes(lock: Path) -> None:
    entries = requirements_of(lock.read_text(encoding="utf-8"))

    assert entries
    for entry in entries:
        package, _, hashes = entry.partition(" --hash=")
        assert _PINNED.fullmatch(package.strip()), entry[:120]
        assert all(_HASH.fullmatch(one) for one in f"--hash={hashes}".split()), entry[:120]


def test_there_are_the_lock_files_everything_is_installed_from() -> None:
    assert {f"{path.parent.name}/{path.name}" for path in LOCKS} == {
        "auditwire/requirements.txt",
        "requirements/audit.txt",
        "requirements/bench.txt",
        "requirements/browser.txt",
        "requirements/coverage.txt",
        "requirements/dev.txt",
        "requirements/runtime.txt",
        "requirements/sam.txt",
        "requirements/uv.txt",
        "search/requirements.txt",
        "console/requirements.txt",
    }


@pytest.mark.parametrize("layer", ["auditwire", "search", "console"])
def test_what_a_layer_ships_is_locked_to_the_versions_that_are_tested(layer: str) -> None:
    def versions(path: Path) -> dict[str, str]:
        entries = (entry.split(" ")[0] for entry in requirements_of(path.read_text(encoding="utf-8")))
        return {name.lower().partition("[")[0]: version for name, _, version in (e.partition("==") for e in entries)}

    tested = versions(ROOT / "requirements" / "dev.txt")
    shipped = versions(ROOT / "layers" / layer / "requirements.txt")

    assert shipped
    assert {name: version for name, version in shipped.items() if tested.get(name) != version} == {}


def test_nothing_is_installed_without_its_hashes() -> None:
    scripts = [ROOT / "Makefile", *ROOT.glob("*/*/Makefile"), ROOT / "requirements" / "environment.py"]
    installing = [
        line
        for path in scripts
        for line in path.read_text(encoding="utf-8").splitlines()
        if '"-r"' in line or ("-r " in line and "equirements" in line and "install" in line.lower())
    ]

    assert installing
    assert all("--require-hashes" in line for line in installing), installing


def test_no_tracked_file_holds_a_secret() -> None:
    found = [
        f"{path.relative_to(ROOT)} {secret}"
        for path in tracked_files()
        if path.is_file() and path.stat().st_size < 5_000_000
        for secret in secrets_in(text_of(path))
        if not (path.parent == CAPTURES and secret.endswith("JSON Web Token"))
    ]

    assert found == []


def test_scanners_of_secrets_are_told_of_the_captures_and_of_nothing_else() -> None:
    assert [secret for path in CAPTURES.glob("*.gz") for secret in secrets_in(text_of(path))], "the scan looks inside"
    assert tomllib.loads((ROOT / ".gitleaks.toml").read_text())["allowlist"]["paths"] == ["^tests/data/captures/"]
    ignored = yaml.safe_load((ROOT / ".github" / "secret_scanning.yml").read_text())
    assert ignored == {"paths-ignore": ["tests/data/captures/**"]}


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "aws_secret_access_key = " + "a1B2" * 10,
        "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0123456789",
        "ghp_" + "a1B2" * 9,
        "https://admin:" + "hunter2hunter2@example.com",
        "eyJ" + "hbGciOiJSUzI1NiIs.eyJ" + "zdWIiOiIxMjM0NTY3ODkw." + "c2lnbmF0dXJlLW9mLXRva2Vu",
    ],
)
def test_the_scan_finds_what_it_is_for(text: str) -> None:
    assert list(secrets_in(f"x\n{text}\n"))


def test_no_file_that_holds_secrets_by_its_name_is_tracked() -> None:
    names = re.compile(r"(^|/)(\.env(\..*)?|.*\.(pem|key|p12|pfx|kdbx)|id_(rsa|ed25519)|credentials|\.netrc|\.pypirc)$")

    assert [str(path) for path in tracked_files() if names.search(path.as_posix())] == []


def test_the_version_is_that_of_the_topmost_release_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", changelog, re.MULTILINE)

    assert headings[0] == "Unreleased"
    assert re.fullmatch(re.escape(__version__) + r" - \d{4}-\d\d-\d\d", headings[1])
    assert f"Tag: `v{__version__}`." in changelog


def test_hosted_workflows_run_what_runs_here_by_pinned_actions_that_may_only_read() -> None:
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]

        assert ".ci/run" in [step.get("run") for step in steps], path
        assert workflow["permissions"] == {"contents": "read"}, path
        for action in (step["uses"] for step in steps if "uses" in step):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action


def test_the_hooks_before_a_commit_are_the_checks_of_make_lint() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook["entry"].split()[0] for repo in config["repos"] for hook in repo["hooks"]]
    (recipe,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert hooks == re.findall(r"\$\(BIN\)/(\S+)", recipe.replace("$(BIN)/", "$(BIN)/.venv/bin/"))


def test_the_picture_of_the_road_is_what_its_script_draws() -> None:
    picture = runpy.run_path(str(ROOT / "docs" / "images" / "road.py"))["picture"]

    assert (ROOT / "docs" / "images" / "road.svg").read_text(encoding="utf-8") == picture()
