"""The image for one machine: what its build copies and installs, and how it is used.

There is no container engine here; the steps of the build are read, and compared with what they are
about.
"""

import re
import shlex

import pytest

from pipeline.cli import parser
from tests.deploy.commands import unknown_flags
from tests.runners.dataflow import ROOT
from transforms.models.cutout import u2netp

tomllib = pytest.importorskip("tomllib", reason="it came with Python 3.11")

FOLDER = ROOT / "deploy" / "local"
TEXT = (FOLDER / "Dockerfile").read_text()


def steps() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with what follows them, over line ends, no comments."""
    lines = "\n".join(line for line in TEXT.splitlines() if not line.startswith("#"))
    whole = re.sub(r"\\\n\s*", " ", lines)
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in whole.splitlines())
            if word]  # fmt: skip


def copied() -> list[list[str]]:
    """Sources and target of each COPY."""
    return [rest.split() for word, rest in steps() if word == "COPY"]


def commands(text: str) -> list[list[str]]:
    """The words of each `docker` command in a text, over its line ends."""
    text = re.sub(r"\\\n[ #]*", " ", text)
    lines = [line.lstrip("# ") for line in text.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("docker ")]


def test_it_copies_what_is_there_and_sent_to_the_build():
    sources = [source for *some, _ in copied() for source in some]
    assert len(sources) >= 7
    assert [source for source in sources if not (ROOT / source).exists()] == []
    ignore = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    sent = {line[1:] for line in ignore if line.startswith("!")}
    assert ignore[0] == "*" and sent <= set(sources)
    assert [s for s in sources if not {s, s.partition("/")[0]} & sent] == []


def test_the_packages_are_installed_with_what_has_been_copied_until_then():
    """Their layer needs the metadata of the project, and none of its code but the version."""
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = [word for word, _ in steps()]
    first = [rest.split() for word, rest in steps()[: names.index("RUN")] if word == "COPY"]
    there = {source for *some, _ in first for source in some}
    attribute = metadata["tool"]["setuptools"]["dynamic"]["version"]["attr"]
    module = attribute.rpartition(".")[0].replace(".", "/") + ".py"
    assert {module, "pyproject.toml", "constraints.txt"} <= there
    assert set(metadata["project"]["license-files"]) <= there
    assert f"touch {metadata['project']['readme']}" in TEXT
    packages = metadata["tool"]["setuptools"]["packages"]["find"]["include"]
    later = {source for *some, _ in copied() for source in some} - there
    assert later == {name for name in packages if "." not in name}


def test_it_has_no_cuda():
    assert not re.search(r"torch|cuda|nvidia", "".join(rest for _, rest in steps()), re.IGNORECASE)
    assert ("ARG", "EXTRAS=") in steps()


def test_the_cut_out_model_is_put_where_the_program_looks():
    assert f"{u2netp.PACKAGE}=={u2netp.VERSION}" in TEXT
    assert f'/{"/".join(u2netp.SHARE.parts[-2:])}"' in TEXT


def test_it_starts_the_program():
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text())
    [script] = metadata["project"]["scripts"]
    assert ("ENTRYPOINT", f'["{script}"]') in steps()


def test_the_commands_are_those_of_the_documents():
    own = commands(TEXT)
    assert commands((ROOT / "docs" / "running.md").read_text()) == own
    build, make, view = own
    assert build[:2] == ["docker", "build"] and "deploy/local/Dockerfile" in build
    name = build[build.index("--tag") + 1]
    for words in (make, view):
        arguments = words[words.index(name) + 1 :]
        parser().parse_known_args(arguments)
        if arguments[0] == "generate":
            assert unknown_flags(arguments[1:]) == set()


@pytest.mark.parametrize("word", ["--rm", "--init"])
def test_every_run_ends_with_its_container(word):
    assert all(word in words for words in commands(TEXT) if words[1] == "run")
