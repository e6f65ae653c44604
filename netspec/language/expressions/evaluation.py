"""Evaluates a formula step by step, and keeps every intermediate result small and finite."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from netspec.dataclass import dataclass
from netspec.diagnostics import Code
from netspec.diagnostics.codes import expressions as codes
from netspec.language.expressions.display import displayed
from netspec.language.expressions.faults import FUNCTIONS
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.expressions.names import KnownNames
from netspec.language.expressions.refusal import Refusal
from netspec.language.expressions.tree import (
    Application,
    Binary,
    Chain,
    Choice,
    ExpressionNode,
    Formula,
    Literal,
    NamePath,
    Prefix,
    Subscript,
)
from netspec.language.reading.scalars import boolean
from netspec.ops.nearest import nearest
from netspec.types import LIMIT

LITERALS = {"true": True, "false": False}
"""Words with a value of their own, unless a parameter has this name."""


class Silent(Exception):
    """There is no value, and the reason is already reported."""


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NOT_EVERYWHERE = {
    "in": Missing("no item takes a tensor here", "use only parameters and numbers"),
    "block": Missing("this is not inside a block", "use only parameters and numbers"),
    "index": Missing("this is not inside a `repeat`", "use only parameters and numbers"),
}
"""Names that exist only in some places, with the reason why they do not exist elsewhere."""


def calculate(formula: Formula, names: Mapping[str, object]) -> object:
    """The value; a whole float becomes an int. Raises Refusal, or Silent if an error is already reported."""
    hold_all_names(formula, names, everywhere=True)
    value = _value(formula.root, _Sight(formula, names))
    if isinstance(value, float) and value.is_integer() and abs(value) < LIMIT:
        return int(value)
    return value


def look_up(name: str, names: Mapping[str, object], start: int) -> object:
    """The value of `$name`, whose name starts at column `start`. Raises the same as `calculate`."""
    end = start + len(name)
    if name not in names:
        raise _unknown(name, names, start, end)
    return _usable(names[name], name, start, end)


def hold_name(name: str, parameters: Collection[str], start: int, later: Collection[str] = ()) -> None:
    """Refuse a `$name` that is not declared; names that exist only in some places are not checked here."""
    if name not in parameters and name not in _NOT_EVERYWHERE:
        raise _unknown(name, parameters, start, start + len(name), later)


def hold_all_names(
    formula: Formula, names: Collection[str], everywhere: bool = False, later: Collection[str] = ()
) -> None:
    """Refuse undeclared names in a formula, also in a branch that is not taken.

    Args:
        later: names that are declared below the formula.
        everywhere: also refuse names that exist only in some places, if they are not among the names.
    """
    for each in formula.names():
        if _of_a_layer(each):
            continue  # it is looked up when it is used
        name = each.steps[0]
        elsewhere = name in _NOT_EVERYWHERE and not everywhere
        if name not in names and name not in LITERALS and not elsewhere:
            raise _unknown(name, names, each.start, each.start + len(name), later)


def _unknown(name: str, names: Collection[str], start: int, end: int, later: Collection[str] = ()) -> Refusal:
    if name in _NOT_EVERYWHERE:
        missing = _NOT_EVERYWHERE[name]
        message = f"`{name}` is unknown here: {missing.reason}"
        return Refusal(codes.UNKNOWN_SIZE, message, start, end, missing.help)
    near = nearest(name, names)
    if name in later:
        message = f"`{name}` is not a parameter here: it is declared below, and a default uses those above it"
        return Refusal(codes.UNKNOWN_PARAMETER, message, start, end, f"put `{name}` above this parameter")
    if name in FUNCTIONS:
        advice = f"`{name}` is a function: `{name}(…)`"
    elif near:
        advice = f"did you mean `{near}`?"
    elif known := [each for each in names if each not in _NOT_EVERYWHERE]:
        advice = "the parameters here are " + ", ".join(f"`{each}`" for each in known[:12])
    else:
        advice = f"declare it under `params`: `params: {{{name[:40]}: 1}}`; of a layer, name a size: "
        advice += f"`{name[:40]}.channels`"
    return Refusal(codes.UNKNOWN_PARAMETER, f"`{name[:60]}` is not a parameter here", start, end, advice)


def _usable(value: object, name: str, start: int, end: int) -> object:
    """The value of a name, if it can be used. Raises Refusal or Silent."""
    if isinstance(value, Missing):
        if value.reason is None:
            raise Silent
        message = f"`{name}` is unknown here: {value.reason}"
        raise Refusal(codes.UNKNOWN_SIZE, message, start, end, value.help)
    if isinstance(value, Mapping):
        message = f"`{name}` is not a number, but a tensor"
        advice = "name one of its sizes: " + ", ".join(f"`{path}`" for path in _paths(name, value))
        raise Refusal(codes.EXPRESSION_TYPE, message, start, end, advice)
    return value


def _paths(name: str, value: Mapping[Any, object]) -> list[str]:
    return [f"{name}.{part}" for part in value if not isinstance(value[part], Mapping)] or [
        f"{name}.in.channels"
    ]


@dataclass(frozen=True, slots=True)
class _Sight:
    """A formula and the names that it can use."""

    formula: Formula
    names: Mapping[str, object]

    def source(self, node: ExpressionNode) -> str:
        """The text of a part, shortened if it is long."""
        return self.formula.source(node)[:40]


def _refusal(code: Code, message: str, node: ExpressionNode, help: str | None = None) -> Refusal:
    return Refusal(code, message, node.start, node.end, help)


def _value(node: ExpressionNode, sight: _Sight) -> Any:
    return _RULES[type(node)](node, sight)


def _literal(node: Literal, sight: _Sight) -> object:
    return node.value


def _name(node: NamePath, sight: _Sight) -> object:
    """`width`; `in.channels`, `block.in.height`: a size of a tensor."""
    *way, last = node.steps
    if not way:
        found = sight.names[last] if last in sight.names else LITERALS[last]
        return _usable(found, last, node.start, node.end)
    if _of_a_layer(node):
        return _property(node, sight)
    owner: object = sight.names
    for step in way:
        owner = owner.get(step, BROKEN) if isinstance(owner, Mapping) else owner
    if not isinstance(owner, Mapping):
        return _usable(owner, ".".join(way), node.start, node.owner_end)
    if last not in owner:
        message = f"`{'.'.join(way)}` has no `{last[:40]}` here"
        advice = "it has " + ", ".join(f"`{each}`" for each in owner)
        raise _refusal(codes.NO_SUCH_AXIS, message, node, advice)
    return _usable(owner[last], node.path, node.start, node.end)


def _of_a_layer(node: NamePath) -> bool:
    """Whether a path of names starts with the name of a layer, a repeat or a block."""
    return len(node.steps) > 1 and node.steps[0] not in ("in", "block")


def _property(node: NamePath, sight: _Sight) -> object:
    """`skip.height`: a size of a layer; `stage.index`, `unit.count`."""
    *path, part = node.steps
    if not isinstance(sight.names, KnownNames):
        message = f"`{node.path}` is unknown here: only the items of a network or a block can use its layers"
        raise _refusal(codes.UNKNOWN_SIZE, message, node, "write the expression in the item that uses it")
    try:
        found = sight.names.find(tuple(path), part)
    except Refusal as refusal:
        raise Refusal(refusal.code, refusal.message, node.start, node.end, refusal.help) from None
    return _usable(found, node.path, node.start, node.end)


def _index(node: Subscript, sight: _Sight) -> object:
    values, at = _value(node.values, sight), _value(node.at, sight)
    if not isinstance(values, list | tuple):
        message = f"{_kind(values)} cannot be indexed: {sight.source(node.values)}"
        raise _refusal(codes.EXPRESSION_TYPE, message, node, "only a list can be indexed with `[…]`")
    if not _is_number(at) or at % 1 != 0:
        message = f"an index is a whole number, but this is {_shown(at)}"
        how = "`floor(…)` gives a whole number" if _is_number(at) else "use a number, counted from 0"
        raise _refusal(codes.EXPRESSION_TYPE, message, node.at, how)
    if not -len(values) <= at < len(values):
        message = f"the list has {len(values)} values, so it has no index {_shown(at)}"
        advice = f"its indices are 0 to {len(values) - 1}" if values else None
        raise _refusal(codes.INDEX_RANGE, message, node.at, advice)
    return _usable(values[int(at)], sight.formula.source(node), node.start, node.end)


def _binary(node: Binary, sight: _Sight) -> object:
    left = _number(node.left, sight)
    right = _number(node.right, sight)
    if node.sign == "**":
        _bound_power(left, right, node, sight)
    try:
        return _bounded(_ARITHMETIC[node.sign](left, right), node, sight)
    except ZeroDivisionError:
        raise _division_by_zero(node, sight) from None
    except OverflowError:
        raise _too_large(node, sight) from None


def _division_by_zero(node: Binary, sight: _Sight) -> Refusal:
    if node.sign == "**":
        message = "0 to a negative power is a division by zero"
        return _refusal(codes.DIVISION_BY_ZERO, message, node.left)
    if isinstance(node.right, Literal):
        message, advice = "this is a division by zero", "divide by another value"
        return _refusal(codes.DIVISION_BY_ZERO, message, node.right, advice)
    divisor = sight.source(node.right)
    message = f"`{divisor}` is 0 here: this is a division by zero"
    advice = f"give it another value, or write `max(1, {divisor})`"
    return _refusal(codes.DIVISION_BY_ZERO, message, node.right, advice)


def _bound_power(base: Any, exponent: Any, node: ExpressionNode, sight: _Sight) -> None:
    """A power of whole numbers can be huge, so its size is estimated before it is computed."""
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and abs(base) > 1 and exponent * (abs(base).bit_length() - 1) >= 64:
        raise _too_large(node, sight)


def _bounded(value: Any, node: ExpressionNode, sight: _Sight) -> object:
    if isinstance(value, complex):
        message = "a root of a negative number is not a real number"
        raise _refusal(codes.NOT_A_NUMBER, message, node, "make sure that the base is not negative")
    if isinstance(value, float) and not math.isfinite(value):
        raise _refusal(codes.NOT_A_NUMBER, f"the result is {_shown(value)}", node)
    if isinstance(value, int) and abs(value) >= LIMIT:
        raise _too_large(node, sight)
    return value


def _too_large(node: ExpressionNode, sight: _Sight) -> Refusal:
    message = f"`{sight.source(node)}` is too large: numbers must be below 2⁶³"
    return _refusal(codes.RESULT_TOO_LARGE, message, node, "calculate with smaller numbers")


def _prefix(node: Prefix, sight: _Sight) -> object:
    if node.sign == "not":
        return not _condition(node.operand, sight)
    value = _number(node.operand, sight)
    return -value if node.sign == "-" else value


def _chain(node: Chain, sight: _Sight) -> object:
    return _comparison(node, sight) if node.signs[0] not in ("and", "or") else _either(node, sight)


def _either(node: Chain, sight: _Sight) -> bool:
    """`and`, `or`: as in Python, conditions after the one that decides are not evaluated."""
    stops_at = node.signs[0] == "or"
    for part in node.operands:
        if _condition(part, sight) is stops_at:
            return stops_at
    return not stops_at


def _comparison(node: Chain, sight: _Sight) -> bool:
    left_node, left = node.operands[0], _value(node.operands[0], sight)
    for sign, right_node in zip(node.signs, node.operands[1:], strict=True):
        right = _value(right_node, sight)
        if sign in ("==", "!="):
            holds = (_kind(left) == _kind(right) and left == right) is (sign == "==")
        else:
            _demand_number(left, left_node, sight)
            _demand_number(right, right_node, sight)
            holds = _ORDER[sign](left, right)
        if not holds:
            return False
        left_node, left = right_node, right
    return True


def _choice(node: Choice, sight: _Sight) -> object:
    return _value(node.value if _condition(node.condition, sight) else node.other, sight)


def _application(node: Application, sight: _Sight) -> object:
    values = [_value(each, sight) for each in node.arguments]
    return _bounded(_FUNCTIONS[node.function](values, node, sight), node, sight)


def _extreme(values: Sequence[Any], node: Application, sight: _Sight) -> object:
    if len(values) == 1 and isinstance(values[0], list | tuple):
        values, nodes = values[0], [node.arguments[0]] * len(values[0])
    else:
        nodes = list(node.arguments)
    if not values:
        raise _refusal(codes.CALL, f"`{node.function}` needs at least one value", node)
    for value, part in zip(values, nodes, strict=True):
        _demand_number(value, part, sight)
    return min(values) if node.function == "min" else max(values)


def _rounded(values: Sequence[Any], node: Application, sight: _Sight) -> object:
    value = _only(values, node)
    _demand_number(value, node.arguments[0], sight)
    if not math.isfinite(value):
        raise _refusal(codes.NOT_A_NUMBER, f"`{node.function}` of {_shown(value)} is not a number", node)
    return _ROUNDINGS[node.function](value)


def _length(values: Sequence[Any], node: Application, sight: _Sight) -> object:
    value = _only(values, node)
    if not isinstance(value, list | tuple):
        message = f"only a list has a length, but this is {_kind(value)}"
        raise _refusal(codes.EXPRESSION_TYPE, message, node.arguments[0])
    return len(value)


def _only(values: Sequence[Any], node: Application) -> Any:
    if len(values) != 1:
        message = f"`{node.function}` takes one value, not {len(values)}"
        raise _refusal(codes.CALL, message, node)
    return values[0]


def _number(node: ExpressionNode, sight: _Sight) -> Any:
    value = _value(node, sight)
    _demand_number(value, node, sight)
    return value


def _demand_number(value: object, node: ExpressionNode, sight: _Sight) -> None:
    if _is_number(value):
        return
    message = f"this must be a number, but `{sight.source(node)}` is {_kind(value)}"
    advice = {
        bool: "write `1 if … else 0` to count a boolean",
        list: "select a value with `[…]`, or count the values with `len(…)`",
        str: "give it a number: words can only be compared with `==` and `!=`",
    }.get(type(value))
    raise _refusal(codes.EXPRESSION_TYPE, message, node, advice)


def _condition(node: ExpressionNode, sight: _Sight) -> bool:
    """The value of an operand of `and`, `or` and `not`, or after `if`. Only a boolean is true or false."""
    value = _value(node, sight)
    if isinstance(value, bool):
        return value
    source = sight.source(node)
    message = f"a condition is true or false, but `{source}` is {_kind(value)}, {displayed(value)}"
    if isinstance(value, str):
        meant = f"`{known}`" if (known := boolean(value)) else "`true` or `false`"
        advice = f"give it {meant}, or compare it with a word: `{source} == 'WORD'`"
    elif isinstance(value, list | tuple):
        advice = f"write `len({source}) > 0`, or select a value with `[…]`"
    else:
        advice = f"write `{source} != 0`"
    raise _refusal(codes.EXPRESSION_TYPE, message, node, advice)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a word"
    return "a list" if isinstance(value, list | tuple) else "nothing"


def _shown(value: Any) -> str:
    if not _is_number(value):
        return _kind(value)
    return "beyond 2⁶³" if isinstance(value, int) and abs(value) >= LIMIT else f"{value:,.10g}"


_ROUNDINGS: dict[str, Callable[[float], int]] = {"ceil": math.ceil, "floor": math.floor, "round": round}

_FUNCTIONS: dict[str, Callable[[Sequence[Any], Application, _Sight], object]] = {
    "min": _extreme,
    "max": _extreme,
    "ceil": _rounded,
    "floor": _rounded,
    "round": _rounded,
    "len": _length,
}

_RULES: dict[type[Any], Callable[[Any, _Sight], object]] = {
    Literal: _literal,
    NamePath: _name,
    Subscript: _index,
    Application: _application,
    Prefix: _prefix,
    Binary: _binary,
    Chain: _chain,
    Choice: _choice,
}
