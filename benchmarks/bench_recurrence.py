"""Times a step of training of generated recurrent layers against the framework's own layer, in one run.

    python benchmarks/bench_recurrence.py [--rounds 30] [--batch 32] [--steps 50] [--channels 64] [--units 128]
                                          [--device cpu]

Both sides take turns: a round is one step of each, and every other round begins with the other one, so that what else
the machine does falls on both. The ratio is the median of the rounds' ratios, of time and of processor time; the
latter tells least of what else the machine does. On PyTorch both take (N, channels, steps): the hand-written model
turns the axes around its `nn.LSTM`. What a framework lacks runs as a loop of ours: its row is timed against the native
layer that is nearest to it.

With `--device cuda` the last column says whether cuDNN's recurrent kernel is in PyTorch's profile of one step of each
side; it is "not known" for Keras on another engine than PyTorch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np

import netspec
from netspec.backend import NoDevice

SPEC = """\
netspec: 1
name: recurrent
input: [{channels}, {steps}]
layers:
  - {op}: {{{fields}}}
"""

ROWS: tuple[tuple[str, str, str], ...] = (
    ("lstm", "", "LSTM"),
    ("lstm", ", direction: both", "LSTM"),
    ("gru", "", "GRU"),
    ("rnn", "", "RNN"),
    ("lstm", ", peepholes: true", "LSTM"),
    ("lstm", ", coupled: true", "LSTM"),
    ("gru", ", reset: before", "GRU"),
    ("rnn", ", activation: sigmoid", "RNN"),
)
"""The op, its fields beside the units, and the layer of the framework on the other side."""

WARM_UP = 3
RATE = 2.0**-10
CUDNN = "aten::_cudnn_rnn"
"""The operator of PyTorch that runs cuDNN's recurrent kernels."""
Step = Callable[[], None]


def turns(ours: Step, theirs: Step, rounds: int) -> tuple[float, float, float, float]:
    """The median seconds of each side, and the medians of the rounds' ratios, of time and of processor time."""
    times: list[dict[str, float]] = []
    processor: list[dict[str, float]] = []
    for number in range(WARM_UP + rounds):
        sides = [("ours", ours), ("theirs", theirs)]
        times.append({})
        processor.append({})
        for name, step in sides if number % 2 else reversed(sides):
            start, used = perf_counter(), process_time()
            step()
            times[-1][name], processor[-1][name] = perf_counter() - start, process_time() - used
    kept, worked = times[WARM_UP:], processor[WARM_UP:]
    ratios = (median(each["ours"] / each["theirs"] for each in found) for found in (kept, worked))
    return median(each["ours"] for each in kept), median(each["theirs"] for each in kept), *ratios


def torch_sides(
    graph: netspec.Graph, layer: str, both: bool, x: Any, units: int, device: str
) -> tuple[Step, Step]:
    """A step of each side on PyTorch."""
    import torch

    model: Any = netspec.build(graph, "torch", device=device)
    native = getattr(torch.nn, layer)(x.shape[1], units, batch_first=True, bidirectional=both, device=device)
    given = torch.as_tensor(x, device=device)

    def step(module: Any, forward: Callable[[], Any]) -> Step:
        learnt = [each for each in module.parameters() if each.requires_grad]
        optimizer = torch.optim.SGD(learnt, RATE)
        module.train()

        def run() -> None:
            optimizer.zero_grad()
            forward().square().mean().backward()
            optimizer.step()
            if given.is_cuda:
                torch.cuda.synchronize()  # a step ends when its kernels do

        return run

    theirs = step(native, lambda: native(given.transpose(1, 2))[0].transpose(1, 2))
    return step(model, lambda: model(given)), theirs


def keras_sides(
    graph: netspec.Graph, layer: str, both: bool, x: Any, units: int, device: str
) -> tuple[Step, Step]:
    """A step of each side on Keras. It returns the loss as a number, so it ends when its kernels do."""
    import keras

    turned = np.moveaxis(x, 1, 2).copy()
    cls = {"RNN": "SimpleRNN"}.get(layer, layer)
    own = getattr(keras.layers, cls)(units, return_sequences=True)
    native = keras.Sequential([
        keras.Input(turned.shape[1:]),
        keras.layers.Bidirectional(own) if both else own,
    ])  # fmt: skip

    def step(model: Any) -> Step:
        model.compile(optimizer=keras.optimizers.SGD(RATE), loss="mse")
        target = np.zeros((*turned.shape[:2], units * (1 + both)), "float32")

        def run() -> None:
            model.train_on_batch(turned, target)

        return run

    return step(netspec.build(graph, "keras", device=device)), step(native)


def place(framework: str, device: str) -> AbstractContextManager[object]:
    """Place what Keras does on a device meanwhile; PyTorch is given the device with each tensor."""
    if framework != "keras":
        return nullcontext()
    from netspec_keras.runtime import placed

    return placed(device)


def runs_cudnn(framework: str, step: Step) -> str:
    """Whether cuDNN's recurrent kernel is in the profile of a step."""
    if framework == "keras":
        import keras

        if keras.backend.backend() != "torch":
            return "not known"
    from torch.profiler import profile

    with profile() as found:
        step()
    return "yes" if any(each.key == CUDNN for each in found.key_averages()) else "no"


SIDES = {"torch": torch_sides, "keras": keras_sides}


def rows(sizes: argparse.Namespace) -> Iterator[str]:
    """A line of the table for each framework and layer."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    x = np.random.default_rng(0).standard_normal((sizes.batch, sizes.channels, sizes.steps)).astype("float32")
    on_gpu = sizes.device != "cpu"
    for framework, sides in SIDES.items():
        if find_spec(framework) is None:
            yield f"| {framework} | is not installed | | | | |"
            continue
        for op, fields, layer in ROWS:
            with TemporaryDirectory() as folder:
                path = Path(folder) / "recurrent.yaml"
                text = SPEC.format(
                    op=op, fields=f"units: {sizes.units}{fields}", channels=sizes.channels, steps=sizes.steps
                )
                path.write_text(text, encoding="utf-8")
                graph = netspec.load(str(path))
            try:
                with place(framework, sizes.device):
                    pair = sides(graph, layer, "both" in fields, x, sizes.units, sizes.device)
                    ours, theirs, ratio, processor = turns(*pair, sizes.rounds)
                    kernels = [runs_cudnn(framework, each) for each in pair] if on_gpu else []
            except NoDevice as refusal:
                yield f"| {framework} | {refusal} | | | | |"
                break
            written = f"`{op}: {{units: {sizes.units}{fields}}}`"
            times = f"{ours * 1e3:.1f} ms | {theirs * 1e3:.1f} ms"
            used = f" {', '.join(kernels)} |" if on_gpu else ""
            yield f"| {framework} | {written} | {times} | {ratio:.3f} | {processor:.3f} |{used}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in (("rounds", 30), ("batch", 32), ("steps", 50), ("channels", 64), ("units", 128)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--device", default="cpu", help="cpu, or a GPU: cuda")
    sizes = parser.parse_args()
    columns = ["framework", "layer", "netspec", "native", "ratio", "of processor time"]
    if sizes.device != "cpu":
        columns.append("cuDNN: netspec, native")
    print(f"| {' | '.join(columns)} |")
    print(f"| {' | '.join('---' for _ in columns)} |")
    for row in rows(sizes):
        print(row, flush=True)


if __name__ == "__main__":
    main()
