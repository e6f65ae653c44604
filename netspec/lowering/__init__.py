"""What the backends that write source share: the shape of generated code, and nothing of any framework.

`outline` turns a graph back into the author's scopes. A backend writes each use of a block in `statements` of `parts`,
which become a `tree`. `template` makes one class or function of all uses: `folding` gathers repetitions, `derive` finds
what stands in each hole, `writing` writes the tree out. `variables` names what flows, `names` proves identifiers,
`layout` breaks lines as a formatter would. `taps` lets the proof watch every layer of exactly that text; `witness` runs
each finished text on `symbols` and compares every layer in it with that layer's own lowering.
"""
