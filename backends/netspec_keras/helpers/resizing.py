"""Resizing that Keras does not have, or TensorFlow computes differently."""

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

HELPERS: dict[str, Helper] = {
    "weighted": Helper(WEIGHTED),
}
