"""Makes training sets for segmentation and depth from folders of foregrounds and backgrounds.

From Python, for example in a notebook:

    from pipeline import DatasetSpec, generate

    result = generate(DatasetSpec(foregrounds="fg", backgrounds="bg", output="out"))
    print(result.samples, result.gallery)
"""

TYPE_CHECKING = False  # As type checkers read it; `typing` takes its time.

if TYPE_CHECKING:
    from pipeline.performance import Performance
    from pipeline.run import GenerateResult, JobError, generate
    from pipeline.spec import DatasetSpec, SpecError

__all__ = ["DatasetSpec", "GenerateResult", "JobError", "Performance", "SpecError", "generate"]


def __getattr__(name: str) -> object:
    """Imports Beam only when something is used, so that `--help` is quick."""
    if name in ("DatasetSpec", "SpecError"):
        from pipeline import spec

        return getattr(spec, name)
    if name == "Performance":
        from pipeline.performance import Performance

        return Performance
    if name in ("GenerateResult", "JobError", "generate"):
        import warnings

        with warnings.catch_warnings():  # What Beam's clients say of their own future.
            warnings.simplefilter("ignore")
            from pipeline import run

        return getattr(run, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
