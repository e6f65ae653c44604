"""Helper classes for convolutional recurrent layers in generated code; `torch.nn` has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netspec.lowering.cutting import Parts, cut


def conv_lstm(rank: int) -> str:
    """The short class for the usual case: a forward LSTM, initial states of 0, and all steps as output."""
    return f'''\
class ConvLSTM{rank}d(nn.Module):
    """A convolutional LSTM along the first axis of (N, channels, steps, *sizes)."""

    def __init__(self, in_channels, filters, kernel, stride=1, padding=0, dilation=1):
        super().__init__()
        self.weight_ih_l0 = nn.Parameter(torch.empty(4 * filters, in_channels, *kernel))
        self.weight_hh_l0 = nn.Parameter(torch.empty(4 * filters, filters, *kernel))
        self.bias_ih_l0 = nn.Parameter(torch.zeros(4 * filters))
        nn.init.xavier_uniform_(self.weight_ih_l0)
        nn.init.orthogonal_(self.weight_hh_l0)
        self.bias_ih_l0.data.chunk(4)[1].fill_(1.0)
        self.window, self.inner = (stride, padding, dilation), tuple(k // 2 for k in kernel)

    def forward(self, x):
        samples, steps = x.shape[0], x.shape[2]
        # The inputs of all steps at once.
        x = x.transpose(1, 2).flatten(0, 1)
        x = F.conv{rank}d(x, self.weight_ih_l0, self.bias_ih_l0, *self.window)
        x = x.unflatten(0, (samples, steps)).unbind(1)
        h = c = torch.zeros_like(x[0].chunk(4, dim=1)[0])
        outputs = []
        for gates in x:
            gates = gates + F.conv{rank}d(h, self.weight_hh_l0, padding=self.inner)
            i, f, g, o = gates.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs, dim=2)'''


CONV_RECURRENT = '''\
class ConvRecurrent(nn.Module):
    """A convolutional recurrent layer along one axis of (N, channels, *sizes)."""  #: !states !gives
    """A convolutional recurrent layer along one axis of (N, channels, *sizes).  #: states | gives
  #: states | gives
    It takes the input and the states to start with, where there are any.  #: states
    It returns what `gives` names: the "sequence", the "last" outputs of the directions, or the last  #: gives
    "state" or "cell".  #: gives
    """  #: states | gives

    def __init__(self, in_channels, filters, kernel, axis=2, recurrent_kernel=(), **settings):
        super().__init__()
        recurrent = recurrent_kernel or kernel
        self.convolve = (F.conv1d, F.conv2d)[len(kernel) - 1]
        self.axis, self.filters = axis, filters
        self.window = {name: settings.pop(name, 1 - (name == "padding")) for name in self.fields}
        # An even kernel sees one zero more at the end.  #: even
        self.inner = tuple((k - 1) // 2 for k in recurrent)
        self.after = [zeros for k in reversed(recurrent) for zeros in (0, 1 - k % 2)]  #: even
        direction = settings.pop("direction", "forward")  #: both | backward
        self.backward = direction == "backward"  #: backward
        self.suffixes = ("", "_reverse") if direction == "both" else ("",)  #: both
        self.suffixes = ("",)  #: !both
        self.merge = settings.pop("merge", "concat")  #: merge
        self.gives = settings.pop("gives", ("sequence",))  #: gives
        activation = settings.pop("activation", "tanh")  #: activation
        recurrent_activation = settings.pop("recurrent_activation", "sigmoid")  #: hard
        self.activation = getattr(torch, activation)  #: activation
        self.activation = torch.tanh  #: !activation
        self.gate = torch.sigmoid if recurrent_activation == "sigmoid" else self.hard_sigmoid  #: hard
        self.gate = torch.sigmoid  #: !hard
        self.shapes = self.weights(in_channels, kernel, recurrent, **settings)
        for suffix in self.suffixes:
            for name, shape in self.shapes.items():
                weight = shape and nn.Parameter(torch.empty(shape))  #: unbiased
                weight = nn.Parameter(torch.empty(shape))  #: !unbiased
                self.register_parameter(f"{name}_l0{suffix}", weight)
        self.reset_parameters()

    fields = ("stride", "padding", "dilation")

    def weights(self, in_channels, kernel, recurrent, bias=True):  #: unbiased
    def weights(self, in_channels, kernel, recurrent):  #: !unbiased
        rows = self.gates * self.filters
        shapes = {"weight_ih": (rows, in_channels, *kernel), "bias_ih": (rows,) if bias else None}  #: unbiased
        shapes = {"weight_ih": (rows, in_channels, *kernel), "bias_ih": (rows,)}  #: !unbiased
        return {**shapes, "weight_hh": (rows, self.filters, *recurrent)}

    def reset_parameters(self):
        for name, weight in self.named_parameters():
            if name.startswith("weight_hh"):
                nn.init.orthogonal_(weight)
            elif name.startswith("weight_ih"):
                nn.init.xavier_uniform_(weight)
            else:
                nn.init.zeros_(weight)

    def forward(self, x, *starts):  #: states
    def forward(self, x):  #: !states
        x = x.movedim(self.axis, 1)
        samples, steps = x.shape[:2]
        x, outputs, last = x.flatten(0, 1), [], []  #: gives
        x, outputs = x.flatten(0, 1), []  #: !gives
        for number, suffix in enumerate(self.suffixes):  #: states | both | backward
        for suffix in self.suffixes:  #: !states !both !backward
            weights = {name: getattr(self, f"{name}_l0{suffix}") for name in self.shapes}
            # The inputs of all steps at once.
            gates = self.convolve(x, weights["weight_ih"], weights["bias_ih"], **self.window)
            gates = gates.unflatten(0, (samples, steps)).unbind(1)
            states = [start.chunk(len(self.suffixes), dim=1)[number] for start in starts]  #: states
            zeros = torch.zeros_like(gates[0][:, : self.filters])
            states = states or [zeros] * self.states  #: states
            states = [zeros] * self.states  #: !states
            y = [None] * steps
            for at in reversed(range(steps)) if self.backward or number else range(steps):  #: backward
            for at in reversed(range(steps)) if number else range(steps):  #: both !backward
            for at in range(steps):  #: !both !backward
                states = self.step(weights, gates[at], *states)
                y[at] = states[0]
            outputs.append(torch.stack(y, dim=self.axis))
            last.append(states)  #: gives
        values = [self.value(name, outputs, last) for name in self.gives]  #: several
        return values[0] if len(values) == 1 else tuple(values)  #: several single
        return tuple(values)  #: several !single
        (name,) = self.gives  #: gives !several
        return self.value(name, outputs, last)  #: gives !several
        return self.merged(outputs)  #: !gives
  #: gives
    def value(self, name, outputs, last):  #: gives
        if name == "sequence":  #: gives sequence
            return self.merged(outputs)  #: gives sequence
        if name == "last":  #: last state | last cell
            return self.merged([states[0] for states in last])  #: last state | last cell
        return self.merged([states[0] for states in last])  #: last !state !cell
        return torch.cat([states[name == "cell"] for states in last], dim=1)  #: cell
        return torch.cat([states[0] for states in last], dim=1)  #: state !cell

    def merged(self, outputs):
        if len(outputs) == 1 or self.merge == "concat":  #: merge
            return torch.cat(outputs, dim=1)  #: merge
        return torch.cat(outputs, dim=1)  #: !merge
        forward, backward = outputs  #: merge
        if self.merge == "multiply":  #: merge
            return forward * backward  #: merge
        return (forward + backward) / (2 if self.merge == "average" else 1)  #: merge

    def of_state(self, h, weight, bias=None):
        h = F.pad(h, self.after) if any(self.after) else h  #: even
        return self.convolve(h, weight, bias, padding=self.inner)
  #: hard
    @staticmethod  #: hard
    def hard_sigmoid(x):  #: hard
        return F.relu6(x + 3) / 6  #: hard'''

CONV_LSTM = '''\
class ConvLSTM(ConvRecurrent):
    """A convolutional LSTM; with peepholes, of maps of these sizes, its gates see the cell."""  #: peepholes
    """A convolutional LSTM."""  #: !peepholes

    gates, states = 4, 2

    def weights(self, *sizes, peepholes=(), **settings):  #: peepholes
        shapes = super().weights(*sizes, **settings)  #: peepholes
        return {**shapes, "weight_ch": (3 * self.filters, *peepholes)} if peepholes else shapes  #: peepholes
  #: peepholes
    def reset_parameters(self):
        super().reset_parameters()
        for name, bias in self.named_parameters():
            if name.startswith("bias"):
                bias.data.chunk(4)[1].fill_(1.0)

    def step(self, weights, x, h, c):
        i, f, g, o = (x + self.of_state(h, weights["weight_hh"])).chunk(4, dim=1)
        peepholes = weights["weight_ch"].chunk(3) if "weight_ch" in weights else (0, 0, 0)  #: peepholes
        i, f = self.gate(i + peepholes[0] * c), self.gate(f + peepholes[1] * c)  #: peepholes
        i, f = self.gate(i), self.gate(f)  #: !peepholes
        c = f * c + i * self.activation(g)
        return self.gate(o + peepholes[2] * c) * self.activation(c), c  #: peepholes
        return self.gate(o) * self.activation(c), c  #: !peepholes'''

CONV_GRU = '''\
class ConvGRU(ConvRecurrent):
    """A convolutional gated recurrent unit that resets the state, or the convolution of it."""  #: after
    """A convolutional gated recurrent unit that resets the state."""  #: !after

    gates, states = 3, 1

    def weights(self, *sizes, reset="before", **settings):  #: after
        shapes = super().weights(*sizes, **settings)  #: after
        self.reset = reset  #: after
        return {**shapes, "bias_hh": shapes["bias_ih"]} if reset == "after" else shapes  #: after
  #: after
    def step(self, weights, x, h):
        r, z, n = x.chunk(3, dim=1)
        if self.reset == "after":  #: after
            of_h = self.of_state(h, weights["weight_hh"], weights["bias_hh"]).chunk(3, dim=1)  #: after
            r, z = self.gate(r + of_h[0]), self.gate(z + of_h[1])  #: after
            n = self.activation(n + r * of_h[2])  #: after
        else:  #: after
            kernel, kernel_n = weights["weight_hh"].split((2 * self.filters, self.filters))  #: after
            of_r, of_z = self.of_state(h, kernel).chunk(2, dim=1)  #: after
            r, z = self.gate(r + of_r), self.gate(z + of_z)  #: after
            n = self.activation(n + self.of_state(r * h, kernel_n))  #: after
        kernel, kernel_n = weights["weight_hh"].split((2 * self.filters, self.filters))  #: !after
        of_r, of_z = self.of_state(h, kernel).chunk(2, dim=1)  #: !after
        r, z = self.gate(r + of_r), self.gate(z + of_z)  #: !after
        n = self.activation(n + self.of_state(r * h, kernel_n))  #: !after
        return ((1 - z) * n + z * h,)'''


def _cut(text: str) -> Callable[[Parts], str]:
    return lambda parts: cut(text, parts)


CELLS: Mapping[str, Callable[[Parts], str]] = {
    name: _cut(text)
    for name, text in {
        "ConvRecurrent": CONV_RECURRENT,
        "ConvGRU": CONV_GRU,
        "ConvLSTM": CONV_LSTM,
        **{f"ConvLSTM{rank}d": conv_lstm(rank) for rank in (1, 2)},
    }.items()
}
"""What writes each class with the parts that a network needs, by its name; a class follows those that it needs."""

BASES: Mapping[str, tuple[str, ...]] = dict.fromkeys(("ConvGRU", "ConvLSTM"), ("ConvRecurrent",))
"""The classes that a class needs."""
