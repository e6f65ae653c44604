"""Writes the initialisation of weights with `torch.nn.init`: for one weight, and for a whole network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from math import sqrt
from typing import Any, NamedTuple

from netspec.dataclass import dataclass, replace
from netspec.graph import Node
from netspec.lowering.parts import literal
from netspec.ops.base import Weight
from netspec.ops.fans import SCALED, Scaled, constant
from netspec.ops.initializers import GLOROT_UNIFORM, ONES, ZEROS, Initializer, by_gate
from netspec.ops.nested import Nested
from netspec_torch.helpers import HELD
from netspec_torch.site import Lowered

FUNCTION = "init_weights"
"""The function that `apply` calls with each module of the network."""

MODULE = "module"
"""The parameter of that function."""

StartStatement = tuple[str, int]
"""A line with its indentation."""

Start = tuple[StartStatement, ...]
"""The statements that initialise one weight."""

ClassStart = tuple[tuple[str, ...], Start]
"""The statements for modules of one of these classes."""


def _init(kind: Any, **settings: float) -> Initializer:
    return Initializer.model_construct(kind=kind, settings=tuple(settings.items()))


_RECURRENT = {
    "weight_ih": GLOROT_UNIFORM,
    "weight_hh": _init("orthogonal"),
    "bias_ih": ZEROS,
    "bias_hh": ZEROS,
    "weight_ch": ZEROS,
    "weight_hr": GLOROT_UNIFORM,
}

OWN: Mapping[str, Mapping[str, Initializer]] = {
    "Embedding": {"weight": _init("normal", std=1.0)},
    "LSTM": {**_RECURRENT, "bias_ih": by_gate(i=0.0, f=1.0, g=0.0, o=0.0)},
    "GRU": _RECURRENT,
    "RNN": _RECURRENT,
    "Learned": {"weight": _init("normal", std=0.02)},
    "PReLU": {"weight": _init("constant", value=0.25)},
    "L2Norm": {"weight": _init("constant", value=20.0)},
    "Norm": {"weight": ONES, "bias": ZEROS, "running_mean": ZEROS, "running_var": ONES},
    "Rbf": {"weight": _init("normal", std=1.0)},
    "Scale": {"weight": ONES, "bias": ZEROS},
    "TableConv": {"weight": GLOROT_UNIFORM, "bias": ZEROS},
}
"""The initialisation of weights without statements: by a part of the class name; the first match counts."""

_OF_A_CELL = re.compile(r"_l\d+(_reverse)?\Z")
"""The end of the name of a recurrent layer's weight: the layer and the direction."""


UNBIASED = ("nn.Embedding", "Learned", "nn.PReLU", "Rbf", "L2Norm")
"""Classes whose modules have no attribute `bias`; in other layers it can be None."""


class StartKind(NamedTuple):
    """Everything that determines the statements of a weight."""

    init: str
    settings: str
    """As text: −0.0 is not 0.0."""
    axis: str
    """The letter of its first axis."""
    is_vector: bool
    is_grouped: bool
    is_table: bool
    zero: int | None
    lifts: str


@dataclass(frozen=True)
class Home:
    """A weight of a module of this class, where it is called `tensor`.

    `lent`: a module of another class initialises it (an embedding whose vectors a dense layer uses).
    """

    cls: str
    tensor: str
    weight: Weight
    lent: bool = False

    @cached_property
    def kind(self) -> StartKind:
        """The kind of a weight: weights of one kind have the same statements."""
        init, shape = self.weight.init, self.weight.shape
        settings = repr(init.settings or init.values or "")
        grouped, counted = self.weight.groups > 1, self.weight.fans is not None
        axis, zero = self.weight.axes[0], self.weight.zero
        lifts = repr(self.weight.lifts) if self.weight.lifts else ""
        return StartKind(init.kind, settings, axis, len(shape) == 1, grouped, counted, zero, lifts)

    def start(self, by_group: Collection[str] = (), module: str = MODULE) -> Start:
        """The statements that initialise it; for a class in `by_group`, each group separately."""
        own = (module, self.cls in by_group)
        if own not in self._written:
            key = (self.kind, self.tensor, *own)
            if key not in _STARTS:
                if len(_STARTS) >= MOST:
                    _STARTS.clear()
                _STARTS[key] = start(self.weight, f"{module}.{self.tensor}", module, self.cls in by_group)
            self._written[own] = _STARTS[key]
        return self._written[own]

    @cached_property
    def _written(self) -> dict[tuple[str, bool], Start]:
        """The statements so far: many layers that are lowered alike have one home."""
        return {}

    @cached_property
    def is_own(self) -> bool:
        """Whether the class initialises it in this way by default."""
        own = _own(self.cls).get(_OF_A_CELL.sub("", self.tensor))
        if own is None:
            return False
        start = self.weight.init
        same = (own.kind, own.settings, ()) == (start.kind, start.settings, self.weight.lifts)
        return same or replace(self, weight=replace(self.weight, init=own)).start() == self.start()


class Homes:
    """The homes of the weights of a network: one for all layers that are lowered alike."""

    def __init__(self, lowered: Mapping[str, Lowered]) -> None:
        self.lowered = lowered
        self._found: dict[tuple[int, str, bool], Home] = {}

    def of(self, node: Node, weight: Weight, lent: bool = False) -> Home:
        """The home of a weight of a node that has a module."""
        lowered, name = self.lowered[node.name], node.local(weight)
        key = (id(lowered), name, lent)
        if key not in self._found:
            assert lowered.module is not None
            self._found[key] = Home(*split(lowered.module.function, name), weight, lent)
        return self._found[key]


MOST = 4096
_STARTS: dict[tuple[StartKind, str, str, bool], Start] = {}
"""A cache: a network has many weights of few kinds."""


@cache
def _own(cls: str) -> Mapping[str, Initializer]:
    return next((each for name, each in OWN.items() if name in cls), {})


def split(cls: str, tensor: str) -> tuple[str, str]:
    """The class of the module with a tensor, and the tensor's name in it: a separable convolution has two modules."""
    part, _, name = tensor.rpartition(".")
    return (HELD[cls], name) if part else (cls, tensor)


# One weight


def start(weight: Weight, tensor: str, module: str, by_group: bool = False) -> Start:
    """The statements that initialise a weight, an attribute of a module, as its initialiser says."""
    text = _start(weight, tensor, module, by_group)
    if weight.zero is not None:
        text += _call(f"zeros_({tensor}.data[{weight.zero}])")
    if weight.lifts:
        text += ((f"lift_gates_({tensor}, {', '.join(map(literal, weight.lifts))})", 0),)
    return text


def _start(weight: Weight, tensor: str, module: str, by_group: bool) -> Start:
    init, value = weight.init, constant(weight.init)
    if value is not None:
        words = {"0.0": f"zeros_({tensor})", "1.0": f"ones_({tensor})"}
        return _call(words.get(repr(value), f"constant_({tensor}, {literal(value)})"))
    if init.kind == "uniform":
        return _call(f"uniform_({tensor}, {literal(init['low'])}, {literal(init['high'])})")
    if init.kind == "normal":
        return _call(_normal(tensor, literal(init["std"]), init["mean"]))
    if init.kind == "bilinear":
        return _bilinear(weight, tensor, module)
    if init.values is not None:
        return _given(init.values, tensor)
    if init.kind == "by_gate":
        values = ", ".join(literal(each) for _, each in init.settings)
        return ((f"gates_({tensor}, {values})", 0),)
    if init.kind == "orthogonal":
        gain = "" if init["gain"] == 1 else f", gain={literal(init['gain'])}"
        if len(weight.shape) == 1:
            return _call(f"orthogonal_({tensor}.data[:, None]{gain})")
        return _each(
            lambda kernel: f"orthogonal_({kernel}{gain})", tensor, module, by_group or weight.groups > 1
        )
    rule = SCALED[init.kind]
    if weight.fans is not None:
        fan = f"{module}.fans[0]" if rule.fan == "fan_in" else f"sum({module}.fans)"
        return _spread(rule, tensor, f"{rule.scale * (1 if rule.fan == 'fan_in' else 2)} / {fan}")
    if len(weight.shape) == 1 or weight.axes.startswith("C"):
        return _spread(rule, tensor, f"{rule.scale} / {tensor}.numel()" if weight.axes == "O" else rule.scale)
    return _by_fans(rule, weight, tensor, module, by_group)


WIDE = 70
"""The most characters of values on one line."""


def _given(values: Nested, tensor: str) -> Start:
    """Values that the spec gives; of many, one line for each along the first axis."""
    whole = literal(values)
    if len(whole) <= WIDE or not isinstance(values, tuple):
        return ((f"given_({tensor}, {whole})", 0),)
    return ("given_(", 0), (f"{tensor},", 1), *_rows(values, 1), (")", 0)


def _rows(values: Nested, depth: int) -> Start:
    """Values as an argument: on one line, or on one for each along their first axis."""
    whole = literal(values)
    if len(whole) <= WIDE or not isinstance(values, tuple):
        return ((f"{whole},", depth),)
    rows = (line for row in values for line in _rows(row, depth + 1))
    return ("(", depth), *rows, ("),", depth)


def _call(text: str) -> Start:
    return ((f"nn.init.{text}", 0),)


def _normal(tensor: str, std: str, mean: float = 0.0) -> str:
    settings = [f", mean={literal(mean)}"] if mean else []
    settings += [f", std={std}"] if std != "1.0" else []
    return f"normal_({tensor}{''.join(settings)})"


def _bilinear(weight: Weight, tensor: str, module: str) -> Start:
    if len(weight.shape) == 1:
        return _call(f"ones_({tensor})")
    groups = f", {module}.groups" if weight.groups > 1 else ""
    return ((f"bilinear_({tensor}{groups})", 0),)


def _each(text: Callable[[str], str], tensor: str, module: str, by_group: bool) -> Start:
    """A call for a kernel, or for the kernel of each group."""
    if not by_group:
        return _call(text(tensor))
    loop = f"for kernel in {tensor}.data.chunk({module}.groups):"
    return ((loop, 0), (f"nn.init.{text('kernel')}", 1))


def _spread(rule: Scaled, tensor: str, variance: str | int) -> Start:
    """The distribution of a rule, by its variance: a number or an expression."""
    if isinstance(variance, int):
        spread = literal(sqrt(variance if rule.form == "normal" else 3 * variance))
        text = (
            _normal(tensor, spread) if rule.form == "normal" else f"uniform_({tensor}, -{spread}, {spread})"
        )
        return _call(text)
    if rule.form == "normal":
        return _call(_normal(tensor, f"({variance}) ** 0.5"))
    scale, _, rest = variance.partition(" ")
    return ((f"bound = ({3 * int(scale)} {rest}) ** 0.5", 0), *_call(f"uniform_({tensor}, -bound, bound)"))


def _by_fans(rule: Scaled, weight: Weight, tensor: str, module: str, by_group: bool) -> Start:
    """PyTorch's function. It counts the fans of all groups together, and swaps the fans of a transposed kernel."""
    transposed = weight.axes.startswith("I")
    if rule.fan == "fan_avg":
        return _each(
            lambda kernel: f"xavier_{rule.form}_({kernel})", tensor, module, by_group or weight.groups > 1
        )
    gain = "relu" if rule.scale == 2 else "linear"
    mode = 'mode="fan_out", ' if transposed else ""

    def text(kernel: str) -> str:
        return f'kaiming_{rule.form}_({kernel}, {mode}nonlinearity="{gain}")'

    return _each(text, tensor, module, transposed and (by_group or weight.groups > 1))


def _gates(weight: Weight) -> int:
    """For how many gates a weight has a value each; 0 if it starts in the same way for all."""
    return len(weight.init.settings) if weight.init.kind == "by_gate" else len(weight.lifts)


# All weights

Rule = dict[str, Start]
"""The initialisation of the tensors of a class, by name."""


class Starts:
    """The initialisation of most weights of each class. `held` are the homes of all weights of the network."""

    def __init__(self, held: Sequence[Home]) -> None:
        self.by_group = {each.cls for each in held if each.weight.groups > 1}
        self.rules: dict[str, Rule] = {}
        self._ruled: dict[int, tuple[Home, bool]] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        found: dict[tuple[str, str], Counter[Start]] = {}
        gates: dict[tuple[str, str], set[int]] = {}
        own = set()
        counts = Counter(map(id, held))
        for each in {id(each): each for each in held}.values():
            count = counts[id(each)]
            self.counts[each.cls, each.tensor] += count
            if each.lent or each.weight.init.values is not None:
                continue  # values fit one shape: not a rule for a class
            text = each.start(self.by_group)
            gates.setdefault((each.cls, each.tensor), set()).add(_gates(each.weight))
            found.setdefault((each.cls, each.tensor), Counter())[text] += count
            if each.is_own:
                own.add((each.cls, each.tensor, text))
        for (cls, tensor), starts in found.items():
            ((most, _),) = starts.most_common(1)
            # Values for four gates do not fit the three of a coupled cell.
            if (cls, tensor, most) not in own and len(gates[cls, tensor]) == 1:
                self.rules.setdefault(cls, {})[tensor] = most

    def is_ruled(self, home: Home) -> bool:
        """Whether a weight starts like most weights of its class."""
        if id(home) not in self._ruled:
            self._ruled[id(home)] = (home, self._is_ruled(home))
        return self._ruled[id(home)][1]

    def _is_ruled(self, home: Home) -> bool:
        rule = self.rules.get(home.cls, {}).get(home.tensor)
        if rule is None and home.lent:
            return True
        return home.is_own if rule is None else rule == home.start(self.by_group)

    def branches(self) -> Iterator[ClassStart]:
        """The statements for each class; classes with compatible rules share a branch."""
        for classes in self._together():
            rule = {name: text for cls in classes for name, text in self.rules[cls].items()}
            yield (
                classes,
                tuple(line for name, text in rule.items() for line in self._line(classes, name, text)),
            )

    def _line(self, classes: Sequence[str], tensor: str, text: Start) -> Start:
        if all(self.counts[cls, tensor] == self._modules(cls) for cls in classes):
            return text
        there = f"{MODULE}.{tensor} is not None"
        if _OF_A_CELL.search(tensor):
            # A layer has no such attribute, or without a bias it is None.
            there = f'getattr({MODULE}, "{tensor}", None) is not None'
        return (f"if {there}:", 0), *((line, indent + 1) for line, indent in text)

    def _modules(self, cls: str) -> int:
        """The number of modules of a class, which is the number of their first tensors."""
        return max(count for (name, _), count in self.counts.items() if name == cls)

    def _together(self) -> list[tuple[str, ...]]:
        groups: list[tuple[str, ...]] = []
        for cls in self.rules:
            at = next(
                (n for n, group in enumerate(groups) if all(self._agree(cls, each) for each in group)), None
            )
            if at is None:
                groups.append((cls,))
            else:
                groups[at] += (cls,)
        return groups

    def _agree(self, cls: str, other: str) -> bool:
        """Whether the rules of two classes are compatible: a class without a tensor accepts any rule for it."""
        mine, theirs = self.rules[cls], self.rules[other]
        return all(
            mine.get(name) == theirs.get(name)
            for name in {*mine, *theirs}
            if self._has(cls, name) and self._has(other, name)
        ) and all(_may_have(each, name) for each in (cls, other) for name in {*mine, *theirs})

    def _has(self, cls: str, tensor: str) -> bool:
        return self.counts[cls, tensor] > 0


def _may_have(cls: str, tensor: str) -> bool:
    if bool(_OF_A_CELL.search(tensor)) != any(each in cls for each in ("LSTM", "GRU", "RNN")):
        return False
    return tensor != "bias" or cls not in UNBIASED


def function(branches: Iterable[ClassStart]) -> Iterator[StartStatement]:
    """The function that initialises each module of the network; submodules are initialised before."""
    yield f"def {FUNCTION}({MODULE}):", 0
    yield '"""Initialise the weights of one module as the spec states."""', 1
    word = "if"
    for classes, lines in branches:
        names = classes[0] if len(classes) == 1 else f"({', '.join(classes)})"
        yield f"{word} isinstance({MODULE}, {names}):", 1
        yield from ((line, indent + 2) for line, indent in lines)
        word = "elif"
