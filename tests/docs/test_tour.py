"""The tour of the README, pasted into a shell."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.conftest import Stacks

README = Path(__file__).parents[2] / "README.md"


# As the README tells integrators: a 503, which a machine that stalls answers with, means that nothing has happened.
SENDS_AGAIN = """
curl() {
  local said=$(mktemp) status=503
  while status=$(command curl -w '%{http_code}' "$@" -o "$said") && [ "$status" = 503 ]; do sleep 5; done
  cat "$said"
}
"""


def blocks() -> list[str]:
    """The commands of the tour."""
    tour = README.read_text("utf-8").partition("## A tour of ten minutes")[2].partition("\n## ")[0]
    return re.findall(r"^```bash\n(.*?)^```", tour, re.M | re.S)


def test_the_tour_goes_as_it_is_told(stacks: Stacks) -> None:
    stack = stacks("sqlite")
    script = "\n".join(blocks()).replace("http://127.0.0.1:8080", stack.note["api"])
    script = script.replace("keiyaku-data/", f"{stack.folder}/")
    # Another test may have moved the clock further.
    script = script.replace('"2030-', f'"{stack.now().year + 1}-')
    told = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", SENDS_AGAIN + script],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    states = [line for line in told.stdout.splitlines() if re.fullmatch(r"[a-z_]+", line)]
    assert states == ["preparing", "active", "device_overdue", "closed"]
    assert '"status":428' in told.stdout
    assert '"rule":"RNT-6"' in told.stdout
    assert '"item":"deposit_forfeited"' in told.stdout
    assert "was due back on 10 May" in told.stdout
