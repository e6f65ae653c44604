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

SPACE_TO_DEPTH = '''
class SpaceToDepth(layers.Layer):
    """Each block of positions becomes channels, by channel or by place in the block; Keras has none."""

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
    """Blocks of positions become channels in the order of Darknet, which reads the input as a larger map."""

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

HELPERS: dict[str, Helper] = {
    "weighted": Helper(WEIGHTED),
    "SpaceToDepth": Helper(SPACE_TO_DEPTH),
    "DepthToSpace": Helper(DEPTH_TO_SPACE),
    "DarknetReorg": Helper(DARKNET_REORG),
}
