"""Depth models of the `transformers` package."""

import inspect
from typing import Any

import numpy as np
import torch

from transforms.extras import needs
from transforms.models.base import ModelError, Running
from transforms.models.depth.base import METRIC_DEPTH, RELATIVE_INVERSE_DEPTH, DepthMeaning
from transforms.models.devices import choose_device, describe

_METRIC_TYPES = frozenset({"depth_pro", "glpn", "zoedepth"})


class HuggingFaceModel:
    """Any model that `AutoModelForDepthEstimation` loads, with its own image processor.

    Weights are read as safetensors only, and code that comes with a model is never run.

    Args:
        source: an id on the hub, or a folder written by `save_pretrained`.
        running: threads of torch in this process, torch device, precision.

    Raises:
        ModelError: `transformers` is not installed, the model cannot be loaded, its weights do not
            fit its architecture, or the device is not there.
    """

    def __init__(self, source: str, running: Running) -> None:
        self.name = f"hf:{source}"
        try:
            from transformers import AutoImageProcessor, AutoModelForDepthEstimation
            from transformers.utils import logging
        except ImportError:
            raise ModelError(f"{self.name} {needs('transformers', 'hf')}") from None
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self._device = choose_device(running.device)
        self.device = describe(self._device)
        if self._device.type == "cpu":
            torch.set_num_threads(running.threads)
        try:
            self._processor = AutoImageProcessor.from_pretrained(source, trust_remote_code=False)
            model, report = AutoModelForDepthEstimation.from_pretrained(
                source, trust_remote_code=False, use_safetensors=True, output_loading_info=True
            )
        except Exception as error:  # transformers and its readers raise many types.
            raise ModelError(
                f"{self.name} cannot be loaded: {_first_line(error)}; give the id or the folder of"
                " a transformers depth-estimation model with its image processor"
            ) from None
        if report["missing_keys"]:
            missing = sorted(report["missing_keys"])
            raise ModelError(
                f"{self.name}: the weights lack {len(missing)} tensors of the architecture, such as"
                f" {missing[0]}; give a folder that holds a whole depth-estimation model"
            )
        self._half = running.half_precision and self._device.type == "cuda"
        self._model = (model.half() if self._half else model).eval().to(self._device)
        self.meaning = meaning_of(model.config)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Predicts the model's own values, at the size of the pictures.

        Args:
            images: uint8 [n, height, width, 3], RGB.

        Returns:
            float32 [n, height, width].

        Raises:
            ModelError: the model cannot take such pictures.
        """
        sizes = [images.shape[1:3]] * len(images)
        try:
            inputs = self._processor(images=list(images), return_tensors="pt").to(self._device)
            if self._half:
                inputs = inputs.to(torch.float16)
            with torch.inference_mode():
                outputs = self._model(**inputs)
            finish = self._processor.post_process_depth_estimation
            wanted = {"target_sizes": sizes}
            # Processors that pad need the size before padding.
            if "source_sizes" in inspect.signature(finish).parameters:
                wanted["source_sizes"] = sizes
            maps = [result["predicted_depth"] for result in finish(outputs, **wanted)]
        except (RuntimeError, ValueError, TypeError) as error:
            raise ModelError(
                f"{self.name} cannot take pictures of {sizes[0][1]}x{sizes[0][0]}:"
                f" {_first_line(error)}"
            ) from None
        return torch.stack(maps).float().cpu().numpy()


def meaning_of(config: Any) -> DepthMeaning:
    """What the values mean, by the model's configuration: metres if it says so, else relative.

    Args:
        config: configuration of a `transformers` depth-estimation model.
    """
    says = getattr(config, "depth_estimation_type", None)
    metric = says == "metric" if says else config.model_type in _METRIC_TYPES
    return METRIC_DEPTH if metric else RELATIVE_INVERSE_DEPTH


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".:") if text else type(error).__name__
