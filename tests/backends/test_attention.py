"""Attention against layers that others wrote, with the same weights; and how it runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import netspec
from netspec.check import check_text
from netspec.graph import Graph
from netspec.types import Float
from netspec.weights import initialise
from tests.having import needs

Floats = NDArray[np.float64]
RNG = np.random.default_rng(11)
N, CHANNELS, HEADS, QUERIES, KEYS = 3, 12, 4, 5, 7
LENGTHS = np.array([7, 2, 4])


def spec(inputs: str, layer: str) -> Graph:
    """A network of one layer."""
    graph, said = check_text(f"netspec: 1\nname: a\ninputs: {inputs}\nlayers:\n  - {layer}\n", "a.yaml")
    assert graph is not None, said
    return graph


SELF = spec("{x: [12, 5]}", "{attention: {heads: 4, bias_init: {normal: 0.5}}, from: x}")
SELF_COUNTED = spec(
    "{x: [12, 5], table: [4, 5, 5], n: {shape: [], vocabulary: 6}}",
    "{attention: {heads: 4, bias_init: {normal: 0.5}}, from: [x, table, n]}",
)
CROSS = spec(
    "{x: [12, 5], m: [12, 7], n: {shape: [], vocabulary: 8}}",
    "{attention: {heads: 4, bias_init: {normal: 0.5}}, from: [x, m, n]}",
)
KEYED = spec(
    "{x: [12, 5], k: [6, 7], v: [10, 7]}",
    "{attention: {heads: 4, bias_init: {normal: 0.5}}, from: [x, k, v]}",
)
CAUSAL = spec("{x: [12, 5]}", "{attention: {heads: 4, causal: true, bias_init: {normal: 0.5}}, from: x}")
GROUPED = spec(
    "{x: [12, 5]}", "{attention: {heads: 4, kv_heads: 2, head_size: 5, bias_init: {normal: 0.5}}, from: x}"
)
DTYPES: dict[Float, float] = {"float64": 1e-12, "float32": 1e-4}


def given(graph: Graph) -> dict[str, Floats]:
    """Numbers for each input, channels first; lengths for its indices."""
    found: dict[str, Floats] = {}
    for each in graph.inputs:
        shape = each.type.shape
        found[each.name] = (
            RNG.standard_normal((N, *shape))
            if each.vocabulary is None
            else np.minimum(LENGTHS, each.vocabulary - 1)
        )
    return found


def near(ours: Any, theirs: Any, tolerance: float) -> None:
    ours, theirs = np.asarray(ours, "float64"), np.asarray(theirs, "float64")
    assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max()


class TestOfPytorch:
    """`torch.nn.MultiheadAttention`, whose matrices are ours by another name."""

    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        needs("torch")

    def both(self, graph: Graph, dtype: Float, **settings: Any) -> tuple[Any, Any]:
        """Our network and their layer with the same weights."""
        import torch

        model = netspec.build(graph, "torch", dtype=dtype).eval()
        kind = getattr(torch, dtype)
        layer = torch.nn.MultiheadAttention(CHANNELS, HEADS, batch_first=True, dtype=kind, **settings).eval()
        names = {
            "qkv.weight": ["in_proj_weight"],
            "qkv.bias": ["in_proj_bias"],
            "output.weight": ["out_proj.weight"],
            "output.bias": ["out_proj.bias"],
            "key.weight": ["k_proj_weight"],
            "value.weight": ["v_proj_weight"],
            "query.weight": ["q_proj_weight"],
        }
        state = {key.partition(".")[2]: value for key, value in model.state_dict().items()}
        wanted = {names[key][0]: value for key, value in state.items() if key in names}
        if "key_value.weight" in state:
            wanted.pop("q_proj_weight")
            for leaf in ("weight", "bias"):
                wanted[f"in_proj_{leaf}"] = torch.cat([state[f"query.{leaf}"], state[f"key_value.{leaf}"]])
        elif "key.bias" in state:
            wanted["in_proj_bias"] = torch.cat([state[f"{part}.bias"] for part in ("query", "key", "value")])
        layer.load_state_dict(wanted)
        return model, layer

    def moved(self, values: dict[str, Floats], dtype: str) -> list[Any]:
        import torch

        return [
            torch.from_numpy(each).to(getattr(torch, dtype)) if each.ndim > 1 else torch.from_numpy(each)
            for each in values.values()
        ]

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_self_attention(self, dtype: Float) -> None:
        model, layer = self.both(SELF, dtype)
        (x,) = self.moved(given(SELF), dtype)
        rows = x.mT
        near(model(x).mT.detach(), layer(rows, rows, rows, need_weights=False)[0].detach(), DTYPES[dtype])

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_a_causal_mask(self, dtype: Float) -> None:
        import torch

        model, layer = self.both(CAUSAL, dtype)
        (x,) = self.moved(given(CAUSAL), dtype)
        rows, hidden = x.mT, torch.ones(QUERIES, QUERIES, dtype=torch.bool).triu(1)
        theirs = layer(rows, rows, rows, attn_mask=hidden, need_weights=False)[0]
        near(model(x).mT.detach(), theirs.detach(), DTYPES[dtype])

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_a_mask_of_numbers_and_keys_that_do_not_count(self, dtype: Float) -> None:
        import torch

        model, layer = self.both(SELF_COUNTED, dtype)
        x, table, lengths = self.moved(given(SELF_COUNTED), dtype)
        rows, hidden = x.mT, torch.arange(QUERIES) >= lengths[:, None]
        minus = torch.zeros(hidden.shape, dtype=x.dtype).masked_fill(hidden, -torch.inf)
        theirs = layer(
            rows, rows, rows, attn_mask=table.flatten(0, 1), key_padding_mask=minus, need_weights=False
        )[0]
        near(model(x, table, lengths).mT.detach(), theirs.detach(), DTYPES[dtype])

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_a_memory_with_lengths(self, dtype: Float) -> None:
        import torch

        model, layer = self.both(CROSS, dtype)
        x, memory, lengths = self.moved(given(CROSS), dtype)
        hidden = torch.arange(KEYS) >= lengths[:, None]
        rows, keys = x.mT, memory.mT
        theirs = layer(rows, keys, keys, key_padding_mask=hidden, need_weights=False)[0]
        near(model(x, memory, lengths).mT.detach(), theirs.detach(), DTYPES[dtype])

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_keys_and_values_of_other_inputs(self, dtype: Float) -> None:
        model, layer = self.both(KEYED, dtype, kdim=6, vdim=10)
        x, keys, values = self.moved(given(KEYED), dtype)
        theirs = layer(x.mT, keys.mT, values.mT, need_weights=False)[0]
        near(model(x, keys, values).mT.detach(), theirs.detach(), DTYPES[dtype])

    def test_the_fused_kernel_runs(self) -> None:
        import torch

        model = netspec.build(CAUSAL, "torch").eval()
        (x,) = self.moved(given(CAUSAL), "float32")
        with (
            torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile,
            torch.no_grad(),
        ):
            model(x)
        names = {each.key for each in profile.key_averages()}
        assert "aten::_scaled_dot_product_flash_attention_for_cpu" in names, names


class TestOfKeras:
    """`keras.layers.MultiHeadAttention` and `GroupQueryAttention`, whose kernels have an axis for the heads."""

    @pytest.fixture(autouse=True)
    def _keras(self) -> None:
        needs("keras")

    def both(self, graph: Graph, layer: Any, dtype: Float, heads: tuple[int, int], size: int) -> Any:
        """Our network, after their layer got the same weights."""
        arrays = {name.partition(".")[2]: value for name, value in initialise(graph, 0, dtype).items()}
        if "qkv.weight" in arrays:
            ends = [heads[0] * size, (heads[0] + heads[1]) * size]
            matrices = np.split(arrays["qkv.weight"], ends)
            biases = np.split(arrays["qkv.bias"], ends)
        else:
            matrices = [arrays["query.weight"], *np.split(arrays["key_value.weight"], 2)]
            biases = [arrays["query.bias"], *np.split(arrays["key_value.bias"], 2)]
        found = []
        for matrix, bias in zip(matrices, biases, strict=True):
            found += [matrix.T.reshape(matrix.shape[1], -1, size), bias.reshape(-1, size)]
        output = arrays["output.weight"].T
        layer.set_weights([*found, output.reshape(heads[0], size, -1), arrays["output.bias"]])
        return netspec.build(graph, "keras", dtype=dtype)

    def rows(self, x: Floats, dtype: str) -> Any:
        from keras import ops

        return ops.convert_to_tensor(np.swapaxes(x, 1, 2), dtype)

    @pytest.mark.parametrize("causal", [False, True])
    def test_self_attention(self, causal: bool) -> None:
        import keras

        graph = CAUSAL if causal else SELF
        layer = keras.layers.MultiHeadAttention(
            HEADS, CHANNELS // HEADS, dtype="float32", flash_attention=False
        )
        x = self.rows(given(graph)["x"], "float32")
        layer(x, x)
        model = self.both(graph, layer, "float32", (HEADS, HEADS), CHANNELS // HEADS)
        near(model(x), layer(x, x, use_causal_mask=causal), 1e-4)

    def test_a_memory_with_lengths(self) -> None:
        import keras
        from keras import ops

        layer = keras.layers.MultiHeadAttention(HEADS, CHANNELS // HEADS, dtype="float32")
        values = given(CROSS)
        x, memory = (self.rows(values[name], "float32") for name in ("x", "m"))
        layer(x, memory)
        model = self.both(CROSS, layer, "float32", (HEADS, HEADS), CHANNELS // HEADS)
        lengths = ops.convert_to_tensor(values["n"])
        mask = ops.convert_to_tensor(np.arange(KEYS) < values["n"][:, None, None])
        near(model({"x": x, "m": memory, "n": lengths}), layer(x, memory, attention_mask=mask), 1e-4)

    def test_grouped_queries(self) -> None:
        import keras

        layer = keras.layers.GroupQueryAttention(5, HEADS, 2, dtype="float32")
        x = self.rows(given(GROUPED)["x"], "float32")
        layer(x, x)
        model = self.both(GROUPED, layer, "float32", (HEADS, 2), 5)
        near(model(x), layer(x, x), 1e-4)
