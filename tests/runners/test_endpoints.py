"""Servers that jobs are sent to: tested first, and told of when they are lost."""

import socket
import threading
from pathlib import Path

import grpc
import pytest

from pipeline.cli import main
from pipeline.progress import recorded_samples
from pipeline.run import job_reason
from pipeline.runner import _silence_lost_connections, check_model, check_reachable
from pipeline.spec import SpecError
from tests.stores.servers import free_port
from transforms.formats.base import Folder
from transforms.plan.plan import Plan

POOL = ("--environment_type=EXTERNAL", "--environment_config=localhost:50000")


@pytest.mark.parametrize(
    "flags",
    [
        ["--runner=PortableRunner", "--job_endpoint=localhost:PORT"],
        ["--runner=FlinkRunner", "--flink_master=localhost:PORT"],
        ["--runner=FlinkRunner", "--flink_master=http://localhost:PORT"],
    ],
)
def test_a_server_is_asked_before_any_work(flags):
    with socket.create_server(("localhost", 0)) as server:
        port = str(server.getsockname()[1])
        check_reachable([flag.replace("PORT", port) for flag in flags])
    with pytest.raises(SpecError, match=f"localhost:{port}: nothing answers there"):
        check_reachable([flag.replace("PORT", port) for flag in flags])


def test_an_address_without_a_port_is_refused():
    with pytest.raises(SpecError, match="--job_endpoint=cluster is no address; give HOST:PORT"):
        check_reachable(["--runner=PortableRunner", "--job_endpoint=cluster"])


def test_runners_without_a_server_are_not_asked():
    for flags in ([], ["--runner=PrismRunner"], ["--runner=FlinkRunner", "--flink_master=[local]"]):
        check_reachable(flags)


def test_nothing_is_made_where_no_job_server_answers(inputs, tmp_path, capsys):
    flags = ["--runner=PortableRunner", f"--job_endpoint=localhost:{free_port()}", *POOL]
    places = [f"--foregrounds={inputs / 'fg'}", f"--backgrounds={inputs / 'bg'}"]
    output = tmp_path / "set"
    assert main(["generate", *places, f"--output={output}", "--depth_model=none", *flags]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "nothing answers there" in line and not output.exists()


def call_nobody() -> None:
    with grpc.insecure_channel(f"localhost:{free_port()}") as channel:
        channel.unary_unary("/job/State")(b"", timeout=20)


def test_a_lost_server_is_told_with_code_and_details():
    with pytest.raises(grpc.RpcError) as raised:
        call_nobody()
    text = job_reason(raised.value)
    assert text.startswith("the call to the job server failed: UNAVAILABLE: ")
    assert "the job may run on: look at the cluster's own page" in text
    assert "Rendezvous" not in text and "\n" not in text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_threads_that_lose_their_connection_are_silent_and_others_are_not(monkeypatch):
    seen: list[type] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: seen.append(arguments.exc_type))
    _silence_lost_connections()
    _silence_lost_connections()
    for target in (call_nobody, lambda: int("x")):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    assert seen == [ValueError]


@pytest.mark.parametrize("model", ["torchscript:m.pt", "onnx:/models/m.onnx", "hf:FOLDER"])
def test_a_local_model_is_refused_for_dataflow(model, tmp_path):
    model = model.replace("FOLDER", str(tmp_path))
    with pytest.raises(SpecError, match="out of reach of Dataflow's workers"):
        check_model(["--runner=DataflowRunner"], model)
    check_model([], model)


def test_models_that_workers_reach_are_not_refused():
    for model in ("builtin", "none", "hf:some/model"):
        check_model(["--runner=DataflowRunner"], model)


def test_the_records_tell_how_far_a_job_elsewhere_is(plain, tmp_path):
    plan = Plan.from_json(Path(plain.output, "state/plan.json").read_text())
    assert recorded_samples(Folder(plain.output), plan) == plan.total == 432
    assert recorded_samples(Folder(str(tmp_path)), plan) == 0
    first, *_ = plan.shards()
    (tmp_path / "state/records").mkdir(parents=True)
    (tmp_path / f"state/records/{first.name}.json").write_text("{}")
    (tmp_path / "state/records/backgrounds-00000-of-00001.json").write_text("{}")
    assert recorded_samples(Folder(str(tmp_path)), plan) == first.count
