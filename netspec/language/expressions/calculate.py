"""Works a parsed expression out, step by step, and keeps every step small and finite."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from netspec.dataclass import dataclass
from netspec.diagnostics.codes import expressions as codes
from netspec.language.expressions.absent import FAILED, Unknown
from netspec.language.expressions.formula import FUNCTIONS, LITERALS, Formula, Refusal, written
from netspec.ops.nearest import nearest
from netspec.types import LIMIT


class Silent(Exception):
    """No value, and nothing to say about it."""


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ABSENT = {
    "in": Unknown("no tensor is received here", "use parameters and numbers only"),
    "block": Unknown("there is no block around this", "use parameters and numbers only"),
    "index": Unknown("there is no `repeat` around this", "use parameters and numbers only"),
}
"""Names that an expression may see, and why it sees none of them where nothing else is said."""


def calculate(formula: Formula, names: Mapping[str, object]) -> object:
    """The value; a whole float becomes an int. Raises Refusal, or Silent for what is broken already."""
    _hold(formula, names)
    value = _value(formula.root, _Scope(formula, names))
    if isinstance(value, float) and value.is_integer() and abs(value) < LIMIT:
        return int(value)
    return value


def look_up(name: str, names: Mapping[str, object], start: int) -> object:
    """The value of `$name`, whose name starts at column `start`. Raises as `calculate` does."""
    end = start + len(name)
    if name not in names:
        raise _unknown(name, names, start, end)
    return _usable(names[name], name, start, end)


def hold_name(name: str, parameters: Collection[str], start: int) -> None:
    """Refuse `$name` when nobody declared it; what exists in some places alone is not held here."""
    if name not in parameters and name not in _ABSENT:
        raise _unknown(name, parameters, start, start + len(name))


def hold_all_names(formula: Formula, parameters: Collection[str]) -> None:
    """As `hold_name`, for every name in a formula."""
    _hold(formula, parameters, _ABSENT)


def _hold(formula: Formula, names: Collection[str], besides: Collection[str] = ()) -> None:
    """Refuse a name that nobody declared, even in the branch that is not taken."""
    for node in formula.names:
        name = written(node.id)
        if name not in names and name not in besides and name not in LITERALS:
            raise _unknown(name, names, *formula.place(node))


def _unknown(name: str, names: Collection[str], start: int, end: int) -> Refusal:
    if name in _ABSENT:
        absent = _ABSENT[name]
        message = f"`{name}` is not known here: {absent.reason}"
        return Refusal(codes.UNKNOWN_SIZE, message, start, end, absent.help)
    near = nearest(name, names)
    if name in FUNCTIONS:
        advice = f"`{name}` is a function: `{name}(…)`"
    elif near:
        advice = f"did you mean `{near}`?"
    elif known := [each for each in names if each not in _ABSENT]:
        advice = "the parameters here are " + ", ".join(f"`{each}`" for each in known[:12])
    else:
        advice = f"declare it under `params`: `params: {{{name[:40]}: 1}}`"
    return Refusal(codes.UNKNOWN_PARAMETER, f"`{name[:60]}` is no parameter here", start, end, advice)


def _usable(value: object, name: str, start: int, end: int) -> object:
    """A value as it comes from outside, unless it cannot be used. Raises Refusal or Silent."""
    if value is FAILED or (isinstance(value, Unknown) and value.reason is None):
        raise Silent
    if isinstance(value, Unknown):
        message = f"`{name}` is not known here: {value.reason}"
        raise Refusal(codes.UNKNOWN_SIZE, message, start, end, value.help)
    if isinstance(value, Mapping):
        message = f"`{name}` is no number: it is what a tensor is made of"
        advice = "name a size of it: " + ", ".join(f"`{path}`" for path in _paths(name, value))
        raise Refusal(codes.EXPRESSION_TYPE, message, start, end, advice)
    return value


def _paths(name: str, value: Mapping[Any, object]) -> list[str]:
    return [f"{name}.{part}" for part in value if not isinstance(value[part], Mapping)] or [
        f"{name}.in.channels"
    ]


@dataclass(frozen=True, slots=True)
class _Scope:
    formula: Formula
    names: Mapping[str, object]


def _value(node: ast.AST, scope: _Scope) -> Any:
    return _RULES[type(node)](node, scope)


def _constant(node: ast.Constant, scope: _Scope) -> object:
    return node.value


def _name(node: ast.Name, scope: _Scope) -> object:
    name = written(node.id)
    if name not in scope.names:
        return LITERALS[name]
    return _usable(scope.names[name], name, *scope.formula.place(node))


def _attribute(node: ast.Attribute, scope: _Scope) -> object:
    """`in.channels`, `block.in.height`; the parser has let no other dot through."""
    source = scope.formula.source(node).replace(" ", "")
    *way, last = source.split(".")
    found: object = scope.names
    for step in way:
        found = found.get(step, Unknown()) if isinstance(found, Mapping) else found
    if not isinstance(found, Mapping):
        return _usable(found, ".".join(way), *scope.formula.place(node.value))
    if last not in found:
        message = f"`{'.'.join(way)}` has no `{last[:40]}` here"
        advice = "it has " + ", ".join(f"`{each}`" for each in found)
        raise scope.formula.refuse(codes.NO_SUCH_AXIS, message, node, advice)
    return _usable(found[last], source, *scope.formula.place(node))


def _subscript(node: ast.Subscript, scope: _Scope) -> object:
    values, at = _value(node.value, scope), _value(node.slice, scope)
    if not isinstance(values, list | tuple):
        message = f"{_kind(values)} has no places to choose from: {scope.formula.source(node.value)[:40]}"
        raise scope.formula.refuse(codes.EXPRESSION_TYPE, message, node, "only a list takes `[…]`")
    if not _is_number(at) or at % 1 != 0:
        message = f"a place in a list is a whole number, and this is {_shown(at)}"
        how = "`floor(…)` gives a whole number" if _is_number(at) else "use a number, counted from 0"
        raise scope.formula.refuse(codes.EXPRESSION_TYPE, message, node.slice, how)
    if not -len(values) <= at < len(values):
        message = f"the list has {len(values)} values, so it has no place {_shown(at)}"
        advice = f"its places are 0 to {len(values) - 1}" if values else None
        raise scope.formula.refuse(codes.INDEX_RANGE, message, node.slice, advice)
    return _usable(values[int(at)], scope.formula.source(node), *scope.formula.place(node))


def _binary(node: ast.BinOp, scope: _Scope) -> object:
    left = _number(node.left, scope)
    right = _number(node.right, scope)
    if isinstance(node.op, ast.Pow):
        _bound_power(left, right, node, scope)
    try:
        return _bounded(_ARITHMETIC[type(node.op)](left, right), node, scope)
    except ZeroDivisionError:
        divisor = scope.formula.source(node.right)
        message = f"`{divisor[:40]}` is 0 here, and nothing can be divided by it"
        if isinstance(node.op, ast.Pow):
            message = "0 to a negative power is a division by zero"
            raise scope.formula.refuse(codes.DIVISION_BY_ZERO, message, node.left) from None
        advice = f"give it another value, or write `max(1, {divisor[:40]})`"
        if isinstance(node.right, ast.Constant):
            message, advice = "nothing can be divided by 0", "divide by something else"
        raise scope.formula.refuse(codes.DIVISION_BY_ZERO, message, node.right, advice) from None
    except OverflowError:
        raise _too_large(node, scope) from None


def _bound_power(base: Any, exponent: Any, node: ast.BinOp, scope: _Scope) -> None:
    """Whole powers grow without end, so their size is told before they are worked out."""
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and abs(base) > 1 and exponent * (abs(base).bit_length() - 1) >= 64:
        raise _too_large(node, scope)


def _bounded(value: Any, node: ast.AST, scope: _Scope) -> object:
    if isinstance(value, complex):
        message = "a root of a negative number is no real number"
        raise scope.formula.refuse(codes.NOT_A_NUMBER, message, node, "keep the base from going below 0")
    if isinstance(value, float) and not math.isfinite(value):
        raise scope.formula.refuse(codes.NOT_A_NUMBER, f"the result is {_shown(value)}", node)
    if isinstance(value, int) and abs(value) >= LIMIT:
        raise _too_large(node, scope)
    return value


def _too_large(node: ast.AST, scope: _Scope) -> Refusal:
    message = f"`{scope.formula.source(node)[:40]}` is too large: numbers stay below 2⁶³"
    return scope.formula.refuse(codes.RESULT_TOO_LARGE, message, node, "calculate with smaller numbers")


def _unary(node: ast.UnaryOp, scope: _Scope) -> object:
    if isinstance(node.op, ast.Not):
        return not _value(node.operand, scope)
    value = _number(node.operand, scope)
    return -value if isinstance(node.op, ast.USub) else value


def _either(node: ast.BoolOp, scope: _Scope) -> object:
    """`and`, `or`: as in Python the last value looked at, and no further one is worked out."""
    stops_at = isinstance(node.op, ast.Or)
    value: object = None
    for part in node.values:
        value = _value(part, scope)
        if bool(value) is stops_at:
            break
    return value


def _compare(node: ast.Compare, scope: _Scope) -> bool:
    left_node, left = node.left, _value(node.left, scope)
    for sign, right_node in zip(node.ops, node.comparators, strict=True):
        right = _value(right_node, scope)
        if isinstance(sign, ast.Eq | ast.NotEq):
            holds = (_kind(left) == _kind(right) and left == right) is isinstance(sign, ast.Eq)
        else:
            _demand_number(left, left_node, scope)
            _demand_number(right, right_node, scope)
            holds = _ORDER[type(sign)](left, right)
        if not holds:
            return False
        left_node, left = right_node, right
    return True


def _choice(node: ast.IfExp, scope: _Scope) -> object:
    return _value(node.body if _value(node.test, scope) else node.orelse, scope)


def _call(node: ast.Call, scope: _Scope) -> object:
    name = written(node.func.id) if isinstance(node.func, ast.Name) else ""
    values = [_value(each, scope) for each in node.args]
    wanted = _FUNCTIONS[name]
    return _bounded(wanted(name, values, node, scope), node, scope)


def _extreme(name: str, values: Sequence[Any], node: ast.Call, scope: _Scope) -> object:
    if len(values) == 1 and isinstance(values[0], list | tuple):
        values, places = values[0], [node.args[0]] * len(values[0])
    else:
        places = list(node.args)
    if not values:
        raise scope.formula.refuse(codes.CALL, f"`{name}` needs at least one value", node)
    for value, place in zip(values, places, strict=True):
        _demand_number(value, place, scope)
    return min(values) if name == "min" else max(values)


def _rounded(name: str, values: Sequence[Any], node: ast.Call, scope: _Scope) -> object:
    value = _only(name, values, node, scope)
    _demand_number(value, node.args[0], scope)
    if not math.isfinite(value):
        raise scope.formula.refuse(codes.NOT_A_NUMBER, f"`{name}` of {_shown(value)} is no number", node)
    return _ROUNDINGS[name](value)


def _length(name: str, values: Sequence[Any], node: ast.Call, scope: _Scope) -> object:
    value = _only(name, values, node, scope)
    if not isinstance(value, list | tuple):
        message = f"only a list has a length, and this is {_kind(value)}"
        raise scope.formula.refuse(codes.EXPRESSION_TYPE, message, node.args[0])
    return len(value)


def _only(name: str, values: Sequence[Any], node: ast.Call, scope: _Scope) -> Any:
    if len(values) != 1:
        message = f"`{name}` takes one value, and {len(values)} are given"
        raise scope.formula.refuse(codes.CALL, message, node)
    return values[0]


def _number(node: ast.expr, scope: _Scope) -> Any:
    value = _value(node, scope)
    _demand_number(value, node, scope)
    return value


def _demand_number(value: object, node: ast.AST, scope: _Scope) -> None:
    if _is_number(value):
        return
    message = f"a number belongs here, and `{scope.formula.source(node)[:40]}` is {_kind(value)}"
    advice = {
        bool: "write `1 if … else 0` to count a boolean",
        list: "choose a value of it with `[…]`, or count them with `len(…)`",
        str: "give it a number: words can only be compared with `==` and `!=`",
    }.get(type(value))
    raise scope.formula.refuse(codes.EXPRESSION_TYPE, message, node, advice)


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

_FUNCTIONS: dict[str, Callable[[str, Sequence[Any], ast.Call, _Scope], object]] = {
    "min": _extreme,
    "max": _extreme,
    "ceil": _rounded,
    "floor": _rounded,
    "round": _rounded,
    "len": _length,
}

_RULES: dict[type[ast.AST], Callable[[Any, _Scope], object]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _either,
    ast.Compare: _compare,
    ast.IfExp: _choice,
    ast.Call: _call,
}
