"""Helper classes for recurrent layers in generated code, on (*samples, steps, channels).

They are layers of `torch.nn`, or loops over the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netspec.lowering.cutting import Parts, cut

RECURRENT = '''\
class Recurrent(nn.Module):
    """A recurrent layer on (*samples, steps, channels)."""  #: !states !lengths !gives
    """A recurrent layer on (*samples, steps, channels).  #: states | lengths | gives
  #: states | lengths | gives
    It takes the input, the states to start with and the lengths, where there are any.  #: states lengths
    It takes the input and the states to start with, where there are any.  #: states !lengths
    It takes the input and the lengths, where there are any.  #: !states lengths
    It returns what `gives` names: the "sequence", the "last" outputs of the directions, or the last  #: gives
    "state" or "cell".  #: gives
    """  #: states | lengths | gives

    def __init__(self, *sizes, merge="concat", gives=("sequence",), **settings):  #: merge gives
    def __init__(self, *sizes, merge="concat", **settings):  #: merge !gives
    def __init__(self, *sizes, gives=("sequence",), **settings):  #: !merge gives
        super().__init__(*sizes, **settings)  #: merge | gives
        self.merge, self.gives = merge, gives  #: merge gives
        self.merge = merge  #: merge !gives
        self.gives = gives  #: !merge gives
  #: merge | gives
    def reset_parameters(self):
        for name, weight in self.named_parameters():
            if name.startswith("weight_hh"):
                nn.init.orthogonal_(weight)
            elif weight.dim() > 1:
                nn.init.xavier_uniform_(weight)
            else:
                nn.init.zeros_(weight)

    def forward(self, x, *others):  #: states lengths
    def forward(self, x, *states):  #: states !lengths
    def forward(self, x, *lengths):  #: !states lengths
    def forward(self, x):  #: !states !lengths
        samples, x = x.shape[:-2], x.flatten(0, -3)
        lengths = [value for value in others if not value.is_floating_point()]  #: states lengths
        # One row for each layer and direction.  #: states
        rows = self.num_layers * self.directions  #: states
        states = [  #: states
            h.flatten(0, -2).unflatten(1, (rows, -1)).transpose(0, 1).contiguous() for h in states  #: states !lengths
            h.flatten(0, -2).unflatten(1, (rows, -1)).transpose(0, 1).contiguous()  #: states lengths
            for h in others  #: states lengths
            if h.is_floating_point()  #: states lengths
        ]  #: states
        x, $states = self.run($arguments)
        outputs = [x if name == "sequence" else self.end(name, states) for name in self.gives]  #: several sequence
        outputs = [self.end(name, states) for name in self.gives]  #: several !sequence
        outputs = [y.unflatten(0, samples) for y in outputs]  #: several
        return outputs[0] if len(outputs) == 1 else tuple(outputs)  #: several single
        return tuple(outputs)  #: several !single
        (name,) = self.gives  #: gives !several
        y = x if name == "sequence" else self.end(name, states)  #: gives !several sequence
        y = self.end(name, states)  #: gives !several !sequence
        return y.unflatten(0, samples)  #: gives !several
        return x.unflatten(0, samples)  #: !gives
  #: last | state | cell
    def end(self, name, states):  #: last | state | cell
        if name == "last":  #: last state | last cell
            return $last  #: last state | last cell
        return $last  #: last !state !cell
        return states[name == "cell"].transpose(0, 1).flatten(1)  #: cell
        return states[0].transpose(0, 1).flatten(1)  #: state !cell
  #: merge
    def merged(self, x):  #: merge
        if self.directions == 1 or self.merge == "concat":  #: merge
            return x  #: merge
        forward, backward = x.chunk(2, dim=-1)  #: merge
        if self.merge == "multiply":  #: merge
            return forward * backward  #: merge
        return (forward + backward) / (2 if self.merge == "average" else 1)  #: merge'''

LEAN = '''\
class {name}(nn.{name}):
    """PyTorch's own on (*samples, steps, channels).{doc}"""

    def __init__(self, in_channels, units, **settings):
        super().__init__(in_channels, units, batch_first=True, **settings)
{frozen}
    def reset_parameters(self):
        for name, weight in self.named_parameters():
            if name.startswith("weight_hh"):
                nn.init.orthogonal_(weight)
            elif weight.dim() > 1:
                nn.init.xavier_uniform_(weight)
            else:
                nn.init.zeros_(weight)
{forget}
    def forward(self, x):
        y, _ = super().forward(x.flatten(0, -3))
        return y.unflatten(0, x.shape[:-2])'''

LEAN_ONE_BIAS = """

    One bias per gate learns: the second one of PyTorch is 0.
    """

LEAN_FORGET = """\
            if name.startswith("bias_ih"):
                weight.data.chunk(4)[1].fill_(1.0)
"""

LAST = '''\
class Last{name}({name}):
    """Gives the last output of each direction."""

    def forward(self, x):
        _, {last} = nn.{name}.forward(self, x.flatten(0, -3))
        h = h[-1 - self.bidirectional :].transpose(0, 1).flatten(1)
        return h.unflatten(0, x.shape[:-2])'''

NATIVE = '''\
class Recurrent{name}(Recurrent, nn.{name}):
    """{doc}"""

    def __init__(self, *sizes, backward=False, **settings):  #: backward
    def __init__(self, *sizes, **settings):  #: !backward
        super().__init__(*sizes, batch_first=True, **settings)
        self.backward, self.directions = backward, 1 + self.bidirectional  #: backward
        self.directions = 1 + self.bidirectional  #: !backward
{frozen}{reset}
    def run(self, x, states):  #: whole states
    def run(self, x):  #: whole !states
        x = x.flip(1) if self.backward else x  #: whole backward
        x, states = nn.{name}.forward(self, x, {start})  #: whole states
        x, states = nn.{name}.forward(self, x)  #: whole !states
        return self.merged(x.flip(1) if self.backward else x), {states}  #: whole merge backward
        return self.merged(x), {states}  #: whole merge !backward
        return x.flip(1) if self.backward else x, {states}  #: whole !merge backward
        return x, {states}  #: whole !merge !backward'''

FROZEN = """\
        for name, bias in self.named_parameters():
            if name.startswith("bias_hh"):
                bias.requires_grad_(False)
"""

ONE_BIAS = "PyTorch's own, with one bias per gate: its second bias is 0 and does not learn."

FORGET = """
    def reset_parameters(self):
        super().reset_parameters()
        for name, bias in self.named_parameters():
            if name.startswith("bias_ih"):
                bias.data.chunk(4)[1].fill_(1.0)
"""

PADDED = '''\
class Padded{name}(Recurrent{name}):
    """The same for samples of these lengths: steps beyond keep the states and give 0."""

    def run(self, x, states, lengths):  #: states
    def run(self, x, lengths):  #: !states
        steps, there = x.shape[1], (lengths > 0)[:, None]
        # A packed sequence has a step at least.
        packed = nn.utils.rnn.pack_padded_sequence(
            x, lengths.clamp(1, steps).cpu(), batch_first=True, enforce_sorted=False
        )
        x, last = nn.{name}.forward(self, packed, {start})  #: states
        x, last = nn.{name}.forward(self, packed)  #: !states
        x, _ = nn.utils.rnn.pad_packed_sequence(x, batch_first=True, total_length=steps)
        states = states or [torch.zeros_like(state) for state in {listed}]  #: states
        pairs = zip({listed}, states, strict=True)  #: states
        last = [torch.where(there, new, old) for new, old in pairs]  #: states
        last = [torch.where(there, state, 0.0) for state in {listed}]  #: !states
        return self.merged(torch.where(there[:, None], x, 0.0)), *last  #: merge
        return torch.where(there[:, None], x, 0.0), *last  #: !merge'''

STEPWISE = '''\
class Stepwise(Recurrent):
    """Recurrent layers that run step by step, for what PyTorch's own do not have."""

    def __init__(self, in_channels, units, num_layers=1, direction="forward", **settings):
        dropout, variational = settings.pop("dropout", 0.0), settings.pop("variational", False)  #: variational
        dropout = settings.pop("dropout", 0.0)  #: dropout !variational
        bias = settings.pop("bias", True)  #: unbiased
        super().__init__(**settings)
        self.units, self.num_layers, self.backward = units, num_layers, direction == "backward"
        self.dropout, self.variational = dropout, variational  #: variational
        self.dropout = dropout  #: dropout !variational
        self.suffixes = ("", "_reverse") if direction == "both" else ("",)
        self.directions = len(self.suffixes)
        for layer in range(num_layers):
            for suffix in self.suffixes:
                for name, shape in self.shapes(in_channels).items():
                    weight = nn.Parameter(torch.empty(shape))
                    weight = None if name.startswith("bias") and not bias else weight  #: unbiased
                    self.register_parameter(f"{name}_l{layer}{suffix}", weight)
            in_channels = self.sizes[0] * (self.directions if self.merge == "concat" else 1)  #: merge
            in_channels = self.sizes[0] * self.directions  #: !merge
        self.reset_parameters()

    def run(self, x, states, lengths=None):  #: states lengths
    def run(self, x, states):  #: states !lengths
    def run(self, x, lengths=None):  #: !states lengths
    def run(self, x):  #: !states !lengths
        rows = self.num_layers * self.directions
        states = states or [x.new_zeros(rows, x.shape[0], size) for size in self.sizes]  #: states
        states = [x.new_zeros(rows, x.shape[0], size) for size in self.sizes]  #: !states
        last = []
        for layer in range(self.num_layers):
            outputs = []
            for suffix in self.suffixes:
                ending = f"_l{layer}{suffix}"
                weights = {name: getattr(self, name + ending) for name in self.shapes(1)}
                start = [state[len(last)] for state in states]
                y, final = self.steps(weights, x, start, lengths, self.backward or suffix != "")  #: lengths
                y, final = self.steps(weights, x, start, self.backward or suffix != "")  #: !lengths
                outputs.append(y)
                last.append(final)
            x = self.merged(torch.cat(outputs, dim=-1))  #: merge
            x = torch.cat(outputs, dim=-1)  #: !merge
            if layer + 1 < self.num_layers:  #: dropout
                x = x * self.kept(x[:, :1] if self.variational else x)  #: variational
                x = x * self.kept(x)  #: dropout !variational
        return x, *(torch.stack(rows) for rows in zip(*last, strict=True))

    def kept(self, x):  #: dropout
        """What dropout multiplies a tensor with."""  #: dropout
        return F.dropout(torch.ones_like(x), self.dropout, self.training)  #: dropout
  #: dropout
    def steps(self, weights, x, states, lengths, backward):  #: lengths
    def steps(self, weights, x, states, backward):  #: !lengths
        x = F.linear(x, weights["weight_ih"], weights["bias_ih"])
        kept = self.kept(states[0]) if self.variational else 1  #: variational
        outputs = [None] * x.shape[1]
        for at in reversed(range(len(outputs))) if backward else range(len(outputs)):
            fresh = self.step(weights, x[:, at], states[0] * kept, states)  #: lengths variational
            fresh = self.step(weights, x[:, at], states[0], states)  #: lengths !variational
            states = self.step(weights, x[:, at], states[0] * kept, states)  #: !lengths variational
            states = self.step(weights, x[:, at], states[0], states)  #: !lengths !variational
            outputs[at] = fresh[0]  #: lengths
            outputs[at] = states[0]  #: !lengths
            if lengths is not None:  #: lengths
                there = (at < lengths)[:, None]  #: lengths
                outputs[at] = torch.where(there, fresh[0], 0.0)  #: lengths
                pairs = zip(fresh, states, strict=True)  #: lengths
                fresh = [torch.where(there, new, old) for new, old in pairs]  #: lengths
            states = fresh  #: lengths
        return torch.stack(outputs, dim=1), states'''

STEPWISE_RNN = '''\
class StepwiseRNN(Stepwise):
    """A simple recurrent layer."""

    def __init__(self, in_channels, units, nonlinearity="tanh", **settings):
        self.sizes, self.nonlinearity = (units,), nonlinearity
        super().__init__(in_channels, units, **settings)

    def shapes(self, in_channels):
        rows = self.units
        return {"weight_ih": (rows, in_channels), "weight_hh": (rows, rows), "bias_ih": (rows,)}

    def step(self, weights, x, h, states):
        return [getattr(torch, self.nonlinearity)(x + F.linear(h, weights["weight_hh"]))]'''

STEPWISE_GRU = '''\
class StepwiseGRU(Stepwise):
    """A gated recurrent unit that resets the product with the state, or the state before it."""

    def __init__(self, in_channels, units, reset="after", **settings):
        self.sizes, self.reset = (units,), reset
        super().__init__(in_channels, units, **settings)

    def shapes(self, in_channels):
        rows = 3 * self.units
        shapes = {"weight_ih": (rows, in_channels), "weight_hh": (rows, self.units)}
        biases = ("bias_ih", "bias_hh") if self.reset == "after" else ("bias_ih",)
        return {**shapes, **dict.fromkeys(biases, (rows,))}

    def step(self, weights, x, h, states):
        r, z, n = x.chunk(3, dim=-1)
        if self.reset == "after":
            of_h = F.linear(h, weights["weight_hh"], weights["bias_hh"]).chunk(3, dim=-1)
            r, z = torch.sigmoid(r + of_h[0]), torch.sigmoid(z + of_h[1])
            n = torch.tanh(n + r * of_h[2])
        else:
            weight_r, weight_z, weight_n = weights["weight_hh"].chunk(3)
            r = torch.sigmoid(r + F.linear(h, weight_r))
            z = torch.sigmoid(z + F.linear(h, weight_z))
            n = torch.tanh(n + F.linear(r * h, weight_n))
        return [(1 - z) * n + z * states[0]]'''

RESET_FIRST_GRU = '''\
class ResetFirstGRU(nn.Module):
    """Gated recurrent units on (*samples, steps, channels).

    They reset the state before its product; those of PyTorch reset the product.
    """

    def __init__(self, in_channels, units, direction="forward"):
        super().__init__()
        self.backward = direction == "backward"  #: backward
        self.endings = ("_l0", "_l0_reverse") if direction == "both" else ("_l0",)
        for ending in self.endings:
            of_x, of_h = torch.empty(3 * units, in_channels), torch.empty(3 * units, units)
            setattr(self, f"weight_ih{ending}", nn.Parameter(nn.init.xavier_uniform_(of_x)))
            setattr(self, f"weight_hh{ending}", nn.Parameter(nn.init.orthogonal_(of_h)))
            setattr(self, f"bias_ih{ending}", nn.Parameter(torch.zeros(3 * units)))

    def forward(self, x):
        runs = [self.run(x.flatten(0, -3), ending) for ending in self.endings]
        return torch.cat(runs, dim=-1).unflatten(0, x.shape[:-2])

    def run(self, x, ending):
        backward = self.backward or ending.endswith("reverse")  #: backward
        backward = ending.endswith("reverse")  #: !backward
        of_x, bias = getattr(self, f"weight_ih{ending}"), getattr(self, f"bias_ih{ending}")
        of_h_r, of_h_z, of_h_n = getattr(self, f"weight_hh{ending}").chunk(3)
        steps = F.linear(x, of_x, bias).unbind(1)
        h, outputs = x.new_zeros(x.shape[0], of_h_r.shape[1]), []
        for step in reversed(steps) if backward else steps:
            r, z, n = step.chunk(3, dim=-1)
            r, z = torch.sigmoid(r + F.linear(h, of_h_r)), torch.sigmoid(z + F.linear(h, of_h_z))
            n = torch.tanh(n + F.linear(r * h, of_h_n))
            h = (1 - z) * n + z * h
            outputs.append(h)
        return torch.stack(outputs[::-1] if backward else outputs, dim=1)'''

STEPWISE_LSTM = '''\
class StepwiseLSTM(Stepwise):
    """An LSTM whose gates may see the cell, or forget as much as they take in."""  #: peepholes | coupled
    """An LSTM."""  #: !peepholes !coupled

    def __init__(self, in_channels, units, $fields**settings):
        self.sizes, self.projects = (proj_size or units, units), proj_size > 0  #: projection
        self.sizes = (units, units)  #: !projection
        self.peepholes, self.coupled = peepholes, coupled  #: peepholes coupled
        self.peepholes = peepholes  #: peepholes !coupled
        self.coupled = coupled  #: !peepholes coupled
        super().__init__(in_channels, units, **settings)
        if not coupled:  #: coupled
            for name, bias in self.named_parameters():  #: coupled
                if name.startswith("bias"):  #: coupled
                    bias.data.chunk(4)[1].fill_(1.0)  #: coupled
        for name, bias in self.named_parameters():  #: !coupled
            if name.startswith("bias"):  #: !coupled
                bias.data.chunk(4)[1].fill_(1.0)  #: !coupled

    def shapes(self, in_channels):
        size, units = self.sizes
        rows = (3 if self.coupled else 4) * units  #: coupled
        rows = 4 * units  #: !coupled
        shapes = {"weight_ih": (rows, in_channels), "weight_hh": (rows, size), "bias_ih": (rows,)}
        if self.peepholes:  #: peepholes
            shapes["weight_ch"] = (rows - units,)  #: peepholes
        if self.projects:  #: projection
            shapes["weight_hr"] = (size, units)  #: projection
        return shapes

    def step(self, weights, x, h, states):
        c = states[1]
        gates = x + F.linear(h, weights["weight_hh"])
        *gates, g, o = gates.chunk(3 if self.coupled else 4, dim=-1)  #: coupled
        *gates, g, o = gates.chunk(4, dim=-1)  #: !coupled
        if self.peepholes:  #: peepholes
            *peepholes, peephole_o = weights["weight_ch"].split(self.units)  #: peepholes
            pairs = zip(gates, peepholes, strict=True)  #: peepholes
            gates = [gate + peephole * c for gate, peephole in pairs]  #: peepholes
        i, *f = map(torch.sigmoid, gates)  #: coupled
        i, f = map(torch.sigmoid, gates)  #: !coupled
        c = (f[0] if f else 1 - i) * c + i * torch.tanh(g)  #: coupled
        c = f * c + i * torch.tanh(g)  #: !coupled
        o = torch.sigmoid(o + peephole_o * c if self.peepholes else o)  #: peepholes
        o = torch.sigmoid(o)  #: !peepholes
        h = o * torch.tanh(c)
        return [F.linear(h, weights["weight_hr"]) if "weight_hr" in weights else h, c]  #: projection
        return [h, c]  #: !projection'''


FIELDS = {"peepholes": "peepholes=False, ", "coupled": "coupled=False, ", "projection": "proj_size=0, "}
"""The parts of an LSTM that are parameters of its class."""


NAMES = ("GRU", "LSTM", "RNN")


def _lean(name: str) -> str:
    """The short class that runs a layer of `torch.nn` with our starts."""
    one_bias = name != "GRU"
    return LEAN.format(
        name=name,
        doc=LEAN_ONE_BIAS if one_bias else "",
        frozen=FROZEN if one_bias else "",
        forget=LEAN_FORGET if name == "LSTM" else "",
    )


def _native(name: str) -> str:
    """The class that adds initial states, directions and further outputs to a layer of `torch.nn`."""
    one_bias, is_lstm = name != "GRU", name == "LSTM"
    return NATIVE.format(
        name=name,
        doc=ONE_BIAS if one_bias else "PyTorch's own.",
        frozen=FROZEN if one_bias else "",
        reset=FORGET if is_lstm else "",
        start="tuple(states) or None" if is_lstm else "*states",
        states="*states" if is_lstm else "states",
    )


def _padded(name: str) -> str:
    """The class that adds lengths of samples to `Recurrent…`."""
    is_lstm = name == "LSTM"
    return PADDED.format(
        name=name,
        listed="last" if is_lstm else "[last]",
        start="tuple(states) or None" if is_lstm else "*states",
    )


def _words(parts: Parts) -> dict[str, str]:
    """What stands in the place of words in the texts."""
    last = "states[0][-self.directions :].transpose(0, 1).flatten(1)" if "both" in parts else "states[0][-1]"
    starts, ends = ["states"] * ("states" in parts), ["*lengths"] * ("lengths" in parts)
    return {
        "states": "*_" if {"last", "state", "cell"}.isdisjoint(parts) else "*states",
        "arguments": ", ".join(["x", *starts, *ends]),
        "last": f"self.merged({last})" if "merge" in parts else last,
        "fields": "".join(text for part, text in FIELDS.items() if part in parts),
    }


def _cut(text: str) -> Callable[[Parts], str]:
    return lambda parts: cut(text, parts, **_words(parts))


CELLS: Mapping[str, Callable[[Parts], str]] = {
    name: _cut(text)
    for name, text in {
        "Recurrent": RECURRENT,
        **{name: _lean(name) for name in NAMES},
        **{f"Last{name}": LAST.format(name=name, last="(h, _)" if name == "LSTM" else "h") for name in NAMES},
        **{f"Recurrent{name}": _native(name) for name in NAMES},
        **{f"Padded{name}": _padded(name) for name in NAMES},
        "ResetFirstGRU": RESET_FIRST_GRU,
        "Stepwise": STEPWISE,
        "StepwiseGRU": STEPWISE_GRU,
        "StepwiseLSTM": STEPWISE_LSTM,
        "StepwiseRNN": STEPWISE_RNN,
    }.items()
}
"""What writes each class with the parts that a network needs, by its name; a class follows those that it needs."""

BASES: Mapping[str, tuple[str, ...]] = {
    **{f"Last{name}": (name,) for name in NAMES},
    **{f"Recurrent{name}": ("Recurrent",) for name in NAMES},
    **{f"Padded{name}": ("Recurrent", f"Recurrent{name}") for name in NAMES},
    **dict.fromkeys(("StepwiseGRU", "StepwiseLSTM", "StepwiseRNN"), ("Recurrent", "Stepwise")),
}
"""The classes that a class needs."""
