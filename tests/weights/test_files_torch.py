"""Models that others wrote in PyTorch: their files come in, and their outputs come out."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netspec import load, tensors
from netspec.backend import backend
from netspec.exchange import Ambiguous, converted, held, imported
from netspec.graph import Graph
from netspec.weights import WeightsError, initialise
from tests.oracle import forward

torch = pytest.importorskip("torch")
nn = torch.nn


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def unit(inputs: int, outputs: int, stride: int) -> Any:
    """A unit of ResNet-18 with the names of torchvision."""

    class BasicBlock(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.downsample = None
            if stride > 1:
                short = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
                self.downsample = nn.Sequential(short, nn.BatchNorm2d(outputs))

        def forward(self, x: Any) -> Any:
            y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
            return torch.relu(y + (x if self.downsample is None else self.downsample(x)))

    return BasicBlock()


def resnet18(width: int, classes: int) -> Any:
    """ResNet-18 by hand, in float64, with the names of torchvision and statistics of its own."""

    class ResNet(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.maxpool = nn.MaxPool2d(3, 2, 1)
            for at in range(4):
                inputs, outputs = width * 2 ** max(at - 1, 0), width * 2**at
                units = unit(inputs, outputs, 2 if at else 1), unit(outputs, outputs, 1)
                setattr(self, f"layer{at + 1}", nn.Sequential(*units))
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.fc = nn.Linear(8 * width, classes)

        def forward(self, x: Any) -> Any:
            x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
            for at in range(4):
                x = getattr(self, f"layer{at + 1}")(x)
            return torch.softmax(self.fc(torch.flatten(self.avgpool(x), 1)), 1)

    torch.manual_seed(0)
    model = ResNet().double().train()
    model(torch.randn(4, 3, 32, 32, dtype=torch.float64))
    return model.eval()


def narrow() -> Graph:
    """A ResNet-18 of few channels and a small picture."""
    return load("resnet18.yaml")


RESNET = """\
netspec: 1
name: narrow
input: [3, 32, 32]
defaults: {conv: {padding: half, bias: false}}
blocks:
  unit:
    params: {filters: , stride: 1}
    layers:
      - add:
          - - conv: {filters: $filters, kernel: 3, stride: $stride}
            - batch_norm
            - relu
            - conv: {filters: $filters, kernel: 3}
            - batch_norm
          - - when: "${stride > 1}"
              layers: [{conv: {filters: $filters, kernel: 1, stride: $stride}}, batch_norm]
      - relu
layers:
  - conv: {filters: 4, kernel: 7, stride: 2}
  - batch_norm
  - relu
  - max_pool: {kernel: 3, stride: 2, padding: half}
  - {unit: {filters: 4}, repeat: 2}
  - {unit: {filters: 8, stride: "${2 if index == 0 else 1}"}, repeat: 2}
  - {unit: {filters: 16, stride: "${2 if index == 0 else 1}"}, repeat: 2}
  - {unit: {filters: 32, stride: "${2 if index == 0 else 1}"}, repeat: 2}
  - global_avg_pool
  - dense: 5
  - softmax
"""


def outputs(graph: Graph, weights: Any, x: Any) -> Any:
    return forward(graph, weights, {"input": x.numpy()}, training=False)[graph.outputs[0].value]


def test_a_resnet_with_other_names_computes_the_same() -> None:
    Path("resnet18.yaml").write_text(RESNET)
    model = resnet18(4, 5)
    state = {f"module.{name}": each for name, each in model.state_dict().items()}
    torch.save(
        {"state_dict": state, "epoch": 3, "optimizer": {"state": {0: {"m": torch.ones(2)}}}}, "net.pth"
    )
    told: list[str] = []
    found = imported(narrow(), Path("net.pth"), tell=told.append)
    assert told == [
        "the tensors are those of `state_dict`",
        "`module.` of DistributedDataParallel is left out of all names",
        "20 counters `num_batches_tracked` left out: not weights",
    ]
    x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    wanted = model(x).detach().numpy()
    np.testing.assert_allclose(outputs(narrow(), found.weights, x), wanted, rtol=0, atol=1e-12)
    assert found.how == "by order"
    # The same with the tensors of two parallel layers of equal shapes behind each other: nothing says which is which.
    names = list(state)
    second, short = (
        next(at for at, name in enumerate(names) if name.startswith(start))
        for start in ("module.layer2.0.conv2", "module.layer2.0.downsample")
    )
    moved = names[:second] + names[short : short + 6] + names[second:short] + names[short + 6 :]
    torch.save({name: state[name] for name in moved}, "net.pth")
    with pytest.raises(Ambiguous, match=r"at its place the file has layer2\.0\.downsample\.0"):
        imported(narrow(), Path("net.pth"), tell=told.append)


LSTM = """\
netspec: 1
name: tagger
inputs: {input: {shape: [7], vocabulary: 11}}
layers:
  - {embedding: 6, from: input}
  - lstm: {units: 5, layers: 2, direction: both}
  - gru: {units: 4}
  - rnn: {units: 4}
  - dense: 3
"""


def tagger() -> Any:
    class Tagger(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(11, 6)
            self.lstm = nn.LSTM(6, 5, 2, batch_first=True, bidirectional=True)
            self.gru = nn.GRU(10, 4, batch_first=True)
            self.cell = nn.RNNCell(4, 4)
            self.out = nn.Linear(4, 3)

        def forward(self, x: Any) -> Any:
            x = self.gru(self.lstm(self.words(x))[0])[0]
            state, steps = None, []
            for step in range(x.shape[1]):
                state = self.cell(x[:, step], state)
                steps.append(state)
            return self.out(torch.stack(steps, 1)).moveaxis(-1, 1)

    torch.manual_seed(1)
    return Tagger().double()


def test_recurrent_layers_with_two_biases_compute_the_same() -> None:
    Path("tagger.yaml").write_text(LSTM)
    graph, model = load("tagger.yaml"), tagger()
    torch.save(model.state_dict(), "net.pt")
    found = imported(graph, Path("net.pt"), tell=pytest.fail)
    x = torch.randint(0, 11, (3, 7))
    wanted = model(x).detach().numpy()
    np.testing.assert_allclose(outputs(graph, found.weights, x), wanted, rtol=0, atol=1e-12)
    lines = {line.ours: line for line in found.lines}
    assert lines["lstm1.bias_ih_l1_reverse"].how == "two biases added"
    assert lines["lstm1.bias_ih_l1_reverse"].theirs == ("lstm.bias_ih_l1_reverse", "lstm.bias_hh_l1_reverse")
    assert lines["gru1.bias_hh_l0"].theirs == ("gru.bias_hh_l0",)
    # The second bias of this GRU stands in another place of the formula: it is neither added nor dropped.
    Path("tagger.yaml").write_text(LSTM.replace("gru: {units: 4}", "gru: {units: 4, reset: before}"))
    with pytest.raises(Ambiguous, match="gru"):
        imported(load("tagger.yaml"), Path("net.pt"), tell=pytest.fail)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ".npz"])
def test_the_state_of_our_own_class_goes_and_comes_back(suffix: str) -> None:
    Path("tagger.yaml").write_text(LSTM)
    graph = load("tagger.yaml")
    start = initialise(graph, 4, "float64")
    tensors.save("w.safetensors", start)
    target = Path(f"net{suffix}")
    name = None if suffix == ".pt" else "torch"
    target.write_bytes(converted(Path("w.safetensors"), target, graph, name, None, pytest.fail))
    if suffix == ".pt":
        build: Any = backend("torch")
        model = build.build(graph, initialise(graph), "float64", "cpu")
        model.load_state_dict(torch.load(target, weights_only=True))
        for key, array in build.weights(model, graph).items():
            np.testing.assert_array_equal(array, start[key])
    told: list[str] = []
    back = converted(target, Path("w.npz"), graph, None, None, told.append)
    Path("w.npz").write_bytes(back)
    found = held(Path("w.npz")).tensors
    assert found.keys() == start.keys()
    for key, array in start.items():
        np.testing.assert_array_equal(found[key], array)


# What is in a file of PyTorch.


def test_two_names_of_one_tensor_are_one_weight() -> None:
    Path("own.yaml").write_text(
        "netspec: 1\nname: own\ninputs: {input: {shape: [], vocabulary: 5}}\n"
        "layers: [{embedding: 4, from: input, name: words}, {dense: {units: 5, bias: false}, share: words}]\n"
    )
    shared = torch.randn(5, 4)
    torch.save({"encoder.weight": shared, "decoder.weight": shared}, "net.pt")
    told: list[str] = []
    found = imported(load("own.yaml"), Path("net.pt"), tell=told.append)
    np.testing.assert_array_equal(found.weights["words.weight"], shared.numpy())
    assert told == ["decoder.weight and encoder.weight are one tensor, taken once"]
    assert list(held(Path("net.pt")).tensors) == ["encoder.weight", "decoder.weight"]


def test_types_that_numpy_lacks_are_float32() -> None:
    torch.save({"w": torch.tensor([1.0, -2.5]).bfloat16(), "h": torch.tensor(0.5).half()}, "net.pt")
    found = held(Path("net.pt"))
    assert (found.kinds, found.tensors["w"].tolist()) == ({"w": "bfloat16", "h": "float16"}, [1.0, -2.5])
    assert [str(each.dtype) for each in found.tensors.values()] == ["float32", "float16"]


def test_what_stands_among_tensors_is_told() -> None:
    torch.save({"w": torch.ones(2), "rate": 0.1, "rng": None}, "net.pt")
    assert held(Path("net.pt")).notes == ("left out: 2 values that are not tensors (`rate`, `rng`)",)
    torch.save({"a": {"b": {"w": torch.ones(2)}}, "a.b": {"w": torch.zeros(2)}}, "net.pt")
    with pytest.raises(WeightsError, match="have the same keys, joined by dots"):
        held(Path("net.pt"))


def test_several_dictionaries_are_asked_about() -> None:
    torch.save({"model": {"w": torch.ones(2)}, "ema": {"w": torch.zeros(2)}}, "net.pt")
    with pytest.raises(WeightsError, match=r"several .*: `model` \(1\), `ema` \(1\); .* --key model"):
        held(Path("net.pt"))
    assert held(Path("net.pt"), "ema").tensors["w"].tolist() == [0, 0]
    with pytest.raises(WeightsError, match="no dictionary of tensors `em`"):
        held(Path("net.pt"), "em")


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path("broken_in").touch, ())


def compressed() -> None:
    torch.save({"w": torch.zeros(100_000)}, "net.pt")
    with zipfile.ZipFile("net.pt") as old:
        members = {each.filename: old.read(each) for each in old.infolist()}
    with zipfile.ZipFile("net.pt", "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in members.items():
            new.writestr(name, data)


def cut() -> None:
    torch.save({"w": torch.zeros(1000)}, "net.pt")
    Path("net.pt").write_bytes(Path("net.pt").read_bytes()[:-900])


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "code": (lambda: torch.save({"w": torch.ones(1), "x": Evil()}, "net.pt"), "PyTorch refuses it: Weights only load"),
    "code in a plain pickle": (lambda: Path("net.pt").write_bytes(pickle.dumps(Evil())), "PyTorch refuses it"),
    "a model": (lambda: torch.save(nn.Linear(2, 2), "net.pt"), "PyTorch refuses it: Weights only load failed"),
    "nothing": (lambda: Path("net.pt").touch(), "it is empty"),
    "text": (lambda: Path("net.pt").write_text("weights"), "PyTorch refuses it"),
    "cut off": (cut, "it is a damaged archive: perhaps the file is cut off"),
    "compressed": (compressed, "is compressed, which PyTorch never does"),
    "one tensor": (lambda: torch.save(torch.ones(2), "net.pt"), "it holds one tensor without a name"),
    "a list": (lambda: torch.save([1, 2], "net.pt"), "no dictionary of tensors, but a value of the type list"),
    "no tensors": (lambda: torch.save({"epoch": 3}, "net.pt"), "but a dictionary with `epoch`"),
    "a huge view": (
        lambda: torch.save({"w": torch.zeros(1).expand(1 << 40)}, "net.pt"),
        "w (1099511627776) says that it is larger than the file",
    ),
    "complex": (lambda: torch.save({"w": torch.zeros(2, dtype=torch.complex64)}, "net.pt"), "w is complex"),
    "sparse": (lambda: torch.save({"w": torch.eye(2).to_sparse()}, "net.pt"), "w is sparse"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "says"), BAD.values(), ids=BAD)
def test_what_is_not_weights_is_refused_and_nothing_runs(make: Callable[[], object], says: str) -> None:
    make()
    with pytest.raises(WeightsError) as caught:
        held(Path("net.pt"))
    assert says in str(caught.value)
    assert not Path("broken_in").exists()
