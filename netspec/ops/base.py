"""What an op is: its fields, the type it gives, the weights it holds, what it costs, in one class."""

# No annotations as text here: pydantic would evaluate those of `Op` anew for every subclass, which is most of
# what the import of the ops would cost.

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict

from netspec.dataclass import dataclass
from netspec.diagnostics.code import Code
from netspec.diagnostics.codes import shapes
from netspec.ops.initializers import Initializer
from netspec.ops.reach import Reach
from netspec.ops.roles import KINDS, ONE, Port, Role, assigned, bounds
from netspec.types import Kind, Type

Inputs = Sequence[Type]


class Misfit(Exception):
    """An op does not fit what it is given. The elaborator adds the place in the text.

    `field` names the field of the op to point at; None points at the op itself. In a note `{source}`
    stands for the line that the input comes from.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        field: str | None = None,
        notes: Sequence[str] = (),
        help: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.field, self.notes, self.help = code, message, field, tuple(notes), help


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor that an op holds, in the canonical layout, which is PyTorch's.

    `axes` has a letter an axis: O output channels, I input channels (of a group), C channels, then the
    spatial T, H W or D H W. A `statistic` is no parameter: it is measured, not learnt.
    """

    name: str
    shape: tuple[int, ...]
    axes: str
    init: Initializer
    trainable: bool = True
    statistic: bool = False
    groups: int = 1
    """Into how many groups the channels of its first axis are split; each sees channels of its own group only."""
    fans: tuple[Fraction, Fraction] | None = None
    """How many inputs an output sees, and how many outputs see an input, where the axes do not say."""


class Meaning(IntEnum):
    """What the numbers of a tensor mean to a loss that takes logits: `is_logit`. The last of several counts."""

    SCORES = 0
    """Any numbers: the larger, the likelier."""
    NEARNESS = 1
    """Negated distances: the larger, the likelier, until an op changes their order."""
    PROBABILITIES = 2
    """Probabilities of classes that exclude each other: they sum to 1 over the channels."""
    INDEPENDENT = 3
    """Probabilities, each on its own."""
    DISTANCES = 4
    """Any numbers, of which the largest is not the likeliest."""

    @property
    def is_logit(self) -> bool:
        """Whether a softmax makes probabilities of them."""
        return self in (Meaning.SCORES, Meaning.NEARNESS)


Moves = Literal["positions", "values"]
"""What an op moves about without changing it: whole positions with all their channels, or single values."""


class Op(BaseModel):
    """One kind of layer. A subclass is the whole truth about it, and knows no framework."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    keyword: ClassVar[str]
    """What an author writes."""
    main: ClassVar[str | None] = None
    """The field that a plain value sets: `dense: 10`."""
    inputs: ClassVar[tuple[Role, ...]] = ONE
    """What it takes, in the order in which `from` names it. Several may have the last role."""
    merges: ClassVar[bool] = False
    """Whether it joins branches: its inputs are so many of one role. Read from `inputs`."""
    any_channels: ClassVar[bool] = False
    """For one that joins branches: whether their numbers of channels may differ."""
    ports: ClassVar[tuple[Port, ...]] = ()
    """Further outputs, besides the one that its own name stands for."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Further words for it."""
    likes: ClassVar[Mapping[str, str]] = {}
    """Fields that name another layer, and the field that takes that layer's spatial sizes instead."""
    quiet: ClassVar[Mapping[str, object]] = {}
    """For an op that draws random numbers: the fields, and their values, that stop it."""
    width: ClassVar[str | None] = None
    """The field that says how many channels it gives."""
    gives: ClassVar[Meaning | None] = None
    """What its output means, whatever its inputs mean. None: what its inputs mean; see `means`."""
    keeps_order: ClassVar[bool] = False
    """Whether each output is a value of its inputs, or a sum or a mean of them, so that the nearest stays largest."""
    resolved_only: ClassVar[frozenset[str]] = frozenset()
    """Fields that resolution fills in and no author may write."""

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        cls.merges = any(role.most != 1 for role in cls.inputs)

    def resolve(self, inputs: Inputs) -> Self:
        """The same op with every word and default turned into numbers. Idempotent.

        Raises:
            Misfit: the op does not fit the types that it is given.
        """
        self._check_inputs(inputs)
        return self._resolve(inputs)

    def _check_inputs(self, inputs: Inputs) -> None:
        """Refuse too few inputs, too many, or one of a kind that its role does not take.

        Raises:
            Misfit: as said.
        """
        least, most = bounds(self.inputs)
        if len(inputs) < least or (most is not None and len(inputs) > most):
            raise self.miscount(len(inputs))
        for role, type_ in assigned(self.inputs, inputs):
            if type_.kind not in role.takes:
                raise self._wrong_kind(role, type_, inputs)

    @classmethod
    def miscount(cls, count: int) -> Misfit:
        """The complaint about so many inputs."""
        names = [role.name for role in cls.inputs]
        if len(names) == 1:
            return Misfit(
                shapes.INPUT_COUNT,
                f"`{cls.keyword}` takes one input; `from` names {count}",
                help="join them first: `concat` or `add`",
            )
        listed = ", ".join(f"`{name}`" for name in names)
        return Misfit(
            shapes.INPUT_COUNT,
            f"`{cls.keyword}` takes {len(names)} inputs ({listed}); it has {count}",
            help=f"write `from: [{', '.join(_EXAMPLES[role.takes[0]] for role in cls.inputs)}]` beside it",
        )

    def _wrong_kind(self, role: Role, type_: Type, inputs: Inputs) -> Misfit:
        """The complaint about an input that holds something else than its role takes."""
        takes = " or ".join(KINDS[kind] for kind in role.takes)
        holds = f"{KINDS[type_.kind]} ({type_})"
        if len(self.inputs) == 1:
            message = f"`{self.keyword}` takes {takes}; its input holds {holds}"
        else:
            message = f"`{self.keyword}` takes {takes} as `{role.name}`; here it gets {holds}"
        help_ = _KIND_HELP[role.takes[0], type_.kind]
        if all(each.kind in role.takes for role, each in assigned(self.inputs, inputs[::-1])):
            names = ", then ".join(f"`{each.name}`" for each in self.inputs)
            help_ = f"turn them round: `from` names {names}"
        return Misfit(shapes.KIND, message, help=help_)

    def _resolve(self, inputs: Inputs) -> Self:
        """The same as `resolve`, of inputs whose number and kinds are right."""
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        """The types that it gives: of its first output, then of each port. The op is resolved.

        Raises:
            Misfit: as for `resolve`.
        """
        raise NotImplementedError

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        """The weights that it holds, under local names (`weight`, `bias`). The op is resolved."""
        return ()

    def doubts(self) -> Sequence[Misfit]:
        """What is legal as it is written and hardly meant. The elaborator warns of it."""
        return ()

    def extents(self, inputs: Inputs) -> Iterable[tuple[str, int]]:
        """Sizes that arise on the way to the output and may be larger than it, each with what it is."""
        return ()

    def macs(self, inputs: Inputs) -> int | None:
        """Multiply-accumulates for one sample: products of weights and inputs, no bias. None: not known."""
        return 0

    def reaches(self, inputs: Inputs) -> Sequence[Reach | None]:
        """For each input what an output position sees of it; of one without axes it does not matter."""
        return [self.reach(inputs)] * len(inputs)

    def reach(self, inputs: Inputs) -> Reach | None:
        """What an output position sees of every input, where that is one thing. None: not known. The op is resolved."""
        return Reach.each(len(inputs[0].spatial))

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        """What its output means, from what its inputs mean. One input that is no score makes the output none."""
        if self.gives is not None:
            return self.gives
        return Meaning.DISTANCES if Meaning.NEARNESS in inputs and not self.keeps_order else max(inputs)

    def moves(self, inputs: Inputs) -> Moves | None:
        """What it only moves (or drops, or repeats); None if it computes anything. The op is resolved.

        What moves values commutes with every elementwise function, what moves positions with a softmax, too.
        """
        return None

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        """Fields with which it takes such an input, where the plainest value of each field does not do; for docs."""
        return {}

    def settings(self) -> dict[str, object]:
        """Its fields by name, the unset ones left out."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}

    def replace(self, **fields: object) -> Self:
        """A copy with these fields changed, unchecked: for resolution and passes."""
        return self.model_copy(update=fields)

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={_short(value)}" for name, value in self.settings().items())
        return f"{self.keyword}[{fields}]" if fields else self.keyword


_EXAMPLES: dict[Kind, str] = {"numbers": "NAME", "indices": "NAME", "positions": "POOL.indices"}
"""What `from` names for an input of each kind."""

_KIND_HELP: dict[tuple[Kind, Kind], str] = {
    ("numbers", "indices"): "an input without `vocabulary` holds numbers",
    ("numbers", "positions"): "take the pool itself, by its name without `.indices`",
    (
        "positions",
        "numbers",
    ): "give it the `indices` of a max pool: `NAME.indices`, where NAME is that of the pool",
    (
        "positions",
        "indices",
    ): "give it the `indices` of a max pool: `NAME.indices`, where NAME is that of the pool",
}
"""How to get what an input takes, instead of what it holds."""


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(_short(each) for each in value) + ")"
    return str(value)
