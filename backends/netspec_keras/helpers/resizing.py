"""Changes of sizes that Keras does not have, or TensorFlow computes differently."""

from __future__ import annotations

from netspec_keras.helpers.helper import Helper

WEIGHTED = '''
def weighted(x, axis, shares):
    """Sums of the positions along an axis, of each its share."""
    shares = ops.convert_to_tensor(shares, x.dtype)
    shape = ops.shape(x)
    x = ops.matmul(shares, ops.reshape(x, (*shape[: axis + 1], -1)))
    return ops.reshape(x, (*shape[:axis], shares.shape[0], *shape[axis + 1 :]))
'''

SIZED = '''
def sized(inputs, size):
    """A map, and the size for it: that of a second map if there is none."""
    x, like = inputs if size is None else (inputs, None)
    return x, like.shape[1:-1] if size is None else size
'''

NEAREST_UPSAMPLING = '''
class NearestUpsampling(layers.Layer):
    """Takes values up to a size, or to that of a second map; Keras repeats by a whole factor."""

    def __init__(self, size=None, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs):
        x, sizes = sized(inputs, self.size)
        for axis, size in enumerate(sizes, start=1):
            length = x.shape[axis]
            x = ops.take(x, [self.place(at, length, size) for at in range(size)], axis=axis)
        return x

    def place(self, at, length, size):
        return at * length // size
'''

NEAREST_EXACT = '''
class NearestExact(NearestUpsampling):
    """Takes those in the middle of equal portions."""

    def place(self, at, length, size):
        return (2 * at + 1) * length // (2 * size)
'''

LINEAR_RESIZING = '''
class LinearResizing(layers.Layer):
    """Interpolates axis by axis; TensorFlow's own is rounded, and wrong under XLA."""

    def __init__(self, size=None, factor=None, align_corners=False, **kwargs):
        super().__init__(**kwargs)
        self.size, self.factor, self.align_corners = size, factor, align_corners

    def call(self, inputs):
        x, sizes = inputs, self.size
        if self.factor:
            sizes = [length * factor for length, factor in zip(x.shape[1:-1], self.factor)]
        elif sizes is None:
            x, like = inputs
            sizes = like.shape[1:-1]
        for axis, size in enumerate(sizes, start=1):
            length = x.shape[axis]
            x = weighted(x, axis, [self.shares(at, length, size) for at in range(size)])
        return x

    def place(self, at, length, size):
        if self.align_corners:
            return at * (length - 1) / max(size - 1, 1)
        return (at + 0.5) * length / size - 0.5

    def shares(self, at, length, size):
        """How much of each position of the input is in one of the output."""
        place = min(max(self.place(at, length, size), 0), length - 1)
        return [max(1 - abs(place - near), 0.0) for near in range(length)]
'''

AREA_RESIZING = '''
class AreaResizing(LinearResizing):
    """Averages what an equal portion touches."""

    def shares(self, at, length, size):
        portion = range(at * length // size, -(-(at + 1) * length // size))
        return [(near in portion) / len(portion) for near in range(length)]
'''

CUBIC = '''
def cubic_kernel(x, a):
    """The kernel of a cubic convolution; Keras' backends have different ones."""
    x = abs(x)
    if x < 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * a if x < 2 else 0.0
'''

CUBIC_RESIZING = '''
class CubicResizing(LinearResizing):
    """Interpolates among four positions; those outside are those at the ends."""

    def shares(self, at, length, size):
        place = self.place(at, length, size)
        shares, first = [0.0] * length, int(place // 1) - 1
        for near in range(first, first + 4):
            shares[min(max(near, 0), length - 1)] += cubic_kernel(place - near, -0.75)
        return shares
'''

SMOOTH_LINEAR_RESIZING = '''
class SmoothLinearResizing(LinearResizing):
    """Interpolates with a kernel as wide as the step, so that no position is passed over."""

    def shares(self, at, length, size):
        place, step = self.place(at, length, size), max(length / size, 1)
        shares = [self.kernel((place - near) / step) for near in range(length)]
        return [share / sum(shares) for share in shares]

    def kernel(self, x):
        return max(1 - abs(x), 0.0)
'''

SMOOTH_CUBIC_RESIZING = '''
class SmoothCubicResizing(SmoothLinearResizing):
    """The same with a cubic kernel."""

    def kernel(self, x):
        return cubic_kernel(x, -0.5)
'''

SPACE_TO_DEPTH = '''
class SpaceToDepth(layers.Layer):
    """Blocks of positions become channels, by channel or by place in the block."""

    def __init__(self, block_size, order="crd", **kwargs):
        super().__init__(**kwargs)
        self.block_size, self.order = block_size, order

    def call(self, inputs):
        *sizes, channels = inputs.shape[1:]
        block, rank = self.block_size, len(sizes)
        split = [part for size in sizes for part in (size // block, block)]
        blocks, places = range(1, 2 * rank, 2), range(2, 2 * rank + 1, 2)
        last = (2 * rank + 1, *places) if self.order == "crd" else (*places, 2 * rank + 1)
        x = ops.reshape(inputs, (-1, *split, channels))
        x = ops.transpose(x, (0, *blocks, *last))
        return ops.reshape(x, (-1, *(size // block for size in sizes), channels * block**rank))
'''

DEPTH_TO_SPACE = '''
class DepthToSpace(layers.Layer):
    """Channels become blocks of positions, by channel or by place in the block; Keras has none."""

    def __init__(self, block_size, order="crd", **kwargs):
        super().__init__(**kwargs)
        self.block_size, self.order = block_size, order

    def call(self, inputs):
        *sizes, channels = inputs.shape[1:]
        block, rank = self.block_size, len(sizes)
        channels //= block**rank
        split = (channels, *[block] * rank) if self.order == "crd" else (*[block] * rank, channels)
        x = ops.reshape(inputs, (-1, *sizes, *split))
        first, own = (rank + 2, rank + 1) if self.order == "crd" else (rank + 1, 2 * rank + 1)
        pairs = [axis for at in range(rank) for axis in (at + 1, at + first)]
        x = ops.transpose(x, (0, *pairs, own))
        return ops.reshape(x, (-1, *(size * block for size in sizes), channels))
'''

DARKNET_REORG = '''
class DarknetReorg(layers.Layer):
    """Blocks become channels in the order of Darknet, which reads the input as a larger map."""

    def __init__(self, block_size, **kwargs):
        super().__init__(**kwargs)
        self.block_size = block_size

    def call(self, inputs):
        height, width, channels = inputs.shape[1:]
        block = self.block_size
        x = ops.transpose(inputs, (0, 3, 1, 2))
        x = ops.reshape(x, (-1, channels // block**2, height, block, width, block))
        x = ops.transpose(x, (0, 3, 5, 1, 2, 4))
        x = ops.reshape(x, (-1, channels * block**2, height // block, width // block))
        return ops.transpose(x, (0, 2, 3, 1))
'''

CHANNEL_PADDING = '''
class ChannelPadding(layers.Layer):
    """Pads channels with one value, mirrored, or with the outermost; Keras pads positions only."""

    def __init__(self, channels, mode="constant", value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.mode, self.value = channels, mode, value

    def call(self, inputs):
        before, after = self.channels
        if self.mode == "constant":
            pads = ((0, 0),) * (len(inputs.shape) - 1)
            return ops.pad(inputs, (*pads, (before, after)), constant_values=self.value)
        last = inputs.shape[-1] - 1
        places = range(-before, last + 1 + after)
        if self.mode == "reflect":
            places = [last - abs(last - abs(at)) for at in places]
        return ops.take(inputs, [min(max(at, 0), last) for at in places], axis=-1)
'''

CHANNEL_CROPPING = '''
class ChannelCropping(layers.Layer):
    """Without the first and the last channels; Keras crops positions only."""

    def __init__(self, channels, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels

    def call(self, inputs):
        first, last = self.channels
        return inputs[..., first : inputs.shape[-1] - last]
'''

HELPERS: dict[str, Helper] = {
    "weighted": Helper(WEIGHTED),
    "sized": Helper(SIZED),
    "NearestUpsampling": Helper(NEAREST_UPSAMPLING, needs=("sized",)),
    "NearestExact": Helper(NEAREST_EXACT, needs=("NearestUpsampling",)),
    "LinearResizing": Helper(LINEAR_RESIZING, needs=("weighted",)),
    "AreaResizing": Helper(AREA_RESIZING, needs=("LinearResizing",)),
    "cubic_kernel": Helper(CUBIC),
    "CubicResizing": Helper(CUBIC_RESIZING, needs=("LinearResizing", "cubic_kernel")),
    "SmoothLinearResizing": Helper(SMOOTH_LINEAR_RESIZING, needs=("LinearResizing",)),
    "SmoothCubicResizing": Helper(SMOOTH_CUBIC_RESIZING, needs=("SmoothLinearResizing", "cubic_kernel")),
    "SpaceToDepth": Helper(SPACE_TO_DEPTH),
    "DepthToSpace": Helper(DEPTH_TO_SPACE),
    "DarknetReorg": Helper(DARKNET_REORG),
    "ChannelPadding": Helper(CHANNEL_PADDING),
    "ChannelCropping": Helper(CHANNEL_CROPPING),
}
