from pathlib import Path

import pytest
from pydantic import SecretStr

from settings import Settings
from tests.sandbox.conftest import sandbox, shared_sandbox
from tests.sandbox.process import Running

__all__ = ["sandbox", "settings", "shared_sandbox"]


@pytest.fixture
def settings(shared_sandbox: Running, tmp_path: Path) -> Settings:
    """Settings under which everything leaves into the sandbox."""
    return Settings(
        data_dir=tmp_path,
        production=False,
        smtp_host="127.0.0.1",
        smtp_port=shared_sandbox.smtp_port,
        smtp_starttls=False,
        mail_from="Keiyaku <no-reply@keiyaku.example>",
        print_dir=shared_sandbox.data / "print",
        gateway_url=shared_sandbox.gateway_url,
        gateway_api_key=SecretStr("test"),
    )
