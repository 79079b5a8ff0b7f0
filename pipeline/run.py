"""One function that makes a data set: checks first, then the pipeline, then what came out."""

import contextlib
import dataclasses
import json
import logging
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import grpc
from apache_beam.options.pipeline_options import GoogleCloudOptions

from pipeline import graph
from pipeline.catalog import Catalog, build_catalog
from pipeline.cutouts import Cutter
from pipeline.excluded import read_excluded
from pipeline.local.lease import locked
from pipeline.local.workers import watched_workers
from pipeline.maker import PACKAGE, Maker, maker_of
from pipeline.output import check_space, claim, refuse_foreign, with_kept_terms
from pipeline.performance import Performance
from pipeline.places import check_apart, check_places
from pipeline.progress import watched, watched_records
from pipeline.runner import (
    check_model,
    check_reachable,
    check_runner,
    choose_runner,
    local_workers,
)
from pipeline.scene_spec import scene_options
from pipeline.spec import DatasetSpec, SpecError
from pipeline.version import VERSION
from transforms import models, storage
from transforms.formats.base import Folder
from transforms.models.base import ModelError
from transforms.models.depth.base import RELATIVE_INVERSE_DEPTH, DepthMeaning
from transforms.plan.inputs import known_categories
from transforms.plan.plan import LAYOUT, Plan, PlanError, samples_per_shard
from transforms.recipe import DepthSettings, Recipe
from transforms.report.credits import doubts
from transforms.report.manifest import LayeredDepth, Origin
from transforms.report.published import Places
from transforms.steps.finish import MANIFEST

_LOG = logging.getLogger(__name__)

# Packages whose versions can change bytes, beside this one.
_VERSIONED = (
    "numpy",
    "pillow",
    "simplejpeg",
    "deflate",
    "pyarrow",
    "onnxruntime",
    "torch",
    "matplotlib",
)


_DEFAULT = Performance()


class JobError(RuntimeError):
    """A job that has begun and stopped; the same call continues it. The message is one line."""


class StillRunning(JobError):
    """A job that was sent elsewhere with --no_wait_until_finish and continues on its own."""


@dataclass(frozen=True)
class GenerateResult:
    """What a run has made.

    Attributes:
        output: the data set's folder.
        samples: number of samples in it.
        failed: samples that could not be made.
        left_out: inputs that could not be used.
        manifest: path of `manifest.json`.
        gallery: path of the gallery page.
        statistics: contents of `statistics.json`.
        seconds: wall time of this run.
        already_finished: whether there was nothing to do.
    """

    output: str
    samples: int
    failed: int
    left_out: int
    manifest: str
    gallery: str
    statistics: dict[str, Any]
    seconds: float
    already_finished: bool


def make_plan(spec: DatasetSpec, catalog: Catalog) -> Plan:
    """The plan of a data set. Raises SpecError when it cannot be carried out."""
    plan = Plan(
        seed=spec.seed,
        image_size=spec.size,
        foreground_size=spec.foreground_size,
        placements=spec.placements,
        flip=spec.flip,
        scale_jitter=spec.scale_jitter,
        splits=spec.splits,
        num_shards=spec.num_shards,
        max_samples=spec.max_samples,
        foregrounds=catalog.foregrounds,
        backgrounds=catalog.backgrounds,
        categories=known_categories(catalog.foregrounds),
        distractors=catalog.distractors,
        excluded=() if spec.exclude is None else read_excluded(spec.exclude),
        license=spec.license,
        layout=LAYOUT,
    )
    size = samples_per_shard(plan.total, len(plan.splits))
    plan = dataclasses.replace(plan, shard_samples=size)
    try:
        plan.check()
    except PlanError as error:
        raise SpecError(str(error)) from None
    if needless := plan.needlessly_excluded:
        _LOG.warning(
            "--exclude=%s: %d of its %d keys are not of this data set, the first is %s",
            spec.exclude,
            len(needless),
            len(plan.excluded),
            needless[0],
        )
    return plan


def generate(
    spec: DatasetSpec,
    beam_arguments: Sequence[str] = (),
    performance: Performance = _DEFAULT,
    progress: bool = True,
    overwrite: bool = False,
    extend: bool = False,
) -> GenerateResult:
    """Makes a data set, or continues one that a former run has begun.

    Args:
        spec: the data set.
        beam_arguments: pipeline flags as Beam spells them, such as `--direct_num_workers=4`.
        performance: how the machine is used.
        progress: whether a local run shows its progress.
        overwrite: whether an existing data set is deleted first; the same one,
            unfinished, is continued.
        extend: whether an existing data set with fewer placements or inputs gets what
            it lacks.

    Returns:
        Where everything is, and the statistics.

    Raises:
        SpecError: something in the spec, the inputs or the output folder makes it impossible.
        JobError: the job has begun and stopped; the same call continues it.
        StillRunning: the job goes on elsewhere, as asked for.
    """
    start = time.monotonic()
    job = checked(spec, beam_arguments, overwrite, extend, progress)
    spec, plan, maker, catalog = job.spec, job.plan, job.maker, job.catalog
    for error in catalog.errors:
        _LOG.warning("left out: %s", error.line)
    for note in job.notes:
        _LOG.warning("note: %s", note)
    for line in catalog.cutouts:
        _LOG.info("%s", line)
    local = local_workers(list(beam_arguments)) > 0
    with locked(spec.output, local) as alone:
        try:
            claimed = claim(spec, plan, maker, extend=extend, overwrite=overwrite, alone=alone)
        except SpecError:
            job.cutter.withdraw()
            raise
        if claimed.finished:
            _LOG.info("the data set in %s is finished; there is nothing to do", spec.output)
        else:
            arguments = list(beam_arguments)
            weights = maker.weights
            _run(
                spec, claimed.plan, catalog, job.meaning, weights, arguments, performance, progress
            )
    return _result(spec.output, time.monotonic() - start, claimed.finished)


@dataclass(frozen=True)
class Job:
    """A data set that can be made: what has been checked before any work.

    Attributes:
        spec: the data set, with absolute paths.
        meaning: what the numbers of its depth model say; None without depth.
        maker: what makes its samples.
        catalog: its inputs.
        plan: its plan, made at once.
        cutter: what has cut photographs out.
    """

    spec: DatasetSpec
    meaning: DepthMeaning | None
    maker: Maker
    catalog: Catalog
    plan: Plan
    cutter: Cutter

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines on inputs that may be meant otherwise, and on terms that do not go together."""
        return self.catalog.notes + doubts(self.plan.license, self.plan.inputs)


def checked(
    spec: DatasetSpec,
    beam_arguments: Sequence[str],
    overwrite: bool,
    extend: bool,
    progress: bool = True,
    cutouts: str | None = None,
) -> Job:
    """Makes all checks that need no hold on the output folder, and writes nothing but cut-outs.

    Args:
        spec: the data set.
        beam_arguments: pipeline flags as Beam spells them.
        overwrite: as for `generate`.
        extend: as for `generate`.
        progress: whether to show how far it is.
        cutouts: folder for what is cut out of photographs here and now; None for the output.

    Raises:
        SpecError: something in the spec, the inputs or the output folder makes it impossible.
    """
    if overwrite and extend:
        raise SpecError("give either --overwrite or --extend, not both")
    check_places(spec)
    spec = resolved(spec)
    spec.check()
    check_runner(list(beam_arguments), spec.paths())
    check_model(list(beam_arguments), spec.depth_model)
    check_reachable(list(beam_arguments))
    check_temporary_folder()
    meaning = model_meaning(spec.depth_model)
    maker = maker_of(spec.depth_model)
    refuse_foreign(spec.output)
    cutter = Cutter(spec, cutouts)
    catalog = build_catalog(spec, progress, cutter)
    plan = make_plan(spec, catalog)
    if not overwrite:
        spec, plan = with_kept_terms(spec, plan)
    check_apart(spec.output, plan)
    check_space(spec, plan)
    return Job(spec, meaning, maker, catalog, plan, cutter)


def check_temporary_folder() -> None:
    """Raises SpecError where no folder for temporary files can be written."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        raise SpecError(f"{error.strerror}; set TMPDIR to a writable folder") from None


def resolved(spec: DatasetSpec) -> DatasetSpec:
    """The spec with absolute local paths and all that its preset decides written out."""
    places: dict[str, Any] = {name: storage.absolute(path) for name, path in spec.paths()}
    return dataclasses.replace(spec.with_preset(), **places)


def model_meaning(depth_model: str) -> DepthMeaning | None:
    """What a depth model's numbers mean, None for `none`.

    Raises:
        SpecError: the model cannot be loaded.
    """
    if depth_model == "none":
        return None
    if depth_model == "builtin":
        return RELATIVE_INVERSE_DEPTH
    try:
        return models.load_model(depth_model).meaning
    except ModelError as error:
        raise SpecError(f"--depth_model={depth_model}: {error}") from None


def make_recipe(
    spec: DatasetSpec,
    plan: Plan,
    meaning: DepthMeaning | None = None,
    performance: Performance = _DEFAULT,
    progress_folder: str | None = None,
    weights: str | None = None,
) -> Recipe:
    """How the samples of a data set are made and written.

    Args:
        spec: the data set.
        plan: its plan.
        meaning: what the numbers of its depth model say, None without depth.
        performance: how the machine is used.
        progress_folder: local folder for the counters behind the progress line, or None.
        weights: digest that the depth model must have wherever it is loaded, None for any; layered
            depth is prepared under it.
    """
    depth = None
    if meaning is not None:
        depth = DepthSettings(
            spec.depth_model,
            meaning,
            performance.threads or 1,
            performance.device,
            performance.half_precision,
            performance.share_model,
            weights,
            spec.passes,
        )
    return Recipe(
        spec.output,
        spec.formats,
        spec.size,
        spec.image_format,
        spec.quality,
        depth,
        spec.depth_bits,
        int(plan.total * spec.max_failures),
        performance.batch_size,
        progress_folder,
        plan.categories,
        spec.on_error == "fail",
        scene_options(spec),
        spec.zip_depth,
        plan.key_prefix,
    )


def origin_of(
    spec: DatasetSpec,
    catalog: Catalog,
    meaning: DepthMeaning | None,
    weights: str | None = None,
) -> Origin:
    """What the manifest says of where a data set comes from; `weights` as for `make_recipe`."""
    text = spec.to_json()
    return Origin(
        text,
        versions(),
        catalog.errors,
        Places.of(text).text(spec.depth_model) if spec.with_depth else None,
        meaning,
        None if spec.passes is None or weights is None else LayeredDepth(spec.passes, weights),
    )


def _run(
    spec: DatasetSpec,
    plan: Plan,
    catalog: Catalog,
    meaning: DepthMeaning | None,
    weights: str | None,
    beam_arguments: list[str],
    performance: Performance,
    progress: bool,
) -> None:
    runner = choose_runner(beam_arguments, sum(plan.shard_counts.values()), spec.output)
    origin = origin_of(spec, catalog, meaning, weights)
    # Backgrounds are prepared where depth is layered.
    prepared = 0 if spec.passes is None else len(plan.backgrounds)
    elsewhere = progress and not runner.local and runner.waits
    with (
        watched(plan.total, progress and runner.local, prepared) as counters,
        watched_records(Folder(spec.output), plan, elsewhere),
    ):
        recipe = make_recipe(spec, plan, meaning, performance, counters, weights)
        try:
            with watched_workers(), runner.pipeline() as pipeline:
                graph.build(pipeline, recipe, origin)
        except Exception as error:  # Runners wrap what a worker raised in types of their own.
            raise JobError(job_reason(error)) from error
        except KeyboardInterrupt:
            if not runner.local:
                _LOG.warning("the job may still be running remotely; cancel it there")
            raise
    if not runner.waits:
        name = runner.options.view_as(GoogleCloudOptions).job_name
        raise StillRunning(f"the job {f'{name} ' if name else ''}makes {spec.output}")


def job_reason(error: Exception) -> str:
    """The line of a worker's traceback that says what happened."""
    if type(error).__name__ == "DataflowJobAlreadyExistsError":
        return "a job with that name is already making this data set; wait for it, or cancel it"
    if isinstance(error, grpc.RpcError):
        return _lost(error)
    lines = [line for line in str(error).splitlines() if _RAISED.match(line)]
    text = lines[-1] if lines else f"{type(error).__name__}: {error}".splitlines()[0]
    # Beam appends where it happened, and workers quote what they raise.
    text = re.sub(r" \[while running .*|\\n.*", "", text)
    return re.sub(r"^([a-zA-Z_]+\.)*", "", text)


def _lost(error: grpc.RpcError) -> str:
    """What is known of a job whose server is gone or refuses a call."""
    code = error.code().name if isinstance(error, grpc.Call) else type(error).__name__
    details = (error.details() if isinstance(error, grpc.Call) else None) or "no details"
    return (
        f"the call to the job server failed: {code}: {' '.join(details.split())}; the job may run"
        " on: look at the cluster's own page, and wait for its end or cancel it before a new start"
    )


_RAISED = re.compile(
    r"^([a-zA-Z_]\w*\.)*[A-Z]\w*(Died|Error|Failures|Image|Exception|Interrupt)\b.*: "
)


def versions() -> tuple[tuple[str, str], ...]:
    """Name and version of this program and of each installed package that can change bytes."""
    found = [(PACKAGE, VERSION)]  # What is installed may be an older one's description.
    for name in _VERSIONED:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.append((name, metadata.version(name)))
    return tuple(found)


def _result(output: str, seconds: float, already_finished: bool) -> GenerateResult:
    folder = Folder(output)
    manifest = json.loads(storage.read_text(folder.path(MANIFEST)))
    return GenerateResult(
        output,
        manifest["samples"],
        manifest["failed"],
        len(manifest["inputs"]["left_out"]),
        folder.path(MANIFEST),
        folder.path("gallery/index.html"),
        json.loads(storage.read_text(folder.path("statistics.json"))),
        seconds,
        already_finished,
    )
