"""The loader for all kinds of models, digests, and what a machine without PyTorch is told."""

import hashlib
import sys
from pathlib import Path

import pytest

from transforms.models import digest, load_model
from transforms.models.base import ModelError, Running
from transforms.models.depth import builtin
from transforms.models.registry import Kind, Registry


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_digest_of_the_built_in_model_covers_both_runtimes():
    lines = (
        f"{sha256(builtin.GRAPH)}  builtin.onnx\n{sha256(builtin.WEIGHTS)}  builtin.safetensors\n"
    )
    assert digest("builtin") == hashlib.sha256(lines.encode()).hexdigest()


def test_the_digest_of_a_torchscript_file(tmp_path):
    (tmp_path / "net.pt").write_bytes(b"anything")
    assert digest(f"torchscript:{tmp_path / 'net.pt'}") == hashlib.sha256(b"anything").hexdigest()


def test_the_digest_of_a_folder_of_transformers(tmp_path):
    index = b'{"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}'
    files = {
        "config.json": b"{}",
        "model.safetensors.index.json": index,
        "1.safetensors": b"1",
        "2.safetensors": b"2",
        "preprocessor_config.json": b"{ }",
    }
    found = set()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    found.add(digest(f"hf:{tmp_path}"))
    for name, data in files.items():
        (tmp_path / name).write_bytes(data + b" ")
        found.add(digest(f"hf:{tmp_path}"))
        (tmp_path / name).write_bytes(data)
    assert len(found) == 1 + len(files)
    (tmp_path / "README.md").write_text("about it")
    assert digest(f"hf:{tmp_path}") in found
    (tmp_path / "2.safetensors").unlink()
    with pytest.raises(ModelError, match=r"there is no 2\.safetensors; give a whole model"):
        digest(f"hf:{tmp_path}")


def test_a_name_finds_its_kind_and_its_source():
    seen = []

    def load(source: str, running: Running) -> str:
        seen.append(running)
        return source

    registry: Registry[str] = Registry(
        "test",
        [
            Kind("own", lambda source, running: f"own{source}", lambda source: []),
            Kind("file:PATH", load, lambda source: []),
        ],
    )
    running = Running(threads=3)
    assert registry.load("own", running) == "own"
    assert registry.load("file:C:/a:b", running) == "C:/a:b" and seen == [running]
    for name in ("", "own:", "own:x", "file", "file:", "other:x"):
        with pytest.raises(ModelError, match="is no test model; give own or file:PATH"):
            registry.load(name, running)


@pytest.mark.parametrize(
    ("name", "device", "says"),
    [
        ("torchscript:net.pt", None, r"torchscript:net\.pt needs PyTorch.*\[torch\]"),
        ("hf:owner/name", None, r"hf:owner/name needs PyTorch.*\[hf\]"),
        ("builtin", "cuda", r"builtin on cuda needs PyTorch.*\[torch\]"),
    ],
)
def test_without_pytorch_the_extra_is_named(monkeypatch, name, device, says):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelError, match=says):
        load_model(name, device=device)


def test_without_pytorch_a_gpu_is_left_alone(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(Path, "glob", lambda self, pattern: iter([self / "nvidia0"]))
    assert load_model("builtin").device == "cpu"
    assert "the GPU is not used: builtin needs PyTorch" in caplog.text
