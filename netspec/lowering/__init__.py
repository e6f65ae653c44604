"""Shared code of the backends that write source: the structure of generated code, without any framework.

`outline` groups the nodes of a graph by the author's scopes. A backend writes each use of a block as `statements` made
of `parts`, which become a `tree`. `template` makes one class or function for all uses: `folding` collects equal
repetitions, `derive` finds an expression for each hole, `writing` turns the tree into source. `variables` names values,
`names` checks identifiers, `layout` breaks lines like a formatter. `taps` lets a comparison read every layer of exactly
this text. `witness` runs each finished text on `symbols` and compares every layer in it with the lowering of that
layer.
"""
