"""Turns a graph into the tree of scopes that its author wrote, each with its inputs and outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from operator import is_

from netspec.dataclass import dataclass, replace
from netspec.graph import Graph, IllegalGraph, Node, Scope


@dataclass(frozen=True)
class Module:
    """A scope with its nodes and scopes in order; `scope` is None at the root.

    `inputs` are values made outside and used inside, first those that the author passes in, in their order. `outputs`
    are values made inside and used outside, the scope's own output first. `standing` is the outermost enclosing scope
    that contains only this one; this one then has its name.
    """

    scope: Scope | None
    items: tuple[Node | Module, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    standing: Scope | None = None

    @cached_property
    def path(self) -> str:
        return self.scope.path if self.scope else ""

    @property
    def place(self) -> Scope | None:
        """The scope whose name it has in the enclosing module."""
        return self.standing or self.scope

    @cached_property
    def local_name(self) -> str:
        return self.place.local_name if self.place else ""

    @property
    def local_path(self) -> str:
        """Its path in the enclosing module: its name, or a longer path if it replaces enclosing scopes."""
        parent = self.place.parent if self.place else ""
        return self.path[len(parent) + 1 :] if parent else self.path

    @cached_property
    def kind(self) -> str:
        return self.scope.kind if self.scope else "network"

    @property
    def shares(self) -> str | None:
        return self.scope.shares if self.scope else None

    @cached_property
    def is_repeat(self) -> bool:
        return self.kind == "repeat"

    def holding(self, items: Sequence[Node | Module]) -> Module:
        """The same scope with other items; it itself if they are the same."""
        return self if all(map(is_, items, self.items)) else replace(self, items=tuple(items))

    def nodes(self) -> Iterator[Node]:
        """All nodes in it, at any depth, in the order in which generated code runs them."""
        return iter(self._within[0])

    def modules(self) -> Iterator[Module]:
        """All modules in it, at any depth, inner modules first."""
        return iter(self._within[1])

    @cached_property
    def _within(self) -> tuple[list[Node], list[Module]]:
        """Kept, because each part of a text asks for them."""
        nodes: list[Node] = []
        modules: list[Module] = []
        for item in self.items:
            if isinstance(item, Module):
                inner, deeper = item._within
                nodes += inner
                modules += deeper
                modules.append(item)
            else:
                nodes.append(item)
        return nodes, modules

    @cached_property
    def wiring(self) -> Hashable:
        """The names of its items and of their values, relative to it or by the number of an input.

        Modules with equal wiring and equal items have equal texts.
        """
        name = _Relative(self).__getitem__

        def one(item: Node | Module) -> Hashable:
            inner = tuple(map(one, item.items)) if isinstance(item, Module) and item.is_repeat else ()
            return (item.local_name, inner, *map(name, item.inputs), None, *map(name, given(item)))

        return (tuple(map(one, self.items)), *map(name, self.outputs))

    def local(self, value: str) -> str:
        """The name of a value in it, relative to it."""
        return value[len(self.path) + 1 :] if self.path else value

    def parts(self, value: str) -> tuple[str, ...]:
        """The parts of this relative name."""
        return tuple(self.local(value).split("."))


class _Relative(dict[str, str | int]):
    """The name of each value in a module, relative to it, or the number of an input."""

    def __init__(self, module: Module) -> None:
        super().__init__(zip(module.inputs, range(len(module.inputs)), strict=True))
        self.start = len(module.path) + 1 if module.path else 0

    def __missing__(self, value: str) -> str:
        name = self[value] = value[self.start :]
        return name


@dataclass(frozen=True, slots=True)
class StandingNode(Node):
    """A node that replaces the scope that contains only it: it has the name of that scope, its `place`."""

    place: Scope | None = None

    @property
    def local_name(self) -> str:
        assert self.place is not None
        return self.place.local_name


def outline(graph: Graph) -> Module:
    """The tree of a graph. A scope without a node is left out: its output is its input.

    Raises:
        IllegalGraph: a scope uses a value that is made after it begins.
    """
    uses = _uses(graph)
    common = {value: _common(users) for value, users in uses.items()}
    for value in _equalise(graph, uses, common):
        common[value] = _common(uses[value])
    return _Outliner(graph, common).root()


def inlined(root: Module, is_short: Callable[[Module], bool] = lambda repeat: False) -> Module:
    """The tree without scopes that contain only one other scope and pass its values on: that scope replaces them.

    A repeat replaces its enclosing scope only if it is short. If calls of blocks share weights, all scopes stay,
    because the calls refer to them.
    """
    if any(each.shares is not None for each in root.modules()):
        return root
    return _inlined(root, is_short)


def _inlined(module: Module, is_short: Callable[[Module], bool]) -> Module:
    module = module.holding(
        [_inlined(each, is_short) if isinstance(each, Module) else each for each in module.items]
    )
    if module.scope is None or module.is_repeat:
        return module
    only = _passed_on(module)
    if only is not None and only.is_repeat:
        single = _passed_on(only)
        only = single if single is not None and not single.is_repeat else only if is_short(only) else None
    if only is None or any(each.local_name in module.local(only.path).split(".") for each in only.items):
        # Otherwise a weight in the text could have the name of another weight of the spec.
        return module
    return replace(only, standing=module.scope)


def unwrapped(root: Module, is_plain: Callable[[Node], bool]) -> Module:
    """The tree without scopes that contain only one plain node and pass its values on: the node replaces them.

    The calls of a block are replaced if all of them are like this. Repetitions stay. If anything shares weights, all
    scopes stay.
    """
    if shares_anything(root):
        return root
    modules = list(root.modules())
    wraps: dict[str, bool] = {}
    for each in modules:
        if each.scope is not None and each.scope.definition:
            name = each.scope.definition
            wraps[name] = wraps.get(name, True) and _wraps(each, is_plain)
    return _unwrapped(root, lambda each: _wraps(each, is_plain) and wraps.get(_definition(each), True))


def shares_anything(root: Module) -> bool:
    """Whether any layer, or any call of a block, uses the weights of another one."""
    if any(node.shares is not None for node in root.nodes()):
        return True
    return any(each.shares is not None for each in root.modules())


def _unwrapped(module: Module, replaced: Callable[[Module], bool]) -> Module:
    items: list[Node | Module] = []
    for item in module.items:
        if isinstance(item, Module) and not module.is_repeat and replaced(item):
            (node,) = item.items
            assert isinstance(node, Node)
            assert item.place is not None
            fields = {name: getattr(node, name) for name in Node.__match_args__}
            items.append(StandingNode(**{**fields, "scope": item.place.parent}, place=item.place))
        else:
            items.append(_unwrapped(item, replaced) if isinstance(item, Module) else item)
    return module.holding(items)


def _wraps(module: Module, is_plain: Callable[[Node], bool]) -> bool:
    match module.items:
        case [Node() as only]:
            passes = (only.inputs, (only.name, *only.values[1:])) == (module.inputs, module.outputs)
            return passes and not module.is_repeat and is_plain(only)
    return False


def _definition(module: Module) -> str:
    return module.scope.definition if module.scope else ""


def _passed_on(module: Module) -> Module | None:
    """The only module in a module, if it has the same inputs and outputs; else None."""
    match module.items:
        case [Module() as only] if (only.inputs, only.outputs) == (module.inputs, module.outputs):
            return only
    return None


def given(item: Node | Module) -> tuple[str, ...]:
    """The output values of an item of a body."""
    return item.values if isinstance(item, Node) else item.outputs


def place_of(item: Node | Module) -> str:
    """The path of an item in the enclosing module."""
    if isinstance(item, Node) and not isinstance(item, StandingNode):
        return item.name
    return item.place.path if item.place else ""


def _uses(graph: Graph) -> dict[str, set[str]]:
    """For each value, the scopes that use it; the root represents the outputs of the graph."""
    uses: dict[str, set[str]] = {value: set() for value in graph.types}
    for node in graph.nodes:
        for value in node.inputs:
            uses[value].add(node.scope)
    for output in graph.outputs:
        uses[output.value].add("")
    return uses


def _equalise(graph: Graph, uses: dict[str, set[str]], common: Mapping[str, str | None]) -> set[str]:
    """Give scopes that share weights the same outputs, so that one module can serve all of them.

    `common` has the innermost scope that contains all users of each value. Returns the values that have more users now.
    """
    families: dict[tuple[str, tuple[str, ...]], list[Scope]] = {}
    shared = any(each.shares is not None for each in graph.scopes)
    below = _below(graph, uses) if shared else {}
    for scope in graph.scopes if shared else ():
        if scope.shares is not None and scope.shares in graph.scope_by_path:
            owner = graph.scope_by_path[scope.shares]
            # Calls that hold other layers cannot be one module anyway.
            alike = below[owner.path] == below[scope.path]
            families.setdefault((owner.path, below[scope.path]), [owner] if alike else []).append(scope)
    more = _equalise_repetitions(graph, uses, common)
    changed = bool(families)
    while changed:
        changed = False
        for family in families.values():
            names = {
                name
                for scope in family
                for name in below[scope.path]
                if any(not within(user, scope.path) for user in uses[f"{scope.path}.{name}"])
            }
            for scope in family:
                for name in names:
                    value = f"{scope.path}.{name}"
                    if value in uses and all(within(user, scope.path) for user in uses[value]):
                        uses[value].add(scope.parent)
                        more.add(value)
                        changed = True
    return more


def _below(graph: Graph, values: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """For each scope, the names of the values made in it, at any depth, relative to it."""
    found: dict[str, list[str]] = {}
    for value in values:
        path = value
        while (path := path.rpartition(".")[0]) in graph.scope_by_path:
            found.setdefault(path, []).append(value[len(path) + 1 :])
    return {path: tuple(names) for path, names in found.items()}


def _equalise_repetitions(
    graph: Graph, uses: dict[str, set[str]], common: Mapping[str, str | None]
) -> set[str]:
    """Give the repetitions of a block the same outputs, if most of them have these outputs.

    The block's own output is included if only the last repetition lacks it: then the repeat as a whole has no other
    output. Returns the values that have more users now.
    """
    more: set[str] = set()
    rows: dict[tuple[str, str], list[Scope]] = {}
    for scope in graph.scopes:
        if scope.definition and scope.local_name.isdigit():
            rows.setdefault((scope.parent, scope.definition), []).append(scope)
    given: dict[str, list[str]] = {}
    scopes = graph.scope_by_path
    for value, users in common.items() if rows else ():
        path = value
        while (path := path.rpartition(".")[0]) in scopes:
            if users is None or users == path or inside(users, path):
                break  # so it is in all scopes around that one
            given.setdefault(path, []).append(value[len(path) + 1 :])
    for row in rows.values():
        counts = Counter(name for scope in row for name in given.get(scope.path, []))
        for name, count in counts.items():
            if count == len(row):
                continue
            own = all(scope.output == f"{scope.path}.{name}" for scope in row)
            own = own and count == len(row) - 1 and name not in given.get(row[-1].path, [])
            for scope in row if own or 2 * count > len(row) else ():
                value = f"{scope.path}.{name}"
                if value in uses and name not in given.get(scope.path, []):
                    uses[value].add(scope.parent)
                    more.add(value)
    return more


def inside(name: str, path: str) -> bool:
    """Whether a name is inside a path."""
    return not path or name.startswith(path + ".")


def within(path: str, ancestor: str) -> bool:
    """Whether a scope is the other one, or inside it."""
    return path == ancestor or inside(path, ancestor)


def _common(users: Collection[str]) -> str | None:
    """The innermost scope that contains all users of a value: they are within a scope if it is. None without users."""
    if len(users) < 2:
        return next(iter(users), None)
    paths = [user.split(".") for user in users if user]
    if len(paths) < len(users):
        return ""
    least, most = min(paths), max(paths)
    count = next((at for at, (a, b) in enumerate(zip(least, most, strict=False)) if a != b), len(least))
    return ".".join(least[:count])


class _Outliner:
    def __init__(self, graph: Graph, common: Mapping[str, str | None]) -> None:
        self.graph, self.common = graph, common
        self.children: dict[str, list[Node | str]] = {}
        seen: set[str] = set()
        for node in graph.nodes:
            # The position of a scope in its parent is that of its first node.
            above, path = [], node.scope
            while path and path not in seen:
                above.append(path)
                path = graph.scope_by_path[path].parent
            for fresh in reversed(above):
                seen.add(fresh)
                self.children.setdefault(graph.scope_by_path[fresh].parent, []).append(fresh)
            self.children.setdefault(node.scope, []).append(node)

    def root(self) -> Module:
        """The tree of the whole graph."""
        items, *_ = self._items(None)
        outputs = tuple(dict.fromkeys(each.value for each in self.graph.outputs))
        return Module(None, items, tuple(each.name for each in self.graph.inputs), outputs)

    def _module(self, scope: Scope) -> tuple[Module, Sequence[str], Sequence[str]]:
        """The tree of a scope, the values made in it, and those of them that are used outside."""
        if scope.shares not in self.graph.scope_by_path:
            # A call without layers is not a scope, and has no weights to share.
            scope = replace(scope, shares=None) if scope.shares is not None else scope
        items, made, candidates = self._items(scope)
        path, below = scope.path, f"{scope.path}."
        outside = []
        for value in candidates:
            common = self.common[value]
            # `within`, written out: this runs for every value in every scope around it.
            if common is not None and common != path and not common.startswith(below):
                outside.append(value)
        used = [value for item in items for value in item.inputs if value not in made]
        handed = [value for value in scope.inputs if value in used]
        inputs = tuple(dict.fromkeys([*handed, *used]))
        return Module(scope, items, inputs, _outputs(scope.output, made, outside)), [*made], outside

    def _items(self, scope: Scope | None) -> tuple[tuple[Node | Module, ...], dict[str, None], Sequence[str]]:
        """The content of a scope, the values made in it, and those that can be used outside.

        Refuses a content that is not in order.
        """
        items: list[Node | Module] = []
        rows: list[Sequence[str]] = []
        candidates: list[str] = []
        for child in self.children.get(scope.path if scope else "", []):
            if isinstance(child, str):
                module, row, outside = self._module(self.graph.scope_by_path[child])
                items.append(module)
                rows.append(row)
                candidates += outside
            else:
                items.append(child)
                rows.append(child.values)
                candidates += child.values
        everything = set(chain.from_iterable(rows))
        made: dict[str, None] = {}
        for item, row in zip(items, rows, strict=True):
            for value in item.inputs:
                if value in everything and value not in made:
                    raise IllegalGraph(
                        f"{scope.path if scope else 'the graph'} uses {value} before it is made"
                    )
            made.update(dict.fromkeys(row))
        return tuple(items), made, candidates


def _outputs(own: str, made: dict[str, None], outside: Sequence[str]) -> tuple[str, ...]:
    """The outputs of a scope: its own output first, then what else is used outside."""
    if own in outside:
        return (own, *(value for value in outside if value != own))
    return tuple(outside) or ((own,) if own in made else (next(reversed(made)),))
