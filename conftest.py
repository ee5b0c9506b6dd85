"""What tests share shows what it found, too, where an assertion in it fails."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests")
