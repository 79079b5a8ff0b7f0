"""Worker processes that are copies of the program, made while it has no threads of its own.

A new worker spends two seconds on imports that the program has done already. A copy
shares those modules, their memory too, and is there before the inputs have been read.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from apache_beam.portability.api import endpoints_pb2
from apache_beam.runners.portability.fn_api_runner.worker_handlers import (
    GrpcWorkerHandler,
    WorkerHandler,
)
from apache_beam.transforms.environments import Environment, python_sdk_capabilities
from google.protobuf import json_format, text_format

from pipeline.local import process, worker_main

_URN = "mask_depth:environment:forked:v1"


@dataclass(frozen=True)
class _Fork:
    """A copy that waits for the variables of a worker's environment.

    Attributes:
        pid: its process id.
        pipe: where the variables are written to; its end without them ends the copy.
    """

    pid: int
    pipe: int


_WAITING: list[_Fork] = []
_WORKING: set[int] = set()


@contextmanager
def prepared(count: int, imports: Sequence[str] = ()) -> Iterator[None]:
    """Keeps copies of this process ready while the block runs.

    Nothing in this process may have started a thread that holds locks, as gRPC does.

    Args:
        count: how many, 0 for none; there are none where processes cannot safely be copied.
        imports: modules that each copy imports while it waits.
    """
    if count and sys.platform == "linux":
        from apache_beam.runners.worker import sdk_worker_main  # noqa: F401

        gc.freeze()  # What a collector does not touch stays shared.
        for _ in range(count):
            _WAITING.append(_fork(imports))
    try:
        with process.at_end(_kill_all):
            yield
    finally:
        keep(0)


def _kill_all() -> None:
    for pid in (*(fork.pid for fork in _WAITING), *_WORKING):
        os.kill(pid, signal.SIGKILL)


def keep(count: int) -> bool:
    """Ends the copies that wait beyond a number of them; False where there are fewer."""
    while len(_WAITING) > count:
        fork = _WAITING.pop()
        os.close(fork.pipe)
        os.kill(fork.pid, signal.SIGKILL)
        os.waitpid(fork.pid, 0)
    return len(_WAITING) == count


def _fork(imports: Sequence[str]) -> _Fork:
    receiver, sender = os.pipe()
    with warnings.catch_warnings():
        # The threads that there are belong to NumPy and Arrow, which know of forks.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        os.close(receiver)
        return _Fork(pid, sender)
    try:
        process.become_worker()
        for other in (sender, *(fork.pipe for fork in _WAITING)):
            os.close(other)
        _become_worker(receiver, imports)
    finally:
        os._exit(1)


def _become_worker(receiver: int, imports: Sequence[str]) -> NoReturn:
    """Waits for the variables of a worker, and is one until the process ends."""
    for name in imports:
        with contextlib.suppress(Exception):  # What needs the module says what is wrong with it.
            importlib.import_module(name)
    with open(receiver, "rb", closefd=False) as pipe:
        text = pipe.readline()
    if not text.endswith(b"\n"):
        os._exit(0)  # The program has ended.
    os.environ.update(json.loads(text))
    worker_main.serve()


@Environment.register_urn(_URN, bytes)
class ForkedEnvironment(Environment):
    """The environment of a runner whose workers are the copies that wait."""

    def __init__(self) -> None:
        super().__init__(capabilities=python_sdk_capabilities())

    def to_runner_api_parameter(self, context: object) -> tuple[str, bytes]:
        """Its name, and nothing beside."""
        return _URN, b""

    @staticmethod
    def from_runner_api_parameter(*_: object) -> "ForkedEnvironment":
        """The same again."""
        return ForkedEnvironment()


@WorkerHandler.register_environment(_URN, bytes)
class _ForkedWorkerHandler(GrpcWorkerHandler):
    def __init__(self, payload: bytes, *arguments: Any) -> None:
        del payload
        super().__init__(*arguments)

    def start_worker(self) -> None:
        options = self.provision_info.provision_info.pipeline_options
        control = endpoints_pb2.ApiServiceDescriptor(url=self.control_address)
        variables = {
            "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(control),
            "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(
                self.logging_api_service_descriptor()
            ),
            "PIPELINE_OPTIONS": json_format.MessageToJson(options),
            "WORKER_ID": self.worker_id,
        }
        fork = _WAITING.pop()
        _WORKING.add(fork.pid)
        with contextlib.suppress(BrokenPipeError):  # One that has died is waited for below.
            os.write(fork.pipe, json.dumps(variables).encode() + b"\n")
        self._thread = threading.Thread(name="run_worker", target=_wait, args=(fork.pid,))
        self._thread.start()

    def stop_worker(self) -> None:
        self._thread.join()


def _wait(pid: int) -> None:
    """Waits for a worker's end, which `workers.watched_workers` hears of when it is a bad one."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # Its number stays taken until it is out.
    _WORKING.discard(pid)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise RuntimeError(f"a worker process has ended with return code {code}")
