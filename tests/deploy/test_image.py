"""The image: what its Dockerfile says, and what its commands do outside a container."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.aws_server import _free_port
from tests.deploy.dockerfile import Image, read, stages
from tests.deploy.templates import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.templates import Template

pytestmark = [pytest.mark.aws, pytest.mark.xdist_group("deploy")]

KNOWN = {"FROM", "COPY", "RUN", "ENV", "WORKDIR", "USER", "CMD"}


def test_stages_start_from_one_named_release() -> None:
    assert list(stages()) == ["python:3.12-slim-bookworm AS packages", "python:3.12-slim-bookworm AS sluice"]


def test_it_says_nothing_that_these_tests_do_not_know() -> None:
    assert {item.name for item in read()} <= KNOWN


def test_it_does_not_run_as_root() -> None:
    *_, user, command = read()

    assert (user.name, user.text, command.name) == ("USER", "sluice", "CMD")


def test_packages_are_checked_by_hash() -> None:
    installs = [item.text for item in read() if "pip install" in item.text]

    assert [("--require-hashes" in text, "--no-cache-dir" in text) for text in installs] == [(True, True)]


def test_no_variable_holds_a_secret() -> None:
    names = [pair.partition("=")[0] for item in read() if item.name == "ENV" for pair in item.text.split()]

    assert names == ["PATH", "PYTHONPATH", "PYTHONUNBUFFERED", "DAGSTER_HOME", "SLUICE_HOME"]


def test_what_is_copied_is_there_and_all_that_docker_is_given() -> None:
    copied = [name for item in read() if item.name == "COPY" for name in item.from_context]
    given = [line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")]

    assert [name for name in copied if not (CHECKOUT / name).exists()] == []
    assert {name.partition("/")[0] for name in copied} == set(given)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    built = Image(tmp_path_factory.mktemp("image"))
    built.build()
    return built


def test_its_command_finds_everything_it_needs(image: Image) -> None:
    said = image.run("sluice doctor --json", SLUICE_ENV="local")

    assert str(image.root / "sluice") in said


def test_it_runs_its_own_copy(image: Image) -> None:
    said = image.run("python -c 'import sluice, resources, dagster_postgres; print(sluice.__file__)'")

    assert said.strip() == str(image.root / "app" / "sluice" / "__init__.py")


def test_dagster_takes_its_configuration(image: Image) -> None:
    code = (
        "from dagster._core.instance.ref import InstanceRef\n"
        "ref = InstanceRef.from_dir('/dagster')\n"
        "print(ref.run_launcher_data.class_name, ref.storage_data.class_name, ref.compute_logs_data.class_name)\n"
    )

    said = image.run(f'python -c "{code}"')

    assert said.split() == ["EcsRunLauncher", "DagsterPostgresStorage", "NoOpComputeLogManager"]


def test_the_daemon_asks_the_code_location_by_its_name(image: Image) -> None:
    code = (
        "from dagster._core.workspace.load import location_origins_from_yaml_paths\n"
        "(origin,) = location_origins_from_yaml_paths(['/app/deploy/aws/workspace.yaml'])\n"
        "print(origin.location_name, origin.host, origin.port)\n"
    )

    said = image.run(f'python -c "{code}"', SLUICE_CODE_HOST="code.sluice.internal")

    assert said.split() == ["sluice", "code.sluice.internal", "4000"]


def test_the_code_location_loads_and_says_that_it_is_well(
    image: Image, templates: dict[str, Template], tmp_path: Path
) -> None:
    task = next(
        item
        for item in templates["sluice-services"].of_type("AWS::ECS::TaskDefinition")
        if item["Family"] == "sluice-code"
    )
    (container,) = task["ContainerDefinitions"]
    port = str(_free_port())
    start = _here(container["Command"], port)
    ask = _here(container["HealthCheck"]["Command"][1:], port)
    # Without the image's own dagster.yaml, which needs an account; a code location reads no records to load.
    environ = {**image._environ, "DAGSTER_HOME": str(tmp_path)}

    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            [image.inside(word) for word in start], env=environ, cwd=image.root / "app", stdout=log, stderr=log
        ) as server,
    ):
        try:
            answered = _await_health(ask, environ, server)
        finally:
            server.terminate()
            server.wait(20)

    assert answered, (tmp_path / "log").read_text()


def _here(command: list[str], port: str) -> list[str]:
    """On this machine alone, and on a port that is free."""
    return [{"0.0.0.0": "127.0.0.1", "4000": port}.get(word, word) for word in command]


def _await_health(ask: list[str], environ: dict[str, str], server: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + 90
    while time.monotonic() < until and server.poll() is None:
        if subprocess.run(ask, env=environ, capture_output=True, check=False).returncode == 0:
            return True
        time.sleep(0.5)
    return False
