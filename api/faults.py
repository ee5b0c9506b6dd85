"""What is wrong with a field of what was sent: how, told in the caller's language by the texts of words.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

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
    return [fault for one in error.errors(include_url=False, include_input=False) for fault in _by_field(one)]


def _by_field(one: ErrorDetails) -> list[Fault]:
    """What one of our validators says of a whole is told of the fields in it that it names."""
    place, values = [str(part) for part in one["loc"]], _plain(one.get("ctx", {}))
    named = [[name] for name in values.get("fields", ())]
    return [Fault(".".join([*place, *field]), one["type"], values) for field in named or [[]]]


def _plain(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Pydantic lists what it expects in English, in quotes."""
    if "expected" not in values:
        return values
    return {**values, "expected": values["expected"].replace(" or ", ", ").replace("'", "")}


def unfit(how: str, **values: Any) -> PydanticCustomError:
    """For validators of our own. `fields`: which ones of a whole it is about."""
    return PydanticCustomError(how, how, values)
