"""What is wrong with a field of what was sent: how, told in the caller's language by the texts of words.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from api import words
from rules.texts import Language


class Fault(NamedTuple):
    """`how` names the text; pydantic's own names for what it finds are among them."""

    field: str
    how: str
    values: Mapping[str, Any] = {}

    def told(self, language: Language) -> dict[str, str]:
        """As it stands in a problem document."""
        last = self.field.rpartition(".")[2]
        return {"field": self.field, "detail": words.fault(self.how, last, language, self.values)}


def found(error: ValidationError) -> list[Fault]:
    """What pydantic found, by field."""
    return [
        Fault(".".join(str(part) for part in fault["loc"]), fault["type"], _plain(fault.get("ctx", {})))
        for fault in error.errors(include_url=False, include_input=False)
    ]


def _plain(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Pydantic lists what it expects in English, in quotes."""
    if "expected" not in values:
        return values
    return {**values, "expected": values["expected"].replace(" or ", ", ").replace("'", "")}


def unfit(how: str, **values: Any) -> PydanticCustomError:
    """For validators of our own."""
    return PydanticCustomError(how, how, values)
