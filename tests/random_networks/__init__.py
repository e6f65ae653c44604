"""Random valid networks: made from a seed, held to every promise of netspec, and shrunk where one is broken.

`python -m tests.random_networks --count 100 --seed 1` runs them.
"""
