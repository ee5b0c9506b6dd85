from collections.abc import Iterator

import pytest

from tests.sandbox.process import Running, run


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with run(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Running) -> Iterator[Running]:
    """One process for a module, whole again after each test; tests keep apart by their keys and addresses."""
    yield shared_sandbox
    shared_sandbox.faults(smtp="up", gateway="up")
