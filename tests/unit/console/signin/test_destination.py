"""After signing in the page leads nowhere but to the console."""

import pytest

from auditwire_console.signin.destination import destination_of
from signing_in import Desk


@pytest.mark.parametrize(
    "asked",
    [
        "/",
        "/?is=verb:get&not=user:x%20y",
        "/#token",
        "/rules",
        "/rules/",
        "/a/b.c/d_e-f~?to=//other.example#//x",
        "/?next=https://other.example/%2f%2f",
        "/loginx",
        "/a/login",
        "/?" + 3_990 * "x",
    ],
)
def test_a_path_of_the_console_is_kept(asked: str) -> None:
    assert destination_of(asked) == asked


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "rules",
        "?x",
        "//other.example",
        "///other.example",
        "/\\other.example",
        "\\/other.example",
        "\\\\other.example",
        "/%2fother.example",
        "/%2Fother.example",
        "/%5cother.example",
        "/%252fother.example",
        "/x%2f..",
        "/\t/other.example",
        "/\n/other.example",
        "/\r\nset-cookie: a=b",
        "/?a\nb",
        "/?a\\b",
        "/?a b",
        "/\x00",
        "/\x7f",
        "\t//other.example",
        " /",
        "/ ",
        "/.",
        "/..",
        "/..//other.example",
        "/./x",
        "/x//other.example",
        "/x/../..//other.example",
        "/@other.example",
        "/:80",
        "/;x",
        "/ä",
        "/?ä",
        "\uff0fother.example",
        "/\uff0fother.example",
        "https://other.example",
        "https:other.example",
        "http:/other.example",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "/login",
        "/login?to=/",
        "/login/",
        "/callback?code=x",
        "/logout",
        "/logout#x",
        "/?" + 4_000 * "x",
    ],
)
def test_anything_else_leads_to_the_beginning(asked: str) -> None:
    assert destination_of(asked) == "/"


def test_where_the_page_leads_is_what_the_browser_asked_for_before() -> None:
    browser = Desk().browser()

    assert 'content="0;url=/rules?x=1"' in browser.sign_in("/login?to=/rules?x=1").text
    assert 'content="0;url=/"' in browser.sign_in("/login?to=%2F%5Cother.example").text
    assert 'content="0;url=/"' in browser.sign_in("/login?to=//other.example&to=/rules").text
