"""What the backends that write source share: the shape of generated code, and nothing of any framework.

`outline` turns a graph back into the author's scopes, `parts` is text with holes, `template` makes one
class or function of all uses of a block, `variables` names what flows, `layout` breaks lines as a formatter
would, `names` proves identifiers, `taps` lets the proof watch every layer of exactly that text. `witness` runs
each finished text on `symbols`, and holds every layer in it to that layer's own lowering.
"""
