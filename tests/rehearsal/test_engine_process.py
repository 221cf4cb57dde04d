"""The server as a process: nothing leaks in, nothing is left behind, nothing leaves the machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehearsal import run_folder
from rehearsal.deploy import deploy_template
from rehearsal.environment import server_environment
from rehearsal.errors import RehearsalError, is_loopback, require_loopback
from rehearsal.process import PROJECT, Rehearsal

SLEEPER = """
import os, pathlib, time
def handler(event, context):
    pathlib.Path(event["mark"]).write_text(str(os.getpid()))
    time.sleep(300)
"""
SPY = """
import os, sys
def handler(event, context):
    return {"environment": dict(os.environ), "path": sys.path}
"""
LINUX = pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="needs /proc")


def processes(session: int) -> list[int]:
    """The living processes of a server's session."""
    lines = subprocess.run(
        ["ps", "-e", "-o", "pid=,sess=,stat="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    found = [line.split() for line in lines]
    return [int(pid) for pid, sess, stat in found if int(sess) == session and "Z" not in stat]


def is_open(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def sleeping(
    tmp_path: Path, role_with: Any, function_of: Any, eventually: Any
) -> Callable[[Rehearsal], int]:
    """Puts a Lambda worker into the middle of a handler and returns its process."""

    def put(aws: Rehearsal) -> int:
        function_of(aws, "sleeper", SLEEPER, role_with(aws, "sleeper", []), Timeout=300)
        mark = tmp_path / f"mark-{time.monotonic_ns()}"
        aws.client("lambda").invoke(
            FunctionName="sleeper",
            InvocationType="Event",
            Payload=json.dumps({"mark": str(mark)}),
        )
        return int(eventually(lambda: mark.exists() and mark.read_text()))

    return put


def test_sigterm_leaves_nothing(sleeping: Callable[[Rehearsal], int]) -> None:
    aws = Rehearsal.start()
    worker = sleeping(aws)
    assert {aws.pid, worker} <= set(processes(aws.pid))
    aws.stop()
    assert aws._child is not None and aws._child.returncode == 0  # by itself, not by SIGKILL
    assert processes(aws.pid) == []
    assert not is_open(aws.port)
    assert not aws.folder.exists()


def test_sigkill_of_the_server_leaves_nothing(
    sleeping: Callable[[Rehearsal], int], eventually: Any
) -> None:
    """Its workers end themselves in the middle of a handler; its folder goes at the next start."""
    aws = Rehearsal.start()
    worker = sleeping(aws)
    os.kill(aws.pid, signal.SIGKILL)
    eventually(lambda: aws._child is None or aws._child.poll() is not None)
    eventually(lambda: worker not in processes(aws.pid), what="the worker's end")
    assert processes(aws.pid) == []
    assert not is_open(aws.port)
    assert aws.folder.exists()
    with Rehearsal.start() as other:
        assert not aws.folder.exists()
        assert other.folder.exists()


def test_sigkill_of_the_parent_ends_the_server(tmp_path: Path, eventually: Any) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            """
            import time
            from rehearsal.process import Rehearsal
            aws = Rehearsal.start()
            print(aws.pid, aws.port, aws.folder, flush=True)
            time.sleep(300)
            """
        )
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        pid, port, folder = parent.stdout.readline().split()
        parent.kill()
    eventually(lambda: not processes(int(pid)), what="the server's end")
    assert not is_open(int(port))
    assert not Path(folder).exists()


def test_stop_despite_a_custom_resource_that_never_answers(
    role_with: Any, function_of: Any, eventually: Any
) -> None:
    aws = Rehearsal.start()
    arn = function_of(aws, "mute", "def handler(e, c): pass", role_with(aws, "mute", []))
    waiting = {"Resources": {"R": {"Type": "Custom::Mute", "Properties": {"ServiceToken": arn}}}}
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="s", TemplateBody=json.dumps(waiting))

    def begun() -> bool:
        found = cloudformation.describe_stack_events(StackName="s")["StackEvents"]
        return any(event["LogicalResourceId"] == "R" for event in found)

    eventually(begun, what="the custom resource's beginning")
    aws.stop()
    assert processes(aws.pid) == []
    assert not aws.folder.exists()


def test_detached_server_is_found_and_stopped(tmp_path: Path) -> None:
    state = tmp_path / "build" / "rehearsal.json"
    aws = Rehearsal.start(detach=True, state_file=state)
    try:
        found = Rehearsal.attach(state_file=state)
        assert (found.pid, found.endpoint) == (aws.pid, aws.endpoint)
        assert found.client("sts").get_caller_identity()["Account"] == "000000000000"
        assert Rehearsal.attach(aws.endpoint).pid == aws.pid
        with pytest.raises(RehearsalError, match="runs already at http://localhost"):
            Rehearsal.start(detach=True, state_file=state)
        found.stop()
        assert not state.exists()
        assert Rehearsal.find(state) is None
        with pytest.raises(RehearsalError, match="no rehearsal is up"):
            Rehearsal.attach(state_file=state)
    finally:
        aws.stop()
    assert processes(aws.pid) == []


def test_detached_server_outlives_its_parent(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    script = (
        "from pathlib import Path; from rehearsal.process import Rehearsal; "
        f"Rehearsal.start(detach=True, state_file=Path({str(state)!r}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    time.sleep(0.6)
    found = Rehearsal.attach(state_file=state)
    try:
        assert found.is_alive()
        assert found.status()["pid"] == found.pid
    finally:
        found.stop()


def test_stale_state_file_is_removed(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    note = {"pid": os.getpid(), "port": 1, "region": "us-east-1", "folder": str(tmp_path / "gone")}
    state.write_text(json.dumps(note))
    assert Rehearsal.find(state) is None
    assert not state.exists()


def test_port_that_is_taken() -> None:
    with (
        Rehearsal.start() as aws,
        pytest.raises(RehearsalError, match=r"(?s)ended with 1.*Address already in use"),
    ):
        Rehearsal.start(port=aws.port)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://sqs.us-east-1.amazonaws.com",
        "http://10.0.0.1:4566",
        "http://0.0.0.0:4566",
        "http://localhost.example.com:4566",
        "http://127.0.0.1@example.com:4566",
        "localhost:4566",
    ],
)
def test_only_loopback(endpoint: str) -> None:
    with pytest.raises(RehearsalError, match="only ever speaks to this machine"):
        require_loopback(endpoint)
    with pytest.raises(RehearsalError, match="only ever speaks to this machine"):
        Rehearsal.attach(endpoint)


def test_only_loopback_is_listened_on() -> None:
    with pytest.raises(RehearsalError, match="only ever listens on this machine"):
        Rehearsal.start(host="0.0.0.0")
    assert is_loopback("127.0.0.53")
    assert is_loopback("[::1]")
    assert not is_loopback("192.168.0.1")


def test_session_cannot_be_led_away(engine: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an argument nor the user's own variables take a client off this machine."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "https://sqs.example.com")
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    assert engine.session().client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
    with pytest.raises(RehearsalError):
        engine.session().client("sqs", endpoint_url="https://sqs.us-east-1.amazonaws.com")


@LINUX
def test_one_loopback_port_and_no_other(engine: Rehearsal) -> None:
    sockets = {
        str(link.readlink()).removeprefix("socket:[").rstrip("]")
        for link in Path(f"/proc/{engine.pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:[")
    }
    listening = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{engine.pid}/net/{table}").read_text().splitlines()[1:]:
            field = line.split()
            if field[9] in sockets and (field[3] == "0A" or table.startswith("udp")):
                listening.append((table, field[1]))
    assert listening == [("tcp", f"0100007F:{engine.port:04X}")]


def test_nothing_of_the_caller_leaks_in(
    monkeypatch: pytest.MonkeyPatch, role_with: Any, function_of: Any
) -> None:
    """Neither the server nor a Lambda handler sees a variable that was not meant for it."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "canary")
    monkeypatch.setenv("AWS_PROFILE", "canary")
    monkeypatch.setenv("MY_API_KEY", "canary")
    monkeypatch.setenv("PYTHONPATH", "/canary")
    with Rehearsal.start() as aws:
        role = role_with(aws, "spy", [])
        function_of(aws, "spy", SPY, role, Environment={"Variables": {"MINE": "yes"}})
        answer = aws.client("lambda").invoke(FunctionName="spy", Payload="{}")
        seen = json.load(answer["Payload"])
        server = Path(f"/proc/{aws.pid}/environ")
        if server.exists():
            assert b"canary" not in server.read_bytes()
        folder = str(aws.folder)
    assert "canary" not in json.dumps(seen)
    environment = seen["environment"]
    assert environment["MINE"] == "yes"
    assert environment["HOME"].startswith(folder)
    assert environment["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "spy"
    hidden = {"AUTH", "GATEWAY_PORT", "BIND_HOST", "DOCKER_HOST", "PYTHONPATH", "REHEARSAL_HIDDEN"}
    assert hidden & environment.keys() == set()
    assert not [name for name in environment if name.startswith(("MINISTACK_", "REHEARSAL_"))]
    assert str(PROJECT) not in seen["path"]


def test_server_environment_is_an_allow_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYTHING", "else")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environment = server_environment(Path("/run-folder"), "eu-west-1", Path("/project"))
    assert "ANYTHING" not in environment
    assert environment["LANG"] == "C.UTF-8"
    assert environment["AUTH"] == "true"
    assert environment["HOME"] == "/run-folder/home"


def test_environment_for_children(engine: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("EDITOR", "ed")
    environment = engine.environment()
    assert environment["EDITOR"] == "ed"
    assert "AWS_PROFILE" not in environment
    assert environment["AWS_ENDPOINT_URL"] == engine.endpoint
    assert engine.variables().keys() <= environment.keys()


def test_sweep_leaves_the_living_alone(engine: Rehearsal) -> None:
    stale, lock = run_folder.create()
    os.close(lock)
    removed = run_folder.sweep()
    assert stale in removed
    assert engine.folder not in removed
    assert engine.folder.exists()


def test_folder_is_never_swept_while_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another start sweeps at every step of the making."""
    steps: list[str] = []

    def swept_before(module: Any, name: str) -> None:
        original = getattr(module, name)

        def step(*args: Any, **kwargs: Any) -> Any:
            monkeypatch.setattr(module, name, original)  # sweeping takes the same steps
            run_folder.sweep()
            steps.append(name)
            monkeypatch.setattr(module, name, step)
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, step)

    with monkeypatch.context():
        swept_before(run_folder.fcntl, "flock")
        swept_before(run_folder.Path, "rename")
        folder, lock = run_folder.create()
    try:
        assert {"flock", "rename"} <= set(steps)
        assert folder.exists()
        assert folder not in run_folder.sweep()
    finally:
        os.close(lock)
    assert folder in run_folder.sweep()


def test_folder_that_was_never_finished_goes_with_time() -> None:
    left = run_folder.base_folder() / "new-left"
    left.mkdir()
    assert left not in run_folder.sweep()
    os.utime(left, (0, 0))
    assert left in run_folder.sweep()


def test_tests_share_no_folder_with_others(engine: Rehearsal, tmp_path_factory: Any) -> None:
    assert engine.folder.is_relative_to(tmp_path_factory.getbasetemp())


# An application that does not end by itself, nor when it is asked to, and a process of its own in
# another session.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
time.sleep(600)
"""
SYNTHESIZING = """
import os, sys
from pathlib import Path
from rehearsal.cdk_cli import CdkCli
folder = Path(sys.argv[1])
synth = ["synth", "--app", f"{sys.executable} {folder / 'app.py'}", "--output", str(folder / "o")]
CdkCli(os.environ, folder, folder / "cdk.log").run(synth, print, cwd=folder)
"""


def command_lines(mark: Path) -> list[str]:
    """Of the living processes that have a folder in their environment."""
    found: list[str] = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if str(mark).encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text(errors="replace").replace("\0", " "))
    return found


@LINUX
def test_sigkill_leaves_nothing_of_the_cdk_cli(tmp_path: Path, eventually: Any) -> None:
    """Neither the CLI nor the application, nor what that has started in another session."""
    (tmp_path / "app.py").write_text(STUBBORN)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", SYNTHESIZING, str(tmp_path)]
    with subprocess.Popen(command, env=environment) as parent:
        try:
            eventually(lambda: any("sleep(600)" in each for each in command_lines(tmp_path)))
            running = " ".join(command_lines(tmp_path))
            assert "supervisor.py" in running and "node_modules" in running
        finally:
            parent.kill()
    eventually(lambda: not command_lines(tmp_path), what="the end of all that the CLI started")


def test_reset_forgets_everything(
    engine: Rehearsal, sleeping: Callable[[Rehearsal], int], eventually: Any
) -> None:
    template = {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                },
            },
            "Bundle": {
                "Type": "AWS::Logs::QueryDefinition",
                "Properties": {"Name": "n", "QueryString": "q"},
            },
        }
    }
    deploy_template(engine, "all", template)
    worker = sleeping(engine)
    engine.rekognition.fail("DetectLabels", "ThrottlingException")
    engine.reset()
    assert worker not in processes(engine.pid)
    assert engine.client("s3").list_buckets()["Buckets"] == []
    assert engine.client("sqs").list_queues().get("QueueUrls", []) == []
    assert engine.client("dynamodb").list_tables()["TableNames"] == []
    assert engine.client("cloudformation").describe_stacks()["Stacks"] == []
    assert engine.client("lambda").list_functions()["Functions"] == []
    assert engine.client("iam").list_roles()["Roles"] == []
    assert engine.status()["recorded_only"] == []
    assert engine.rekognition.calls() == {}


def test_control_is_not_for_web_pages(engine: Rehearsal) -> None:
    import http.client

    for header in ({"Origin": "https://example.com"}, {"Host": "example.com"}):
        connection = http.client.HTTPConnection("127.0.0.1", engine.port)
        connection.request("POST", "/_rehearsal/reset", headers=header)
        assert connection.getresponse().status == 403
        connection.close()


def test_start_from_a_thread() -> None:
    """A server started in a thread outlives the thread: its parent is the process."""
    started: list[Rehearsal] = []
    thread = threading.Thread(target=lambda: started.append(Rehearsal.start()))
    thread.start()
    thread.join()
    with started[0] as aws:
        time.sleep(0.5)
        assert aws.status()["pid"] == aws.pid


def test_orphaned_server_ends_in_the_middle_of_a_long_poll(tmp_path: Path, eventually: Any) -> None:
    """A request in flight holds nothing up when the parent is gone."""
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            """
            import threading, time
            from rehearsal.process import Rehearsal
            aws = Rehearsal.start()
            url = aws.client("sqs").create_queue(QueueName="q")["QueueUrl"]
            poll = dict(QueueUrl=url, WaitTimeSeconds=20)
            threading.Thread(target=aws.client("sqs").receive_message, kwargs=poll).start()
            time.sleep(0.5)
            print(aws.pid, flush=True)
            time.sleep(300)
            """
        )
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    eventually(lambda: not processes(pid), what="the server's end")
