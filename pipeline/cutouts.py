"""Cut-outs of the foregrounds that are photographs: made once, kept with the data set."""

import dataclasses
import hashlib
import io
import json
import threading
from dataclasses import dataclass, replace
from functools import cached_property

from PIL import Image

from pipeline.spec import DatasetSpec, SpecError
from transforms import storage
from transforms.formats.base import Folder
from transforms.models.base import ModelError, Running
from transforms.models.cutout import CUTOUT_MODELS, resolved
from transforms.models.cutout.base import CutoutModel
from transforms.pixels.cutting import CutOut, CutoutRules
from transforms.pixels.images import BadImage, open_image
from transforms.plan.inputs import CUTOUTS, PreparedCutout
from transforms.plan.placement import Canvas
from transforms.steps.cutouts import LONGEST_SIDE, PNG_LEVEL, CutoutSettings, cut_photograph


@dataclass(frozen=True)
class _Entry:
    """What became of a photograph: its cut-outs, or why there is none."""

    cutouts: tuple[PreparedCutout, ...]
    refused: str | None


class Cutter:
    """Cuts foregrounds out that have no alpha and no mask.

    Results are kept under the checksum of the photograph, the model and all that decides them, so
    that no photograph is cut out twice. Any number of threads may use it.

    Args:
        spec: says by which model and rules.
        scratch: where results are put that are not there already; None for the data set's folder.
    """

    def __init__(self, spec: DatasetSpec, scratch: str | None = None) -> None:
        self._model_name = spec.cutout_model
        self._rules = CutoutRules(spec.cutout_parts, spec.cutout_doubt, spec.crop)
        canvas = Canvas(spec.size, spec.foreground_size, spec.scale_jitter)
        self._longest_side = max(LONGEST_SIDE, 2 * canvas.largest_box)
        self._folder = Folder(scratch or spec.output)
        self._readable = dict.fromkeys((Folder(spec.output), self._folder))
        self._lock = threading.Lock()
        self._made: list[str] = []

    @property
    def wanted(self) -> bool:
        """Whether photographs are cut out at all."""
        return self._model_name != "none"

    def cut(self, data: bytes) -> tuple[PreparedCutout, ...]:
        """The cut-outs of a photograph, made now or before.

        Args:
            data: the photograph's file.

        Raises:
            BadImage: nothing was found, or the cut-out is doubtful and that is refused.
            SpecError: the model cannot be loaded, or cannot take pictures.
        """
        key = self._settings.key(hashlib.sha256(data).hexdigest())
        found = (self._stored(folder, key) for folder in self._readable)
        entry = next((each for each in found if each is not None), None) or self._make(key, data)
        if entry.refused is not None:
            raise BadImage(entry.refused)
        return entry.cutouts

    def withdraw(self) -> None:
        """Deletes what this object has made: the data set that it was for is refused."""
        storage.delete_files([self._folder.path(name) for name in self._made])

    @cached_property
    def _settings(self) -> CutoutSettings:
        name = resolved(self._model_name)
        try:
            digest = CUTOUT_MODELS.digest(name)
        except ModelError as error:
            raise SpecError(f"--cutout_model={self._model_name}: {error}") from None
        return CutoutSettings(name, digest, self._rules, self._longest_side)

    @cached_property
    def _model(self) -> CutoutModel:
        try:
            return CUTOUT_MODELS.load(self._settings.model, Running())
        except ModelError as error:
            raise SpecError(f"--cutout_model={self._model_name}: {error}") from None

    def _stored(self, folder: Folder, key: str) -> _Entry | None:
        """What is kept of a photograph; None where something is missing or damaged."""
        data = storage.read_if_there(folder.path(_entry_name(key)))
        try:
            fields = json.loads(data or b"")
            found = tuple(
                PreparedCutout(**{**each, "path": folder.path(each["path"])})
                for each in fields["cutouts"]
            )
            files = [storage.read_if_there(each.path) for each in found]
            entry = _Entry(found, fields["refused"])
        except (ValueError, KeyError, TypeError):
            return None
        checksums = [hashlib.sha256(file or b"").hexdigest() for file in files]
        return entry if checksums == [each.sha256 for each in found] else None

    def _make(self, key: str, data: bytes) -> _Entry:
        with self._lock:  # One model, loaded once.
            model = self._model
        try:
            found = cut_photograph(open_image(data), model, self._rules, self._longest_side)
            kept = [self._keep(key, number, each) for number, each in enumerate(found, 1)]
            entry = _Entry(tuple(kept), None)
        except ModelError as error:
            raise SpecError(f"--cutout_model={self._model_name}: {error}") from None
        except BadImage as error:
            entry = _Entry((), str(error))
        # The names are relative, so that the folder may be moved; this file comes last.
        relative = [replace(each, path=each.listed) for each in entry.cutouts]
        fields = dataclasses.asdict(replace(entry, cutouts=tuple(relative)))
        text = json.dumps(fields, indent=1, ensure_ascii=False)
        self._write(_entry_name(key), f"{text}\n".encode())
        return entry

    def _keep(self, key: str, number: int, found: CutOut) -> PreparedCutout:
        buffer = io.BytesIO()
        Image.fromarray(found.rgba).save(buffer, "PNG", compress_level=PNG_LEVEL)
        data, name = buffer.getvalue(), f"{CUTOUTS}{key}-{number}.png"
        self._write(name, data)
        checksum = hashlib.sha256(data).hexdigest()
        model, note = self._settings.model, found.report.note
        return PreparedCutout(self._folder.path(name), checksum, len(data), model, note)

    def _write(self, name: str, data: bytes) -> None:
        self._folder.write(name, data)
        with self._lock:
            self._made.append(name)


def _entry_name(key: str) -> str:
    return f"{CUTOUTS}{key}.json"
