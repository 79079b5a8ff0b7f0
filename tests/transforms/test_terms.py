"""Licences as people write them, and which ask for more than others."""

import pytest

from transforms.report.card import license_lines
from transforms.terms import Family, Terms, address, family, identifier, strictest


@pytest.mark.parametrize(
    ("text", "name", "asks"),
    [
        ("CC0-1.0", "CC0-1.0", Family.PUBLIC_DOMAIN),
        ("cc0", "CC0-1.0", Family.PUBLIC_DOMAIN),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0", Family.PUBLIC_DOMAIN),
        ("Public domain", None, Family.PUBLIC_DOMAIN),
        ("CC BY 4.0", "CC-BY-4.0", Family.PERMISSIVE),
        ("cc-by", None, Family.PERMISSIVE),
        ("mit", "MIT", Family.PERMISSIVE),
        ("http://www.creativecommons.org/licenses/by-sa/3.0/deed.en", "CC-BY-SA-3.0",
         Family.SHARE_ALIKE),
        ("https://spdx.org/licenses/ODbL-1.0.html", "ODbL-1.0", Family.SHARE_ALIKE),
        ("CC BY-NC-SA 2.0", "CC-BY-NC-SA-2.0", Family.NON_COMMERCIAL),
        ("CC_BY_SA_NC_2.0", "CC-BY-NC-SA-2.0", Family.NON_COMMERCIAL),
        ("CC-BY-ND-4.0", "CC-BY-ND-4.0", Family.NO_DERIVATIVES),
        ("CC-BY-NC-ND-3.0-DE", "CC-BY-NC-ND-3.0-DE", Family.NO_DERIVATIVES),
        ("All rights reserved", None, None),
        ("CC-BY-XX-4.0", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_what_a_licence_is_and_asks_for(text, name, asks):
    assert (identifier(text), family(text)) == (name, asks)
    assert address(text) == (name and f"https://spdx.org/licenses/{name}")


def test_the_strictest_is_the_first_of_those_that_ask_for_the_most():
    assert strictest(["CC0", "CC BY 2.0", "MIT"]) == "CC BY 2.0"
    assert strictest(["CC BY-SA 4.0", "CC BY-NC 4.0", "CC0"]) == "CC BY-NC 4.0"
    assert strictest(["CC BY-ND 4.0", "mine alone"]) == "mine alone"
    assert strictest([]) is None


def test_a_licence_of_the_makers_own_has_its_name_alone():
    assert Terms("LicenseRef-Own").license_address == "LicenseRef-Own"
    assert license_lines("LicenseRef-Own") == ["license: other", "license_name: licenseref-own"]
    assert Terms("MIT").license_address == "https://spdx.org/licenses/MIT"
    assert license_lines("MIT") == ["license: mit"]


def test_a_citation_names_at_most_ten():
    assert Terms().citation == ""
    assert Terms("MIT", "2026-03-01", ("A and B", "C {x}")).citation == (
        "@misc{mask_depth,\n"
        "  title = {Mask and depth data set},\n"
        "  author = {{A and B} and {C  x}},\n"
        "  year = {2026},\n"
        "  note = {License: MIT; CREDITS.md names the pictures of each author},\n"
        "}"
    )
    many = Terms(authors=tuple(f"A{number:02}" for number in range(12))).citation
    assert "{A09} and others}" in many and "A10" not in many
