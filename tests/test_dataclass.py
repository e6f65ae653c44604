"""`netspec.dataclass` makes the classes that the standard library makes."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, astuple, field, fields, is_dataclass, replace
from typing import Any, ClassVar

import pytest

from netspec import dataclass as ours

OPTIONS = [
    {},
    {"frozen": True},
    {"slots": True},
    {"frozen": True, "slots": True},
    {"eq": False},
    {"frozen": True, "slots": True, "eq": False},
]


class Plain:
    """A class of every kind of field."""

    name: str
    size: tuple[int, ...]
    kind: str = "plain"
    seen: list[int] = field(default_factory=list)
    note: str = field(default="none", repr=False, compare=False)

    @property
    def doubled(self) -> int:
        return 2 * len(self.size)


class Lone:
    """A class of one field."""

    value: object


class Silent:
    value: int = 0


def made(by: Any, cls: type, options: dict[str, bool]) -> Any:
    """A copy of the class, made by one of the two decorators."""
    own = {name: value for name, value in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    own = {
        name: copy.copy(value) if isinstance(value, dataclasses.Field) else value
        for name, value in own.items()
    }
    found = by(**options)(type(cls.__name__, cls.__bases__, own))
    globals()[f"made_{cls.__name__}"] = found
    found.__qualname__ = f"made_{cls.__name__}"  # where pickle finds it
    return found


def outcome(what: Callable[..., object], *arguments: Any) -> Any:
    """What a call returns, or the type and the text of what it raises."""
    try:
        return what(*arguments)
    except Exception as error:
        return type(error), str(error)


def behaviour(by: Any, cls: type, options: dict[str, bool]) -> dict[str, object]:
    """All that a program can see of a class with such fields."""
    made_class = made(by, cls, options)
    arguments = [(), ("a",), ("a", (1, 2)), ("a", (1, 2), "other", [3], "noted")]
    found: dict[str, object] = {
        "signature": str(inspect.signature(made_class)),
        "names": [(each.name, each.type, each.repr, each.compare) for each in fields(made_class)],
        "is one": is_dataclass(made_class),
        "match": made_class.__match_args__,
        "doc": cls.__doc__ and made_class.__doc__,
        "hashable": made_class.__hash__ is None,
        "attributes": sorted(
            name for name in vars(made_class) if name in cls.__annotations__ | {"__slots__": 0}
        ),
    }
    for values in arguments:
        one = outcome(made_class, *values)
        found[f"{values}"] = repr(one)
        if not is_dataclass(one):
            continue
        two, name = made_class(*values), fields(made_class)[0].name
        other: Any = replace(two, **{name: "b"})
        found[f"{values} more"] = [
            one == two,
            two == 1,
            ours.replace(two, **{name: "b"}) == other
            if "eq" not in options
            else repr(ours.replace(two, **{name: "b"})),
            two != other,
            repr(other),
            outcome(lambda value: hash(value) == hash(copy.copy(value)), two) if "eq" not in options else "",
            outcome(setattr, two, name, "c"),
            outcome(delattr, two, name),
            asdict(other),
            astuple(other),
            repr(pickle.loads(pickle.dumps(other))),
            repr(copy.deepcopy(other)),
            getattr(other, "doubled", None),
        ]
    return found


@pytest.mark.parametrize("cls", [Plain, Lone, Silent])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_class_is_as_the_standard_library_makes_it(cls: type, options: dict[str, bool]) -> None:
    assert behaviour(ours.dataclass, cls, options) == behaviour(dataclasses.dataclass, cls, options)


@pytest.mark.parametrize("cls", [Plain, Lone, Silent])
def test_a_plain_class_is_not_left_to_the_standard_library(
    cls: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataclasses, "dataclass", None)
    assert made(ours.dataclass, cls, {"frozen": True, "slots": True}).__qualname__ == f"made_{cls.__name__}"


def derived(by: Any, options: dict[str, bool]) -> Any:
    """A class whose base is made in the same way, with what it does after it is made."""

    @by(**options)
    class Base:
        """Has two fields."""

        first: int
        second: str = "a"

    @by(**options)
    class Further(Base):
        """Has two more."""

        third: list[int] = field(default_factory=list)
        fourth: int = field(default=1, repr=False, compare=False)

        def __post_init__(self) -> None:
            self.third.append(self.first)

    return Further


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_class_with_a_base_is_as_the_standard_library_makes_it(
    options: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(by: Any) -> list[object]:
        cls = derived(by, options)
        one, two = cls(1), cls(1, "a", [], 2)
        return [
            *(repr(one), one == two, one == cls.__base__(1), cls.__base__(1) == one, cls.__match_args__),
            *(outcome(cls), str(inspect.signature(cls)), outcome(setattr, one, "first", 2)),
            *(repr(copy.copy(two)), two.fourth, cls.__base__.__match_args__),
            *(outcome(hash, one)[0] if cls.__hash__ is None else "hashed", cls.__doc__),
            *(
                [(each.name, each.type, each.repr) for each in fields(cls)],
                asdict(one),
                repr(replace(two, first=3)),
            ),
            repr(ours.replace(two, first=3)),
        ]

    assert seen(ours.dataclass) == seen(dataclasses.dataclass)
    monkeypatch.setattr(dataclasses, "dataclass", None)
    assert derived(ours.dataclass, options)(1).third == [1]


def test_values_that_hold_each_other_are_shown() -> None:
    one = made(ours.dataclass, Lone, {})(None)
    one.value = one
    assert repr(one) == "made_Lone(value=...)"


def test_a_list_is_made_anew_for_each() -> None:
    cls = made(ours.dataclass, Plain, {"slots": True})
    assert cls("a", ()).seen is not cls("b", ()).seen


def with_base() -> type:
    """A class whose base has fields."""

    @dataclasses.dataclass
    class Base:
        first: int

    @ours.dataclass
    class Further(Base):
        """Has two fields."""

        second: int = 2

    return Further


def with_class_variable() -> type:
    """A class with a variable that is no field."""

    @ours.dataclass
    class Counted:
        """Has one field."""

        first: int
        count: ClassVar[int] = 0

    return Counted


def with_method() -> type:
    """A class that defines what is generated."""

    @ours.dataclass
    class Own:
        """Has one field and its own form."""

        first: int

        def __repr__(self) -> str:
            return f"Further(first={self.first}, second=2)"

    return Own


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (with_base, "with_base.<locals>.Further(first=1, second=2)"),
        (with_class_variable, "with_class_variable.<locals>.Counted(first=1)"),
        (with_method, "Further(first=1, second=2)"),
    ],
)
def test_what_is_not_plain_is_made_by_the_standard_library(cls: Callable[[], Any], text: str) -> None:
    assert repr(cls()(1)) == text


def test_a_frozen_value_keeps_what_it_holds() -> None:
    value = made(ours.dataclass, Lone, {"frozen": True, "slots": True})(1)
    with pytest.raises(FrozenInstanceError):
        value.value = 2
    assert value.value == 1


def test_a_shared_list_is_refused() -> None:
    with pytest.raises(ValueError, match="mutable default"):

        @ours.dataclass
        class Shared:
            """Has a list that all would share."""

            values: list[int] = []  # noqa: RUF012
