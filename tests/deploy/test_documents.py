"""The commands in the documents are such as the program takes."""

import re

import pytest

from tests.deploy.commands import generate_commands, unknown_flags
from tests.runners.dataflow import ROOT


@pytest.mark.parametrize(
    "name", ["README.md", "docs/running.md", "docs/scale.md", "docs/performance.md"]
)
def test_commands_have_known_flags_only(name):
    # What a reader is to fill in is filled in here.
    needed = ["--foregrounds=a", "--backgrounds=b", "--output=c"]
    for arguments in generate_commands((ROOT / name).read_text()):
        assert unknown_flags([*needed, *arguments]) == set()


def test_each_runner_has_a_command():
    commands = generate_commands((ROOT / "docs" / "running.md").read_text())
    runners = {word for words in commands for word in words if word.startswith("--runner=")}
    assert runners == {"--runner=PrismRunner", "--runner=FlinkRunner", "--runner=PortableRunner"}


@pytest.mark.parametrize("name", ["docs/running.md", "deploy/dataflow/job.sh"])
def test_the_files_that_are_named_are_there(name):
    text = (ROOT / name).read_text()
    named = {word.strip("`(),.;:") for word in text.split() if "/" in word}
    places = {word for word in named if word.startswith(("deploy/", "tests/", "docs/"))}
    assert places
    assert [place for place in places if not (ROOT / place).exists()] == []


_PAGES = sorted(page.stem for page in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize(
    "name", ["CONTRIBUTING.md", "README.md", *(f"docs/{page}.md" for page in _PAGES)]
)
def test_source_files_and_links_of_a_page_are_there(name):
    text = (ROOT / name).read_text()
    quoted = re.findall(r"`((?:pipeline|transforms|training|tests|scripts)/[\w./-]*\w)/?`", text)
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    folder = (ROOT / name).parent
    assert [path for path in quoted if not (ROOT / path).exists()] == []
    assert [link for link in links if not (folder / link).exists()] == []
