"""What is an address, what is a network, and which address is in which."""

import ipaddress
from typing import Any

import pytest

from auditwire.condition import ConditionError, compile_condition
from auditwire.condition.networks import address_of


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("10.1.2.3", '"10.0.0.0/8"', True),
        ("11.0.0.0", '"10.0.0.0/8"', False),
        ("9.255.255.255", '"10.0.0.0/8"', False),
        ("10.255.255.255", '"192.0.2.0/24", "10.0.0.0/8"', True),
        ("192.0.2.7", '"192.0.2.7"', True),
        ("192.0.2.8", '"192.0.2.7"', False),
        ("192.0.2.7", '"192.0.2.6/31"', True),
        ("203.0.113.9", '"0.0.0.0/0"', True),
        ("2001:db8::1", '"0.0.0.0/0"', False),
        ("203.0.113.9", '"::/0"', False),
        ("2001:db8::1", '"::/0"', True),
        ("2001:DB8:0:0::1", '"2001:db8::/32"', True),
        ("2001:db9::1", '"2001:db8::/32"', False),
        ("192.0.2.7:443", '"192.0.2.0/24"', True),
        ("[2001:db8::1]:443", '"2001:db8::/32"', True),
        ("[2001:db8::1]", '"2001:db8::/32"', True),
        ("fe80::1%eth0", '"fe80::/10"', True),
        ("[fe80::1%eth0]:80", '"fe80::/10"', True),
        ("::ffff:192.0.2.7", '"192.0.2.0/24"', True),
        ("::ffff:c000:207", '"192.0.2.0/24"', True),
        ("[::ffff:192.0.2.7]:80", '"192.0.2.0/24"', True),
        ("192.0.2.7", '"::ffff:192.0.2.0/120"', True),
        ("192.0.2.7", '"::ffff:192.0.2.7"', True),
        ("192.0.2", '"0.0.0.0/0"', False),
        ("192.0.2.256", '"0.0.0.0/0"', False),
        ("192.0.02.1", '"0.0.0.0/0"', False),
        ("192.0.2.7:", '"0.0.0.0/0"', False),
        (" 192.0.2.7", '"0.0.0.0/0"', False),
        ("192.0.2.7/32", '"0.0.0.0/0"', False),
        ("192.0.2.7, 192.0.2.8", '"0.0.0.0/0"', False),
        ("@", '"0.0.0.0/0", "::/0"', False),
        ("", '"0.0.0.0/0", "::/0"', False),
        (":" * 200, '"::/0"', False),
        ("\uff11\uff19\uff12.0.2.7", '"0.0.0.0/0"', False),
        (3221225991, '"0.0.0.0/0"', False),
        (True, '"0.0.0.0/0"', False),
        (["x", "192.0.2.7"], '"192.0.2.0/24"', True),
    ],
)
def test_an_address_is_in_a_network_or_not_and_its_negation_says_the_opposite(
    address: Any, networks: str, expected: bool
) -> None:
    event = {"address": address}

    assert compile_condition(f"address within ({networks})").evaluate(event) is expected
    assert compile_condition(f"address not within ({networks})").evaluate(event) is not expected


def test_what_is_missing_is_in_no_network_and_not_outside_of_one() -> None:
    assert not compile_condition('address within ("0.0.0.0/0")').evaluate({})
    assert not compile_condition('address not within ("0.0.0.0/0")').evaluate({"address": None})


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("10.0.0.1/8", "the network is 10.0.0.0/8"),
        ("2001:db8::1/32", "the network is 2001:db8::/32"),
        ("10.0.0.0/33", "an IPv4 prefix has at most 32 bits"),
        ("2001:db8::/129", "an IPv6 prefix has at most 128 bits"),
        ("10.0.0.0/255.0.0.0", "neither an address nor a network"),
        ("10.0.0.0/", "neither an address nor a network"),
        ("10.*", "neither an address nor a network"),
        ("10.0.0", "'10.0.0' does not appear to be an IPv4 or IPv6 address"),
        ("example.com", "neither an address nor a network"),
        ("", "neither an address nor a network"),
    ],
)
def test_a_network_is_checked_when_the_condition_is(network: str, reason: str) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(f'address within ("192.0.2.0/24", "{network}")')

    (found,) = caught.value.diagnostics
    assert found.code == "AW123"
    assert reason in found.message


def test_plain_addresses_are_read_as_python_reads_them() -> None:
    odd = ("0", "00", "7", "07", "99", "255", "256", "999", "1000", "", "-1", " 1", "1e")
    for place in range(4):
        for number in odd:
            numbers = ["192", "0", "2", "1"]
            numbers[place] = number
            text = ".".join(numbers)
            try:
                expected: Any = (4, int(ipaddress.IPv4Address(text)))
            except ValueError:
                expected = None
            assert address_of(text) == expected
