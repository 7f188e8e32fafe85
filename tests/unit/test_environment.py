"""uv is told where packages come from by what pip is told."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "requirements" / "environment.py"


@pytest.fixture(scope="module")
def environment() -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_indexes_and_certificates_of_pip_become_those_of_uv(environment: ModuleType) -> None:
    config = """
:env:.find-links='/wheels'
global.cert='/etc/ca.pem'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
global.find-links='/other'
global.index-url='https://mirror.example/simple'
global.no-color='true'
"""
    assert environment.uv_settings(config, {}) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/wheels",
        "SSL_CERT_FILE": "/etc/ca.pem",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
    }


def test_what_is_set_for_uv_itself_stands(environment: ModuleType) -> None:
    settings = environment.uv_settings("global.cert='/etc/ca.pem'", {"SSL_CERT_FILE": "/mine.pem", "HOME": "/root"})

    assert settings == {"UV_INDEX_STRATEGY": "unsafe-best-match", "SSL_CERT_FILE": "/mine.pem", "HOME": "/root"}


@pytest.mark.parametrize("config", ["", "nonsense", "freeze.timeout='10'", "global.index-url=''"])
def test_a_machine_without_settings_has_those_of_uv(environment: ModuleType, config: str) -> None:
    assert environment.uv_settings(config, {}) == {"UV_INDEX_STRATEGY": "unsafe-best-match"}


def test_several_places_of_wheels_are_separated_as_uv_wants_it(environment: ModuleType) -> None:
    assert environment.uv_settings("user.x='1'\nglobal.find-links='/a /b'", {})["UV_FIND_LINKS"] == "/a,/b"
