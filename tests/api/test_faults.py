"""What is wrong with a field is told in the reader's language, whatever is sent."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from api import app, bodies, faults
from api.applications import Payment
from api.words import _WORDS
from rules.fields import Method
from rules.texts import Language

assert app, "it brings in every module that takes a body"
ODD: list[Any] = [None, True, 1, -1, 10**12, 10**30, 1.5, 2.0, [], ["x"], {}, {"x": 1}]
ODD += ["", " ", "x", "x" * 300, "a\nb", "2030-04-01", "2030-13-01T00:00", "2030-04-01T00:00:00"]
ODD += ["2030-04-01T00:00:00+09:00", "2999-04-01T00:00:00+09:00"]


def found(model: type[BaseModel]) -> list[faults.Fault]:
    """What is wrong with any odd value in any field."""
    told: list[faults.Fault] = []
    fields = [
        *((name,) for name in model.model_fields),
        ("no_such_field",),
        ("applicant", "email"),
        ("payment", "method"),
    ]
    for path, odd in product([*fields, ()], ODD):
        value = odd
        for name in reversed(path):
            value = {name: value}
        try:
            model.model_validate(value)
        except ValidationError as error:
            told += faults.found(error)
    return told


@pytest.mark.parametrize("model", bodies.MODELS, ids=lambda model: model.__name__)
def test_every_kind_of_fault_has_words(model: type[BaseModel]) -> None:
    assert {fault.how for fault in found(model)} - _WORDS["fault"].keys() == set()


@pytest.mark.parametrize("language", get_args(Language))
def test_the_words_fit_what_is_found(language: Language) -> None:
    for model in bodies.MODELS:
        for fault in found(model):
            told = fault.told(language)
            assert told["detail"].isascii() == (language == "en"), told
            assert "{" not in told["detail"]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_there_is_to_choose_from_is_listed_without_words_of_another_language(language: Language) -> None:
    with pytest.raises(ValidationError) as wrong:
        Payment.model_validate({"method": "cash"})
    [fault] = faults.found(wrong.value)
    assert ", ".join(get_args(Method)) in fault.told(language)["detail"]
