"""Makes training sets for segmentation and depth from folders of foregrounds and backgrounds.

From Python, for example in a notebook:

    from pipeline import DatasetSpec, generate

    result = generate(DatasetSpec(foregrounds="fg", backgrounds="bg", output="out"))
    print(result.samples, result.gallery)
"""

from pipeline.run import GenerateResult, generate
from pipeline.spec import DatasetSpec, SpecError

__all__ = ["DatasetSpec", "GenerateResult", "SpecError", "generate"]
