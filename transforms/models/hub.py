"""Files of a model on the Hugging Face hub, or in a folder laid out like one there."""

import json
from collections.abc import Iterable
from pathlib import Path

from transforms.extras import needs
from transforms.models.base import ModelError

HUB_TERMS = "Its terms are those that its page on the Hugging Face hub says."

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


def find(source: str, names: Iterable[str]) -> Path | None:
    """The first of some files that the source has, fetched where the cache does not hold it.

    Args:
        source: an id on the hub, such as `OWNER/NAME`, or a folder.
        names: paths below the source, in the order of preference.

    Returns:
        The local file, or None when the source has none of them.

    Raises:
        ModelError: the source cannot be reached and is not in the cache, or does not exist.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return next((folder / name for name in names if (folder / name).is_file()), None)
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
    except ImportError:
        raise ModelError(f"hf:{source} {needs('huggingface-hub', 'hub')}") from None
    for name in names:
        try:
            return Path(hf_hub_download(source, name))
        except LocalEntryNotFoundError as error:
            raise ModelError(_unreachable(source, error)) from None
        except EntryNotFoundError:
            continue
        except Exception as error:  # The client raises its own types, and those of its HTTP client.
            raise ModelError(_unreachable(source, error)) from None
    return None


def transformers_files(source: str) -> list[Path]:
    """The files that decide what a model of `transformers` predicts.

    Returns:
        Its configurations and its weights, which are safetensors, in one file or several.

    Raises:
        ModelError: there is no such model, or it lacks one of these files.
    """
    files = [_have(source, "config.json"), _have(source, WEIGHTS, INDEX)]
    if files[1].name == INDEX:
        try:
            shards = sorted(set(json.loads(files[1].read_text("utf-8"))["weight_map"].values()))
        except (ValueError, KeyError, AttributeError, TypeError):
            raise ModelError(
                f"{files[1]}: not an index of weights; download the model again"
            ) from None
        files += [_have(source, shard) for shard in shards]
    if processor := find(source, ["preprocessor_config.json", "processor_config.json"]):
        files.append(processor)
    return files


def _have(source: str, *names: str) -> Path:
    found = find(source, names)
    if found is None:
        raise ModelError(f"hf:{source}: there is no {' or '.join(names)}; give a whole model")
    return found


def _unreachable(source: str, error: Exception) -> str:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")
    return f"hf:{source} cannot be fetched: {reason}; give an id on the hub, or a folder"
