"""The base class of ops. An op is one class with its fields, output type, weights and cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from fractions import Fraction
from itertools import permutations
from typing import Any, ClassVar, Literal, Self

from netspec.dataclass import dataclass
from netspec.diagnostics.code import Code
from netspec.diagnostics.codes import shapes, structure
from netspec.model import Model
from netspec.ops.initializers import Initializer
from netspec.ops.reach import Reach
from netspec.ops.roles import FIRST, KINDS, ONE, Port, Role, assigned, bounds, crowded
from netspec.types import Kind, Type

Inputs = Sequence[Type]


class Misfit(Exception):
    """An op does not fit its inputs. The elaborator adds the place in the text.

    `field` is the field of the op that the caret marks; None marks the op itself. In a note, `{source}` stands for
    the line that the input comes from. `wanted` are the types that inputs must have, by their roles: an output of that
    name and type, of the layer that the author named, is probably the one that is meant. `part` is the part of the text
    of the field that the caret marks.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        field: str | None = None,
        notes: Sequence[str] = (),
        help: str | None = None,
        wanted: Mapping[str, Type] | None = None,
        part: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.field, self.notes, self.help = code, message, field, tuple(notes), help
        self.wanted, self.part = wanted or {}, part


def check_no_kernel(init: Initializer) -> None:
    """Refuse an initialiser of kernels for the field `init` of a tensor that is none.

    Raises:
        Misfit: it is one.
    """
    if init.kind == "bilinear":
        raise Misfit(
            shapes.SIZE,
            "`bilinear` is for the kernel of a convolution; this tensor has no kernel",
            "init",
            help="use `init: normal`, or another initialiser",
        )


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight of an op, in the canonical layout, which is PyTorch's.

    `axes` has one letter per axis: O output channels, I input channels (of a group), C channels, then the spatial
    axes T, H W or D H W. A `statistic` does not count as a parameter: it is measured, not trained.
    """

    name: str
    shape: tuple[int, ...]
    axes: str
    init: Initializer
    trainable: bool = True
    statistic: bool = False
    groups: int = 1
    """The number of groups of the first axis; each channel is connected only within its own group."""
    fans: tuple[Fraction, Fraction] | None = None
    """Fan-in and fan-out, if they do not follow from the axes."""
    zero: int | None = None
    """The index along the first axis whose values start at 0, whatever the initialiser."""
    lifts: tuple[float, ...] = ()
    """What is added to the start of each of so many equal parts along the first axis, one a gate."""


class Meaning(IntEnum):
    """The meaning of a tensor for a loss that takes logits (`is_logit`). Of several inputs, the largest counts."""

    SCORES = 0
    """Any numbers: the larger, the more likely."""
    LOGARITHMS = 1
    """Logarithms of probabilities of mutually exclusive classes: scores, of which `exp` gives the probabilities."""
    NEARNESS = 2
    """Negated distances: the larger, the more likely, until an op changes their order."""
    PROBABILITIES = 3
    """Probabilities of mutually exclusive classes: they sum to 1 over the channels."""
    INDEPENDENT = 4
    """Independent probabilities."""
    DISTANCES = 5
    """Any numbers, of which the largest is not the most likely class."""

    @property
    def is_logit(self) -> bool:
        """Whether a softmax turns them into probabilities."""
        return self in (Meaning.SCORES, Meaning.LOGARITHMS, Meaning.NEARNESS)


Moves = Literal["positions", "values"]
"""What an op moves without changing it: whole positions with all their channels, or single values."""


class Op(Model):
    """One kind of layer. A subclass defines everything about it, and does not depend on a framework."""

    keyword: ClassVar[str]
    """The name of the op in a spec."""
    main: ClassVar[str | None] = None
    """The field that a plain value sets: `dense: 10`."""
    inputs: ClassVar[tuple[Role, ...]] = ONE
    """The roles of the inputs, in the order of `from`. Several inputs can have the last role."""
    merges: ClassVar[bool] = False
    """Whether the op merges branches, that is, takes any number of inputs with one role. Derived from `inputs`."""
    any_channels: ClassVar[bool] = False
    """For an op that merges branches: whether their numbers of channels can differ."""
    _bounds: ClassVar[tuple[int, int | None]] = bounds(ONE)
    by_number: ClassVar[str | None] = None
    """For an op that merges branches: the layer that does it with a number `{0}` in place of the other branch."""
    ports: ClassVar[tuple[Port, ...]] = ()
    """The further outputs; the name of the layer stands for the first output."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Alternative keywords."""
    whole: ClassVar[bool] = False
    """Whether the value in a spec is that of the main field, also a mapping, unless its one key is that field."""
    stands_in: ClassVar[bool] = False
    """Whether it stands in for another op, which it resolves to, so that no graph contains it."""
    idle: ClassVar[Mapping[str, tuple[str, object]]] = {}
    """Fields without an effect where another field has this value; an item that sets one gets a warning."""
    reads: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Fields that name a file of numbers, each with the field that names one of its arrays, and the one they are for.
    """
    likes: ClassVar[Mapping[str, str]] = {}
    """Fields that name another layer, each with the field that gets the spatial sizes of that layer."""
    quiet: ClassVar[Mapping[str, object]] = {}
    """For a random op: field values with which it does nothing."""
    width: ClassVar[str | None] = None
    """The field with the number of output channels."""
    gives: ClassVar[Meaning | None] = None
    """The meaning of the output, independent of the inputs. None: the meaning of the inputs; see `means`."""
    keeps_order: ClassVar[bool] = False
    """Whether each output value is one, a sum or a mean of input values, so the nearest class stays the largest."""
    opens: ClassVar[Mapping[str, str]] = {}
    """For a field that lists sizes, the field that says which of them takes what the others leave."""
    resolved_only: ClassVar[frozenset[str]] = frozenset()
    """Fields that only resolution sets; a spec cannot contain them."""

    unlisted: ClassVar[frozenset[str]] = frozenset()
    """Fields that `settings` lists only where they do not have their default: most networks say nothing of them."""

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        cls.merges = any(role.most != 1 for role in cls.inputs)
        cls._bounds = bounds(cls.inputs)

    def resolve(self, inputs: Inputs) -> Self:
        """The same op with all words and defaults replaced by numbers. Idempotent.

        Raises:
            Misfit: the op does not fit the types of its inputs.
        """
        self._check_inputs(inputs)
        return self._resolve(inputs)

    def _check_inputs(self, inputs: Inputs) -> None:
        """Refuse too few or too many inputs, or an input of a kind that its role does not take.

        Raises:
            Misfit: the inputs do not fit.
        """
        if not self.takes(len(inputs)):
            raise self.miscount(len(inputs))
        if len(self.inputs) == 1 and all(type_.kind in self.inputs[0].takes for type_ in inputs):
            return  # as for most ops
        found = assigned(self.inputs, inputs)
        for role, type_ in found:
            if type_.kind not in role.takes:
                raise self._wrong_kind(role, type_, inputs)
        if (role_twice := crowded(found)) is not None:
            raise self._too_many(role_twice, [role for role, _ in found].count(role_twice))

    @classmethod
    def takes(cls, count: int) -> bool:
        """Whether an op can have so many inputs."""
        least, most = cls._bounds
        return least <= count and (most is None or count <= most)

    @classmethod
    def miscount(cls, count: int) -> Misfit:
        """The misfit for this number of inputs."""
        names = [role.name for role in cls.inputs]
        if len(names) == 1:
            return Misfit(
                shapes.INPUT_COUNT,
                f"`{cls.keyword}` takes one input; `from` names {count}",
                help="merge them first, with `concat` or `add`",
            )
        listed = ", ".join(f"`{name}`" for name in names)
        least, most = bounds(cls.inputs)
        number = f"{least} to {most}" if least != most else str(most)
        return Misfit(
            shapes.INPUT_COUNT,
            f"`{cls.keyword}` takes {number} inputs ({listed}); it has {count}",
            help=f"write `from: [{', '.join(_EXAMPLES[role.takes[0]] for role in cls.inputs)}]` beside it",
        )

    def _too_many(self, role: Role, count: int) -> Misfit:
        """The misfit for several inputs that can only have the same role."""
        kinds = " or ".join(KINDS[kind] for kind in role.takes)
        return Misfit(
            shapes.INPUT_COUNT,
            f"`{self.keyword}` takes {role.most} input as `{role.name}`, and `from` names {count} that hold {kinds}",
            help=f"keep {role.most} of them in `from`",
        )

    def _wrong_kind(self, role: Role, type_: Type, inputs: Inputs) -> Misfit:
        """The misfit for an input of a kind that its role does not take."""
        takes = " or ".join(KINDS[kind] for kind in role.takes)
        holds = f"{KINDS[type_.kind]} ({type_})"
        if len(self.inputs) == 1:
            message = f"`{self.keyword}` takes {takes}; its input holds {holds}"
        else:
            message = f"`{self.keyword}` takes {takes} as `{role.name}`; here it gets {holds}"
        help_ = _KIND_HELP[role.takes[0], type_.kind]
        if (roles := self._roles_in_order(inputs)) is not None:
            names = ", then ".join(f"`{role.name}`" for role in roles)
            what = "keep one of each" if len(roles) < len(inputs) else "change their order"
            help_ = f"{'swap them' if len(roles) == len(inputs) == 2 else what}: `from` names {names}"
        return Misfit(shapes.KIND, message, help=help_)

    def _roles_in_order(self, inputs: Inputs) -> list[Role] | None:
        """The roles of all these inputs in another order, or of the most that fit; None if none do."""
        for count in range(min(len(inputs), len(self.inputs)), 0, -1):
            for others in permutations(inputs, count) if self.takes(count) else ():
                found = assigned(self.inputs, others)
                if any(each.kind not in role.takes for role, each in found):
                    continue
                try:
                    self.resolve(others).outputs(others)
                except Misfit:
                    continue
                return [role for role, _ in found]
        return None

    def _resolve(self, inputs: Inputs) -> Self:
        """Like `resolve`, for inputs whose number and kinds are right."""
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        """The output types: that of the first output, then one per port. The op must be resolved.

        Raises:
            Misfit: as for `resolve`.
        """
        raise NotImplementedError

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        """The weights, with local names (`weight`, `bias`). The op must be resolved."""
        return ()

    def doubts(self) -> Sequence[Misfit]:
        """Valid fields that are probably a mistake. The elaborator warns about them."""
        return ()

    def without_effect(self) -> Sequence[Misfit]:
        """The fields that are set, and that another field takes the effect from."""
        return [
            Misfit(
                structure.WITHOUT_EFFECT,
                f"`{name}` has no effect with `{other}: {_spelled(value)}`",
                name,
                help=f"remove it, or give `{other}` another value",
            )
            for name, (other, value) in self.idle.items()
            if getattr(self, other) == value and getattr(self, name) != type(self).model_fields[name].default
        ]

    def to_keep_axes(self) -> str | None:
        """The setting with which the output keeps the axis that it does not have as the op is written."""
        return None

    def extents(self, inputs: Inputs) -> Iterable[tuple[str, int]]:
        """Intermediate sizes that can be larger than the output, each with its description."""
        return ()

    def macs(self, inputs: Inputs) -> int | None:
        """MACs for one sample: products of weights and inputs, without biases. None: unknown."""
        return 0

    def reaches(self, inputs: Inputs) -> Sequence[Reach | None]:
        """For each input, the positions that an output position depends on; for an input without axes any value."""
        return [self.reach(inputs)] * len(inputs)

    def port_reaches(self, port: str, inputs: Inputs) -> Sequence[Reach | None]:
        """The same for a further output, if it depends on other positions than the first one."""
        return self.reaches(inputs)

    def reach(self, inputs: Inputs) -> Reach | None:
        """The positions that an output position depends on, if equal for all inputs. None: unknown."""
        return Reach.each(len(inputs[0].spatial))

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        """The meaning of the output, given those of the inputs. The output is a score only if all inputs are."""
        if self.gives is not None:
            return self.gives
        return Meaning.DISTANCES if Meaning.NEARNESS in inputs and not self.keeps_order else max(inputs)

    def moves(self, inputs: Inputs) -> Moves | None:
        """What the op only moves, drops or repeats; None if it computes anything. The op must be resolved.

        An op that moves values commutes with every elementwise function; one that moves positions also with a softmax.
        """
        return None

    def first(self) -> str:
        """The name of the first output, beside that of the layer."""
        return FIRST

    def further(self) -> tuple[Port, ...]:
        """The further outputs: those of the class, unless the author names them."""
        return self.ports

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        """Field values that fit such an input, where the simplest value of each field does not; for the docs."""
        return {}

    def settings(self) -> dict[str, object]:
        """The fields by name, without the unset ones."""
        fields = type(self).model_fields
        return {
            name: value
            for name in fields
            if (value := getattr(self, name)) is not None
            and (name not in self.unlisted or value != fields[name].default)
        }

    def replace(self, **fields: object) -> Self:
        """A copy with these fields changed, without validation: for resolution and passes."""
        return self.model_copy(update=fields)

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={_short(value)}" for name, value in self.settings().items())
        return f"{self.keyword}[{fields}]" if fields else self.keyword


_EXAMPLES: dict[Kind, str] = {"numbers": "NAME", "indices": "NAME", "positions": "POOL.indices"}
"""An example of a name in `from` for each kind of input."""

_KIND_HELP: dict[tuple[Kind, Kind], str] = {
    (
        "numbers",
        "indices",
    ): "put `embedding: …` or `one_hot` before it, or remove `vocabulary` from the input if it holds numbers",
    ("indices", "numbers"): "it needs an input with a vocabulary: `input: {shape: [20], vocabulary: 8000}`",
    ("indices", "positions"): "it needs an input with a vocabulary: `input: {shape: [20], vocabulary: 8000}`",
    ("numbers", "positions"): "use the pool itself: its name without `.indices`",
    (
        "positions",
        "numbers",
    ): "give it the `indices` of a max pool: `NAME.indices`, where NAME is that of the pool",
    (
        "positions",
        "indices",
    ): "give it the `indices` of a max pool: `NAME.indices`, where NAME is that of the pool",
}
"""Advice for an input that holds another kind than its role takes."""


def _spelled(value: object) -> str:
    """A value as in a spec."""
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(_short(each) for each in value) + ")"
    return str(value)
