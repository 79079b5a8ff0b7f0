"""The table of credits."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import SpecError
from pipeline.catalog import build_catalog
from pipeline.credits import read_credits
from tests.conftest import make_spec
from tests.transforms.test_plan import make_plan
from transforms.plan.identity import plan_digest
from transforms.plan.inputs import InputImage
from transforms.plan.plan import Plan
from transforms.report.credits import doubts
from transforms.terms import Credit

STRICTER = (
    "inputs with stricter terms than CC-BY-SA-4.0 of the data set: 1 of 2, such as 0 (CC BY-NC"
)
FINAL = "inputs that allow no derivatives, which composites are: 1 of 2, such as 0 (CC BY-ND 4.0)"
UNKNOWN = "inputs without known terms, while others have some: 2 of 3, such as 1 (mine)"


def table(tmp_path: Path, text: str, encoding: str = "utf-8") -> str:
    path = tmp_path / "credits.csv"
    path.write_bytes(text.encode(encoding))
    return str(path)


def asset(path: str, license: str | None) -> InputImage:
    credit = None if license is None else Credit(license=license)
    return InputImage(1, path, "", 1, 1, 1, credit=credit)


def test_rows_are_found_by_the_end_of_a_path(tmp_path):
    text = "File; Author ;LICENSE;Source\r\n.\\a\\1.png;Zoë;CC0;https://x\r\n1.png;Ann;;\r\n"
    credits = read_credits(table(tmp_path, text, "utf-16"))
    assert credits.by_path(["/in/a/1.png", "/in/b/1.png", "/in/c/2.png"]) == {
        "/in/a/1.png": Credit("Zoë", "CC0", "https://x"),
        "/in/b/1.png": Credit("Ann"),
    }


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "begins with ''; its first line must be file,author,licence,source"),
        ("file\n1.png\n", "begins with 'file'"),
        ("name,author\n1.png,a\n", "begins with 'name,author'"),
        ("file,author\n,a\n", "row 2 lacks its file"),
        ("file,author\n1.png,a\n1.png,b\n", "row 3 says something else of '1.png'"),
        ("file,author\n3.png,a\n", r"credits.csv: '3.png' is no input picture; give the name"),
        ("file,author\nx1.png,a\n", "'x1.png' is no input picture"),
        ("file,author\n1.png,a\n", "'1.png' may be /a/1.png or /b/1.png; give more of its path"),
    ],
)
def test_other_tables_are_refused(tmp_path, text, what):
    with pytest.raises(SpecError, match=what):
        read_credits(table(tmp_path, text)).by_path(["/a/1.png", "/b/1.png", "/b/2.png"])


def test_a_row_may_be_of_a_picture_that_is_left_out(inputs, tmp_path):
    bad = tmp_path / "bg" / "broken.png"
    bad.parent.mkdir()
    bad.write_bytes(b"no picture")
    (bad.parent / "good.png").write_bytes((inputs / "bg" / "bg_img_1.png").read_bytes())
    path = table(tmp_path, "file,licence\nbroken.png,MIT\nfg_img_2.png,CC BY-NC 4.0\n")
    spec = make_spec(
        inputs, tmp_path / "set", backgrounds=str(bad.parent), credits=path, license="MIT"
    )
    catalog = build_catalog(spec)
    assert [error.path for error in catalog.errors] == [str(bad)]
    assert {a.id: a.credit for a in catalog.foregrounds if a.credit} == {
        2: Credit(license="CC BY-NC 4.0")
    }
    inputs_ = [*catalog.foregrounds, *catalog.backgrounds]
    assert list(doubts("MIT", inputs_)) == [
        "inputs with stricter terms than MIT of the data set: 1 of 13, such as fg_img_2.png"
        " (CC BY-NC 4.0)",
        "inputs without known terms, while others have some: 12 of 13, such as fg_img_1.png"
        " (no licence given)",
    ]


def test_terms_and_credits_change_no_digest_of_a_shard():
    plan = make_plan(3, 2)
    credited = replace(
        plan,
        license="MIT",
        foregrounds=tuple(replace(each, credit=Credit("Ann")) for each in plan.foregrounds),
    )
    assert plan_digest(credited, 0) == plan_digest(plan, 0)
    assert Plan.from_json(credited.to_json()) == credited


@pytest.mark.parametrize(
    ("own", "licenses", "said"),
    [
        ("CC-BY-4.0", ["CC0", "MIT", "CC BY 2.0"], []),
        ("CC-BY-NC-SA-4.0", ["CC BY-NC 4.0", "CC BY-SA 4.0"], []),
        ("CC-BY-SA-4.0", ["CC BY-NC 4.0", "CC BY-SA 4.0"], [STRICTER]),
        ("CC-BY-ND-4.0", ["CC BY-ND 4.0", "MIT"], [FINAL]),
        (None, ["CC BY-ND 4.0", "CC BY-NC 4.0"], [FINAL]),
        (None, ["CC BY-NC 4.0", "MIT"], []),
        ("MIT", [None, "", "mine"], []),
        ("MIT", ["MIT", "mine", None], [UNKNOWN]),
        ("LicenseRef-own", ["MIT"], ["LicenseRef-own, the licence of the data set, is not known"]),
    ],
)  # fmt: skip
def test_terms_that_do_not_go_together_are_named(own, licenses, said):
    found = doubts(own, [asset(f"/in/{n}", text) for n, text in enumerate(licenses)])
    assert len(found) == len(said)
    assert all(line.startswith(text) for line, text in zip(found, said, strict=True))
