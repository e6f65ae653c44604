"""Small networks, one for each way in which scopes, repeats, sharing and names can meet; for every backend's suite."""

from __future__ import annotations

from textwrap import dedent

from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.loading import graph_of_text

STRUCTURES: dict[str, str] = {
    "chain": """
        input: [3, 8, 8]
        layers: [{conv: {filters: 4, kernel: 3}}, relu, flatten, {dense: 5}]
    """,
    "names": """
        input: [2, 6, 6]
        layers:
          - conv: {filters: 3, kernel: 1}
            name: class
          - conv: {filters: 3, kernel: 1}
            name: train
          - conv: {filters: 3, kernel: 1}
            name: train_
          - {relu: , name: half}
          - conv: {filters: 3, kernel: 1}
            name: forward
          - {batch_norm: , name: self}
          - {dense: {units: 4}, name: torch}
          - {tanh: , name: x}
          - {add: , from: [half, forward], name: nn}
          - {add: , from: [class, nn], name: F}
          - {name: super, layers: [relu, {dense: {units: 2}, name: layers}, {identity: , name: lambda}]}
          - {dense: {units: 2}, name: keras}
          - {dense: {units: 2}, name: ops}
          - {dense: {units: 2}, name: name}
        heads:
          import: {from: torch, layers: [global_avg_pool]}
    """,
    "arguments": """
        input: [3, 6, 6]
        blocks:
          inner: {params: {Inner: , nn: }, layers: [{conv: {filters: $Inner, kernel: $nn, padding: same}}]}
          unit:
            params: {i: , range: , self: , inner: , Inner: 2, x: 1, class: 2, name: 3}
            layers:
              - {inner: {Inner: "${i + index * range}", nn: $self}, repeat: $x}
              - {dense: "${inner + range}"}
              - {inner: {Inner: $inner, nn: $self}, repeat: "${class + 2}"}
              - {dense: $Inner}
              - {dense: $name}
        layers:
          - {unit: {i: 4, range: 2, self: 3, inner: 5, x: 4, class: 3, name: 6}}
          - {unit: {i: 7, range: 3, self: 1, inner: 6, Inner: 9, x: 5}}
          - {unit: {i: 5, range: 1, self: 2, inner: 4, x: 6, name: 7}}
    """,
    "kept": """
        input: [4, 12, 12]
        blocks:
          part:
            params: {row: , values: , stride: 1}
            layers:
              - {conv: {filters: "${row[0]}", kernel: 3, stride: $stride, padding: same}}
              - {conv: {filters: "${row[1]}", kernel: 1}, name: cut}
              - {crop: "${row[2]}"}
              - {reshape: [$values, "${in.channels * in.height * in.width // values}"]}
        layers:
          - {part: {row: [4, 6, 2], values: 8}, from: input, name: whole}
          - {part: {row: [5, 8, 1], values: 4, stride: 2}, from: input, name: half}
        heads:
          plain: {from: whole, layers: [{crop: 0}, relu, {crop: 0}, {dense: 2}]}
    """,
    "residual": """
        input: [3, 8, 8]
        blocks:
          unit:
            params: {filters: , stride: 1}
            layers:
              - add:
                  - [{conv: {filters: $filters, kernel: 3, stride: $stride, padding: half}}, batch_norm, relu,
                     {conv: {filters: $filters, kernel: 3, padding: half}}]
                  - [{when: "${stride > 1 or in.channels != filters}",
                      layers: [{conv: {filters: $filters, kernel: 1, stride: $stride}}]}]
              - relu
        layers:
          - {unit: {filters: 4}, repeat: 3, name: stage1}
          - {unit: {filters: 6, stride: "${2 if index == 0 else 1}"}, repeat: 5}
          - {unit: {filters: 8, stride: "${2 if index == 0 else 1}"}, repeat: 4}
          - global_avg_pool
    """,
    # Indices go through blocks, out of groups and repetitions, and to two layers; of equal values the first counts.
    # Layers that do nothing at the ends of blocks and heads, which no text writes.
    "idle_ends": """
        input: [2, 6, 6]
        blocks:
          ends: {layers: [{crop: 0}, {conv: {filters: 4, kernel: 3, padding: same}}, {pad: 0}, relu, {crop: 0}]}
          end: {layers: [{conv: {filters: 4, kernel: 1}}, {crop: 0, name: last}, {pad: 0}]}
        layers: [{crop: 0}, {ends: , repeat: 2}, end, {crop: 0, name: kept}, {add: [kept, [relu]]}, {pad: 0}]
        heads:
          one: {layers: [{crop: 0}]}
          two: {from: end1, layers: [{crop: 0}, relu, {pad: 0}]}
    """,
    "unpooled": """
        input: [3, 11, 8]
        blocks:
          down:
            params: {filters: }
            layers:
              - {conv: {filters: $filters, kernel: 3, padding: same, activation: relu}}
              - {max_pool: {kernel: 2, rounding: ceil}, name: pool}
          up:
            inputs: [x, where]
            params: {filters: }
            layers:
              - {max_unpool: , from: [x, where]}
              - {conv: {filters: $filters, kernel: 3, padding: same}}
              - relu
        layers:
          - {down: {filters: 4}, name: d1}
          - {down: {filters: 6}, name: d2}
          - {layers: [{conv: {filters: 6, kernel: 1}}, {max_pool: {kernel: [3, 2], padding: same}}], name: d3}
          - {dense: 6, name: code}
          - {up: {filters: 6}, from: [code, d3.indices], name: u3}
          - {up: {filters: 4}, from: [u3, d2.pool.indices], name: u2}
          - {up: {filters: 3}, from: [u2, d1.indices], name: u1}
          - {scale_by: 0}
          - {max_pool: 3, name: flat}
          - {max_unpool: , from: [flat, flat.indices]}
        heads:
          again: {from: u3, layers: [{max_unpool: , from: [u3, d2.indices]}, {dense: 2}]}
    """,
    "unpooled_evenly": """
        input: [2, 8, 8]
        layers:
          - {conv: {filters: 3, kernel: 3, padding: same}}
          - {max_pool: 2, repeat: 2, name: pools}
          - {max_unpool: , from: [pools.1, pools.1.indices], name: half}
          - {batch_norm: , name: normal}
          - {max_unpool: , from: [normal, pools.0.indices]}
          - {dense: 2}
    """,
    "growing": """
        input: [4, 6, 6]
        blocks:
          layer:
            params: {growth: 2}
            layers:
              - concat: [[], [batch_norm, relu, {conv: {filters: $growth, kernel: 3, padding: same}}]]
          dense_block:
            params: {count: , growth: 2}
            layers: [{layer: {growth: $growth}, repeat: $count}]
        layers:
          - {layer: , repeat: 6}
          - {dense_block: {count: 4, growth: 3}}
          - {max_pool: 2}
          - {dense_block: {count: 4, growth: 3}}
          - {dense_block: {count: 5}}
          - flatten
    """,
    "starts": """
        input: [4, 9, 9]
        defaults: {conv: {init: he_normal, padding: same}}
        blocks:
          unit:
            params: {how: lecun_normal, groups: 1}
            layers:
              - add:
                  - [{conv: {filters: 8, kernel: 3}}, relu,
                     {separable_conv: {filters: 6, kernel: 3, padding: same, init: glorot_normal}},
                     {conv: {filters: 4, kernel: 3, init: $how, groups: $groups}},
                     {batch_norm: },
                     {conv: {filters: 4, kernel: 3, init: {constant: 0.125}, bias_init: {constant: -1}}}]
                  - []
        layers:
          - {conv: {filters: 4, kernel: 3}, repeat: 3}
          - {unit: , repeat: 3, name: stage}
          - {unit: {how: orthogonal, groups: 2}}
          - {unit: {how: glorot_uniform, groups: 2}}
          - {unit: {how: lecun_uniform}}
          - {prelu: }
          - {prelu: {init: {constant: 0.5}}}
          - {depthwise_conv: {kernel: 3, multiplier: 2, init: glorot_uniform}}
          - {conv_transpose: {filters: 6, kernel: 3, init: he_uniform, bias_init: {uniform: {low: -1, high: 1}}}}
          - {conv_transpose: {filters: 6, kernel: 3, groups: 2, init: he_uniform}}
          - {conv: {filters: 6, kernel: 3, table: [[0], [1, 2], [3, 4, 5], [5], [1], [2]], init: lecun_uniform}}
          - {scale: {init: {normal: 0.5}}}
          - {dense: {units: 6, init: lecun_uniform, bias_init: glorot_normal}}
          - {rbf: {units: 3, init: {normal: 2}}}
    """,
    "starts_shared": """
        input: [4, 9, 9]
        blocks:
          unit: {layers: [{conv: {filters: 4, kernel: 3, padding: same, init: {constant: 0.5}}, name: a}, relu,
                          {conv: {filters: 4, kernel: 1, groups: 2, init: orthogonal}, name: b}]}
        layers:
          - {conv: {filters: 4, kernel: 3, padding: same, init: glorot_uniform}, name: first}
          - {unit: , name: one}
          - {conv: {filters: 4, kernel: 3, padding: same, init: he_uniform}, share: one.a}
          - {unit: , name: two, share: one}
          - {unit: , name: three}
          - {conv: {filters: 4, kernel: 3, init: {constant: 2}}, share: first}
          - {dense: {units: 4, init: {constant: 3}}, name: d}
          - {dense: {units: 4, init: ones}, share: d}
          - {dense: {units: 4}}
    """,
    "starts_alike": """
        input: [2, 4]
        blocks:
          rare:
            layers:
              - {conv: {filters: 3, kernel: 1, init: he_normal}, repeat: 2, name: first}
              - {conv: {filters: 4, kernel: 1, init: he_normal}, repeat: 2, name: second}
              - {conv: {filters: 5, kernel: 1, init: he_normal}, name: last}
        layers: [rare, {conv: {filters: 3, kernel: 1}, repeat: 6}]
    """,
    "half_padded": """
        input: [2, 12]
        blocks:
          unit: {params: {kernel: , stride: 1},
                 layers: [{conv: {filters: 2, kernel: $kernel, stride: $stride, padding: half}}, relu]}
          edge: {params: {padding: , stride: 1},
                 layers: [{conv: {filters: 2, kernel: 3, stride: $stride, padding: $padding}}, relu]}
        layers: [{unit: {kernel: 1}}, {unit: {kernel: 3}}, {unit: {kernel: 3, stride: 2}}, {unit: {kernel: 1}},
                 {edge: {padding: 0}}, {edge: {padding: 1, stride: 2}}]
    """,
    "shared_again": """
        input: [4, 6]
        blocks: {unit: {layers: [{dense: 4}, relu]}}
        layers:
          - {dense: 4, name: step}
          - {dense: 4, share: step, repeat: 3, name: steps}
          - {unit: , name: first}
          - {unit: , share: first, repeat: 4, name: more}
          - {repeat: 2, layers: [{dense: 4, share: step}, {unit: , share: first}, {dense: 4}], name: both}
    """,
    # Uses that differ in more than numbers, and that one definition serves.
    "one_definition": """
        input: [2, 16, 16]
        blocks:
          patches:
            params: {patch: , filters: }
            layers: [{space_to_depth: $patch, when: "${patch > 1}"}, {conv: {filters: $filters, kernel: 1}}]
          unit:
            params: {filters: , kernel: 1, stride: 1}
            layers: [{conv: {filters: $filters, kernel: $kernel, stride: $stride, padding: half}}, relu]
          inverted:
            params: {expansion: , filters: }
            layers:
              - conv: {filters: "${expansion * in.channels}", kernel: 1}
                name: expand
                when: "${expansion > 1}"
              - {depthwise_conv: {kernel: 3, padding: same}, name: depthwise}
              - {conv: {filters: $filters, kernel: 1}, name: project}
          turns:
            params: {filters: , count: }
            layers:
              - unit: {filters: "${filters // (1 + index % 2)}", kernel: "${3 - 2 * (index % 2)}"}
                repeat: $count
          scaled:
            params: {factor: , first: true}
            layers: [{add: [[{tanh: , when: $first}, {conv: {filters: 8, kernel: 1}}, {scale_by: $factor}], []]}]
        layers:
          - patches: {patch: 2, filters: 3}
          - patches: {patch: 1, filters: 4}
          - unit: {filters: 4, kernel: 5, stride: 2}
          - unit: {filters: 4, kernel: 3, stride: 2}
          - unit: {filters: 6}
          - inverted: {expansion: 1, filters: 5}
          - inverted: {expansion: 2, filters: 5}
          - inverted: {expansion: 2, filters: 2}
          - turns: {filters: 4, count: 3}
          - turns: {filters: 8, count: 5}
          - scaled: {factor: 0.1}
          - scaled: {factor: 0.5, first: false}
          - {repeat: 2, layers: [{dense: 8}, sigmoid]}
    """,
    "first_optional": """
        input: [4, 6]
        blocks:
          unit:
            params: {first: true}
            layers: [{add: [[{relu: , when: $first}, {conv: {filters: 4, kernel: 1}}, relu], []]}]
        layers: [{unit: {first: false}}, unit, unit]
    """,
    "repeated_ops": """
        input: [3, 9]
        layers:
          - {conv: {filters: 4, kernel: 3, activation: relu}, repeat: 3}
          - {relu: , repeat: 2}
          - {add: [[{dense: 4, repeat: 2}], []]}
          - {dense: "${index + 2}", repeat: 3, name: shrinking}
          - {conv: {filters: 2, kernel: 2, padding: same}, repeat: 2, name: padded}
          - {add: , from: [padded.0, padded.1]}
          - {layers: [{dense: 3}, tanh], repeat: 3, name: pairs}
          - {concat: , from: pairs.*.tanh1}
    """,
    "repeated_merges": """
        input: [4, 6, 6]
        blocks:
          unit: {layers: [{add: [[], [{conv: {filters: 4, kernel: 3, padding: same}}, relu]], repeat: 2}]}
        layers:
          - {add: [[], [{dense: 4}, tanh]], repeat: 3, name: steps}
          - {concat: [[], [{dense: "${index + 1}", name: grown}]], repeat: 2}
          - {multiply: [[], [{add: [[], [{conv: {filters: "${in.channels}", kernel: 1}}]]}]], repeat: 2}
          - {dense: 4}
          - {unit: , repeat: 2, name: units}
          - {unit: , share: units.1}
          - {add: [[], [{add: , from: steps.*}]]}
        heads:
          inner: {from: steps.1.dense1, layers: [{maximum: [[relu], []], repeat: 2}]}
    """,
    # What a permute gives lies in memory in another order, which PyTorch's views refuse.
    "permuted_views": """
        input: [5, 2, 6, 4]
        layers:
          - {permute: [height, depth, channels, width]}
          - {local_response_norm: {size: 3}}
          - {permute: [width, channels, height, depth]}
          - {add: [[{local_response_norm: {size: 2}}], [{l2_norm: }], [{batch_norm: }],
                   [{space_to_depth: 1}], [{group_norm: {groups: 2}}], [{avg_pool: {kernel: 1}}]]}
          - {permute: [depth, channels, height, width]}
          - {reshape: [4, -1]}
          - {permute: [time, channels]}
          - {local_response_norm: {size: 3}}
          - {upsample: {factor: 2, mode: linear}}
          - flatten
          - {dense: 3}
    """,
    "activations": """
        input: [4, 6, 6]
        blocks:
          unit: {params: {act: }, layers: [{conv: {filters: 4, kernel: 1, activation: $act}},
                                           {dense: {units: 4, activation: $act}}, {scale: {activation: $act}}]}
        layers: [{unit: none}, {unit: relu}, {unit: {act: tanh}}, {unit: none}, {unit: hard_sigmoid}]
    """,
    "variables": """
        input: [3, 5, 5]
        blocks:
          x: {params: {filters: }, layers: [{dense: $filters}, relu]}
          y: {layers: [{x: 3}, {x: 4}, {x: 3}]}
          z: {inputs: [a, b, c, d], layers: [{add: , from: [a, b, c, d]}, {x: 3}]}
          rows: {layers: [{x: {filters: 3}, repeat: 3}]}
          inputs: {layers: [{add: [[], [{y: }], [{rows: }]]}]}
          x1: {layers: [{inputs: }]}
        layers:
          - {inputs: , repeat: 2, name: first}
          - {x1: , name: second}
          - {z: , from: [first, second, second, input]}
          - {rows: , repeat: 2}
    """,
    "gaps": """
        input: [2, 4, 4]
        blocks:
          unit: {layers: [{conv: {filters: 2, kernel: 1}}, relu]}
        layers:
          - {unit: , repeat: 4, when: "${index != 1}", name: stage}
          - {conv: {filters: 2, kernel: 1}, repeat: 3, when: "${index != 0}", name: convs}
          - {unit: , repeat: 2, when: "${index == 1}", else: [{dense: 2}], name: mixed}
    """,
    "skips": """
        input: [3, 16, 16]
        blocks:
          down: {params: {filters: }, layers: [{conv: {filters: $filters, kernel: 3, padding: same}},
                                              {relu: , name: skip}, {max_pool: 2}]}
        layers:
          - {down: {filters: 4}, name: outer}
          - {down: {filters: 6}, name: deeper}
          - {conv: {filters: 8, kernel: 1}, name: bottom}
          - {concat: [[], [{from: deeper.skip, layers: [{max_pool: 2}]}]]}
          - {add: [[{conv: {filters: 4, kernel: 1}}], [{from: outer.skip, layers: [{max_pool: 4}]}]]}
    """,
    "many_skips": """
        input: [2, 12]
        blocks:
          layer:
            params: {dilation: }
            layers:
              - {conv: {filters: 2, kernel: 2, padding: causal, dilation: $dilation, activation: tanh}, name: gate}
              - {conv: {filters: 3, kernel: 1}, name: skip}
              - {add: , from: [gate, input_], name: out}
            inputs: [input_]
        layers:
          - {layer: {dilation: "${2 ** index}"}, repeat: 4, name: layers}
          - {add: , from: layers.*.skip}
          - relu
    """,
    # What stacks of layers give besides is added up, and every merge takes such a list.
    "stacks": """
        input: [2, 12]
        defaults: {conv: {filters: 2, kernel: 2, padding: causal}}
        blocks:
          unit:
            params: {dilation: }
            inputs: [signal]
            layers:
              - {conv: {dilation: $dilation, activation: tanh}, name: gate}
              - {conv: {filters: 3, kernel: 1}, name: skip}
              - {add: , from: [gate, signal]}
          stack:
            layers:
              - {unit: {dilation: "${3 * 2 ** index}"}, repeat: 3, name: layers}
        layers:
          - {stack: , repeat: 2, name: stacks}
          - {conv: {filters: 3}, name: last}
          - {add: , from: [stacks.*.layers.*.skip, last]}
          - relu
    """,
    "lists": """
        input: [2, 6, 6]
        defaults: {conv: {filters: 2, kernel: 3, padding: same}}
        blocks:
          level:
            layers:
              - {conv: {activation: tanh}, name: entry}
              - {dense: 3, name: side}
              - {conv: , from: entry, name: deep}
          all:
            inputs: [x, side]
            layers:
              - {concat: , from: [x, side]}
              - {dense: 2}
        layers:
          - {level: , repeat: 4, name: levels}
          - {conv: {activation: relu}, repeat: 4, name: taps}
          - {concat: , from: taps.*, name: wide}
          - {average: , from: levels.*.side, name: mean}
          - {maximum: , from: levels.*.side, name: most}
          - {multiply: , from: levels.*.side, name: product}
          - {concat: , from: [wide, levels.*.entry, taps.3, mean, most, product]}
        heads:
          again: {from: taps, layers: [{concat: , from: [levels.*.side, taps]}, {dense: 2}]}
    """,
    "trunk": """
        input: [3, 8, 8]
        defaults: {conv: {filters: 4, kernel: 3, padding: same}}
        blocks:
          trunk:
            layers:
              - {conv: , name: fine}
              - max_pool: 2
              - {conv: {activation: relu}, repeat: 2, name: deep}
              - max_pool: 2
              - conv:
        layers:
          - trunk: {}
          - upsample: 2
          - {add: , from: [upsample1, trunk1.deep], name: deep}
          - upsample: 2
          - {conv: , name: fine}
          - {add: , from: [fine, trunk1.fine]}
          - relu
    """,
    "kept_ends": """
        input: [4, 8, 8]
        defaults: {conv: {filters: 4, kernel: 3, padding: same, activation: relu}}
        layers:
          - {max_pool: 2, name: half}
          - {conv: , repeat: 3, name: deep}
          - {conv: , repeat: 2, name: short}
          - {add: , from: [half, deep, short]}
          - {conv: {filters: 6}, name: wide}
          - {conv: {filters: 6}, repeat: 2, name: two}
          - {add: , from: [wide, two]}
    """,
    "wanted_before_the_end": """
        input: [4, 8]
        defaults: {conv: {filters: 4, kernel: 3, padding: same, activation: relu}}
        blocks:
          unit: {layers: [{tanh: , repeat: 4, name: bent}, {dense: 4}, {add: , from: [bent.2, dense1]}]}
        layers:
          - {relu: , repeat: 3, name: first}
          - {batch_norm: , name: middle}
          - {add: , from: [middle, first.1]}
          - {conv: , repeat: 4, name: convs}
          - {add: , from: [convs, convs.2]}
          - {unit: , repeat: 2}
    """,
    "borrowed_loops": """
        input: [2, 8]
        blocks:
          inner: {layers: [{add: [[], [{identity: , repeat: 3}, {conv: {filters: 2, kernel: 2, padding: causal}}]]}]}
          outer: {layers: [{layers: [{relu: , repeat: 2}, {inner: }], repeat: 2}, {inner: , name: last}]}
        layers:
          - {outer: , name: one}
          - {max_pool: 2}
          - {outer: , name: two, share: one}
    """,
    "called_as_variables": """
        input: [2, 6]
        blocks:
          x: {params: {k: }, layers: [{conv: {filters: "${in.channels}", kernel: $k, padding: same}, name: channels}]}
          unit:
            layers: [{name: part, layers: [{prelu: , name: channels}, relu]}, {batch_norm: , name: call}, {x: 3}]
        layers:
          - {x: 1, name: y}
          - {unit: , name: c}
          - {unit: , name: d, share: c}
          - {dense: 3, name: channels}
          - {x: 2, name: inputs}
          - {x: 3, name: i}
    """,
    "called_as_helpers": """
        input: [4, 6, 6]
        blocks:
          uncentred_layer_norm: {layers: [{layer_norm: {center: false}}, {dense: 4}]}
          frozen_unscaled_batch_norm2d: {layers: [relu]}
          scale_by2: {layers: [{scale: }]}
          maximum2: {layers: [{maximum: [[], [{dense: 1}]]}]}
          add2: {layers: [{add: [[], [{dense: 1}]]}, {average: [[], [{dense: 1}]]}]}
        layers:
          - uncentred_layer_norm
          - {batch_norm: {scale: false}, trainable: false}
          - frozen_unscaled_batch_norm2d
          - scale_by2
          - maximum2
          - add2
    """,
    "borrowed_with_other_inputs": """
        inputs: {left: [3, 8], right: [3, 8]}
        blocks:
          gate: {inputs: [p, q], layers: [{conv: {filters: 3, kernel: 1}}, {multiply: , from: [conv1, q]}]}
        layers:
          - {gate: , from: [left, left], name: one}
          - {gate: , from: [one, right], name: two, share: one}
          - {gate: , from: [right, two], name: three, share: one}
    """,
    "two_inputs": """
        inputs: {image: [3, 8, 8], code: [4]}
        blocks:
          gate: {inputs: [x, signal], layers: [{conv: {filters: 4, kernel: 1}}, {multiply: , from: [conv1, signal]}]}
        layers:
          - {gate: , from: [image, code]}
          - {relu: , name: gated}
          - {gate: , from: [gated, code]}
          - {gate: , from: [gate2, gate2]}
    """,
    "siamese": """
        inputs: {left: [1, 8, 8], right: [1, 8, 8]}
        blocks:
          tower:
            layers:
              - {conv: {filters: 3, kernel: 3}, name: first}
              - {batch_norm: , trainable: false}  # one that learns: Keras updates its statistics in an order of its own
              - relu
              - {inner: }
              - flatten
          inner: {layers: [{dense: 4}, {name: deep, layers: [{dense: 4}]}]}
        layers:
          - {tower: , from: left, name: one}
          - {tower: , from: right, name: two, share: one}
          - {tower: , from: right, name: three, share: one}
          - {concat: , from: [one, two, three]}
          - {dense: 5}
          - {add: , from: [dense1, two.first2]}
    """.replace("          - {add: , from: [dense1, two.first2]}\n", ""),
    "tied": """
        input: [4, 6, 6]
        blocks:
          unit: {layers: [{dense: 4, name: inner}, relu]}
          bordered: {params: {by: }, layers: [{conv: {filters: 4, kernel: 3, padding: $by}}]}
        layers:
          - {dense: 4, name: first}
          - {dense: 4, share: first}
          - {name: group, layers: [{dense: 4, share: first}, relu]}
          - {unit: , name: unit_a}
          - {dense: 4, share: unit_a.inner}
          - {name: deep, layers: [{name: deeper, layers: [{dense: 4, share: unit_a.inner}]}]}
          - {bordered: {by: 1}, name: even}
          - {bordered: {by: [[2, 0], [0, 2]]}, share: even}
          - {unit: , repeat: 2, share: unit_a}
    """,
    "tied_with_another_activation": """
        input: [4, 6, 6]
        blocks:
          end: {params: {act: , kernel: 1}, layers: [{conv: {filters: 4, kernel: $kernel, activation: $act}}]}
          unit: {params: {act: }, layers: [{dense: {units: 4, activation: $act}}]}
        layers:
          - {dense: {units: 4, activation: relu}, name: first}
          - {dense: 4, share: first}
          - {end: {act: tanh, kernel: 3}, name: whole}
          - {end: {act: none, kernel: 3}, share: whole}
          - {unit: {act: softmax}, name: unit_a}
          - {unit: {act: none}, share: unit_a}
    """,
    "taps_of_shared": """
        inputs: {left: [2, 8, 8], right: [2, 8, 8]}
        blocks:
          tower: {layers: [{conv: {filters: 3, kernel: 3}, name: first}, relu, {conv: {filters: 3, kernel: 3}}]}
        layers:
          - {tower: , from: left, name: one}
          - {tower: , from: right, name: two, share: one}
          - {add: , from: [one, two]}
          - {flatten: , name: both}
          - {flatten: , from: two.first, name: tap}
          - {concat: , from: [both, tap]}
    """,
    "shared_in_part": """
        input: [4]
        blocks:
          inner: {layers: [{dense: 4}, batch_norm]}
          bend: {params: {bent: }, layers: [{relu: , when: $bent}]}
          outer: {params: {bent: true}, layers: [{inner: }, {tanh: , when: $bent}, {inner: , name: last}]}
        layers:
          - {outer: {bent: true}, name: one}
          - {outer: {bent: false}, name: two, share: one}
          - {outer: {bent: false}, name: three, share: two}
          - {bend: {bent: false}, name: nothing}
          - {bend: {bent: true}, share: nothing}
    """,
    "shared_on_and_on": """
        input: [4, 6]
        blocks:
          unit: {layers: [{dense: 4}, batch_norm, {dense: 4, share: dense1}]}
          pair: {layers: [{unit: , name: first}, {unit: , name: second, share: first}]}
        layers:
          - {pair: , name: one}
          - {pair: , name: two, share: one}
          - {pair: , name: three, share: two}
          - {unit: , name: alone}
          - {unit: , name: again, share: alone}
          - {unit: , share: again}
          - {conv: {filters: 4, kernel: 3, padding: same}, name: even}
          - {conv: {filters: 4, kernel: 3, padding: causal}, name: past, share: even}
          - {conv: {filters: 4, kernel: 3, padding: [[0, 2]]}, name: future, share: past}
          - {conv: {filters: 4, kernel: 3, padding: causal}, share: future}
    """,
    "shared_on_two_sizes": """
        input: [2, 8, 8]
        blocks:
          unit: {layers: [{conv: {filters: 2, kernel: 1}}, {upsample: {size: 16}}]}
          pool: {layers: [{avg_pool: {kernel: 4, padding: same}}, relu]}
        layers:
          - {unit: , name: one}
          - {avg_pool: {kernel: 2, stride: 1}, from: input, name: small}
          - {unit: , name: two, share: one}
          - {add: , from: [one, two]}
          - {pool: , name: third}
          - {pool: , name: fourth, share: third}
          - {pool: , name: fifth, share: third}
    """,
    "shared_with_other_pads": """
        input: [3, 8]
        blocks:
          unit:
            params: {k: }
            layers:
              - {conv: {filters: 3, kernel: $k, padding: causal}, name: past}
              - {conv: {filters: 3, kernel: $k, padding: same}, share: past}
              - {conv: {filters: 3, kernel: $k, padding: causal}, share: past}
        layers:
          - {unit: 2}
          - {unit: 4}
          - {unit: 1}
    """,
    "pools_that_pad": """
        input: [2, 5, 4]
        blocks:
          unit:
            params: {kernel: , by: same}
            layers:
              - {conv: {filters: 2, kernel: $kernel, padding: same}}
              - {max_pool: {kernel: 2, stride: 1, padding: $by}}
        layers:
          - {unit: {kernel: 1}}
          - {unit: {kernel: 2}}
          - {unit: {kernel: 2, by: [[0, 1], [1, 1]]}}
          - {unit: {kernel: 3, by: valid}}
    """,
    "short_branches": """
        inputs: {map: [3, 3], code: [3]}
        layers:
          - {dense: 1, from: map, name: flat}
          - {add: , from: [map, flat], name: first}
          - {average: , from: [first, flat, map], name: second}
          - {add: , from: [flat, second], name: third}
          - {add: , from: [third, code]}
          - {average: , from: [add3, code]}
          - {multiply: , from: [average2, flat]}
          - {subtract: , from: [multiply1, flat]}
          - {maximum: , from: [subtract1, flat]}
    """,
    "inputs_of_any_name": """
        inputs: {i: [3, 8], layer: [3, 8], x: [3, 8], name: [3, 8], range: [3, 8], inputs: [3, 8]}
        layers:
          - {add: , from: [i, layer, x, name, range, inputs]}
          - {conv: {filters: 3, kernel: 3, padding: same}, repeat: 3}
          - {conv: {filters: 3, kernel: 1}, repeat: 3, name: channels}
    """,
    "frozen": """
        input: [3, 8, 8]
        blocks:
          unit: {layers: [{conv: {filters: 3, kernel: 1}}, batch_norm, relu]}
        layers:
          - {unit: , repeat: 2, trainable: false, name: trunk}
          - {unit: , name: alive}
          - {unit: , trainable: false, name: still}
          - {conv: {filters: 4, kernel: 1}, trainable: false}
          - {batch_norm: , trainable: false}
          - {conv: {filters: 4, kernel: 3}, repeat: 2, trainable: false}
          - {flatten: }
          - {dense: 3}
    """,
    "heads": """
        input: [3, 8, 8]
        layers:
          - {conv: {filters: 4, kernel: 3}}
          - {relu: , name: trunk}
          - {conv: {filters: 4, kernel: 3}}
          - flatten
          - {dense: 5}
        heads:
          aux: {from: trunk, layers: [global_avg_pool, {dense: 2}, softmax]}
          class: {from: trunk, layers: [flatten, {dense: 3, name: final}]}
    """,
    "alike_heads": """
        input: [3, 8, 8]
        blocks:
          score: {params: {filters: }, layers: [{conv: {filters: $filters, kernel: 1}}]}
        layers:
          - {conv: {filters: 4, kernel: 3, activation: relu}, name: fine}
          - {conv: {filters: 6, kernel: 3, stride: 2, activation: relu}, name: coarse}
        heads:
          small: {from: fine, layers: [{score: {filters: 5}}]}
          deep: {from: coarse, layers: [global_avg_pool, {dense: 2}]}
          large: {from: coarse, layers: [{score: {filters: 5}}]}
    """,
    "projected": """
        input: [4, 8, 8]
        defaults: {conv: {bias: false}}
        blocks:
          unit:
            params: {filters: , stride: 1, wide: false}
            layers:
              - add:
                  - - conv: {filters: $filters, kernel: 3, stride: $stride, padding: half}
                    - when: $wide
                      layers: [{conv: {filters: $filters, kernel: 3, padding: half}, name: extra}, relu]
                    - batch_norm
                  - - when: "${stride > 1 or in.channels != filters}"
                      layers:
                        - conv: {filters: $filters, kernel: 1, stride: $stride, init: he_normal}
                          name: shortcut
                        - batch_norm
              - relu
        layers:
          - unit: {filters: 4}
            repeat: 2
          - unit: {filters: 6, stride: 2}
          - unit: {filters: 6, wide: true}
          - unit: {filters: 8, stride: 2, wide: true}
          - unit: {filters: 8}
            repeat: 3
    """,
    "passing_on": """
        input: [4, 8, 8]
        blocks:
          unit: {params: {filters: 4}, layers: [{conv: {filters: $filters, kernel: 1}}, relu]}
          outer: {params: {filters: 4}, layers: [{unit: {filters: $filters}}]}
          outermost: {layers: [{outer: {filters: 6}}]}
          stage: {params: {filters: , count: }, layers: [{unit: {filters: $filters}, repeat: $count}]}
          turns: {layers: [{unit: {filters: "${3 + index % 2}"}, repeat: 4}]}
          sum: {layers: [{add: [[], [{unit: {filters: 4}}]]}]}
          either: {params: {adds: }, layers: [{when: $adds, layers: [sum], else: [unit]}]}
          # Its weights could go by each other's names.
          inner: {layers: [{unit: {filters: 4}, name: twin}, {unit: {filters: 4}, name: other}]}
          twins: {layers: [{inner: , name: twin}]}
        layers:
          - outermost
          - {stage: {filters: 4, count: 1}, name: short}
          - {stage: {filters: 4, count: 3}, name: long}
          - {either: {adds: "${index % 2 == 1}"}, repeat: 4, name: row}
          - {turns: , repeat: 2}
          - {outer: , name: kept, trainable: false}
          - twins
          - {either: {adds: true}}
        heads:
          first: {from: kept, layers: [{outer: {filters: 2}}]}
          second: {layers: [outermost, {conv: {filters: 2, kernel: 1}}]}
    """,
    "points": """
        input: [3, 8, 8]
        blocks:
          unit: {params: {kernel: }, layers: [{conv: {filters: 4, kernel: $kernel, padding: half, bias: false}}, relu]}
          mixed: {params: {kernel: , padding: same}, layers: [{conv: {filters: 4, kernel: $kernel, padding: $padding}}]}
        layers:
          - {unit: {kernel: 1}}
          - {unit: {kernel: 3}}
          - {mixed: {kernel: 1}}
          - {mixed: {kernel: 3}}
          - {mixed: {kernel: 3, padding: valid}}
    """,
    # Repeats of which each repetition takes several tensors: all of them go round, some stay, two swap, and one is the
    # same block with the same weights each time; a repetition is left out, and a state is used after the repeat.
    "carried": """
        input: [3, 6, 6]
        defaults: {conv: {filters: 3, kernel: 3, padding: same}}
        blocks:
          cell:
            inputs: [x, h]
            outputs: [y, state]
            params: {filters: 3, plain: false}
            layers:
              - {add: [[conv], [{conv: {bias: false}, from: h}]]}
              - {tanh: , name: state}
              - {conv: {filters: $filters}, when: "${not plain}"}
              - {relu: , name: y}
          join:
            inputs: [x, skip]
            layers: [{concat: , from: [x, skip]}, {dense: 4}]
          turn:
            inputs: [a, b]
            outputs: [sum, difference]
            layers: [{subtract: , from: [a, b], name: difference}, {add: , from: [a, b]}, {scale_by: 0.5, name: sum}]
        layers:
          - {conv: , name: start}
          - {cell: , from: [input, start], repeat: 3, carry: {h: state}, name: deep}
          - {cell: {plain: true}, from: [deep, deep.state], name: first}
          - {cell: {plain: true}, from: [first, first.state], repeat: 2, carry: {h: state}, share: first, name: again}
          - {join: , from: [again, deep.1.state], repeat: 2, carry: {skip: skip}, name: joined}
          - turn:
            from: [first, deep.state]
            repeat: 4
            carry: {a: difference, b: sum}
            when: "${index != 2}"
            name: turns
          - {cell: , from: [turns.difference, turns], repeat: 1, carry: {x: x, h: state}, name: one}
          - {concat: , from: [one, one.state, joined, again.state, deep.*.state]}
          - {dense: 2}
    """,
    "middle_part": """
        input: [6, 9]
        layers:
          - {split: {parts: {a: 1, b: 4, c: 1}}, name: three}
          - {relu: , from: three.b, name: middle}
          - {split: {parts: [d, e, f], axis: time}, name: thirds}
          - {tanh: , from: thirds.e}
    """,
    "words": """
        inputs: {words: {shape: [6], vocabulary: 9}, x: [4, 6]}
        blocks:
          gate: {layers: [{split: [gate, value], name: parts}, {multiply: , from: [parts.gate, parts.value]}]}
          part: {params: {stop: }, layers: [{slice: {stop: $stop, axis: time}}]}
        layers:
          - {embedding: {units: 8, padding_index: 3, init: {normal: {std: 0.5}}}, from: words, name: vectors}
          - gate
          - {dense: 12}
          - {split: {parts: {a: 2, b: 4, c: 6}}, name: three}
          - {gate: , from: three.c}
          - {dense: 4, name: even}
          - {add: , from: [even, three.b, x]}
          - {part: {stop: 5}}
          - {part: {stop: 4}}
          - {dense: 8}
          - {dense: {units: 9, bias: false, activation: softmax}, share: vectors, name: words_again}
          - {reverse: time}
          - {take: -1}
        heads:
          first: {from: words_again, layers: [{take: 0}, {repeat_vector: 3}, {roll: 1}, {gather: [2, 0, 2]}]}
          codes: {from: words, layers: [{slice: {start: 2}}, {reverse: time}, one_hot]}
          plain: {from: words, layers: [{embedding: 2}]}
    """,
    "last_of_each": """
        inputs: {x: [3, 5], lengths: {shape: [], vocabulary: 6}, words: {shape: [5], vocabulary: 7}}
        blocks: {end: {inputs: [y, count], layers: [{take: -1, from: [y, count]}, {dense: 3}]}}
        layers:
          - {conv: {filters: 4, kernel: 3, padding: causal, activation: tanh}, from: x, name: y}
          - {end: , from: [y, lengths], name: first}
          - {embedding: 2, from: words, name: vectors}
          - {end: , from: [vectors, lengths], name: second}
          - {add: , from: [first, second]}
    """,
    "gates": """
        input: [4, 7]
        blocks:
          gate:
            params: {dilation: }
            inputs: [x]
            outputs: [sum, skip]
            layers:
              - {conv: {filters: 8, kernel: 2, dilation: $dilation, padding: causal}}
              - gated
              - {dense: 5, name: skip}
              - {dense: 4, from: gated1, name: kept}
              - {add: , from: [x, kept], name: sum}
          places: {layers: [{positions: {kind: learned, init: {normal: {std: 0.25}}}}]}
        layers:
          - {positions: sinusoid}
          - {gate: {dilation: "${2 ** index}"}, repeat: 3, name: stack}
          - {concat: , from: [stack, stack.*.skip]}
          - {dense: 5}
          - {places: , name: first}
          - {places: , name: second}
          - {places: , name: third, share: first}
          - {slice: {start: 1, axis: time}}
          - places
          - concat:
              axis: time
              branches: [[{parameter: [5, 1], name: token}], [], [{constant: {values: 0.5, shape: [5, 2]}}]]
          - concat:
              axis: time
              branches: [[], [{parameter: [5, 1], share: token}], [{constant: [[1], [2], [3], [4], [0.5]]}]]
          - {dense: 6}
          - {gated: none}
    """,
    "vectors_of_a_dense": """
        inputs: {words: {shape: [6], vocabulary: 5}, x: [4, 6]}
        layers:
          - {dense: {units: 5, bias: false, init: he_normal}, from: x, name: scores}
          - {embedding: 4, from: words, share: scores, name: vectors}
          - {dense: 3}
        heads:
          all: {from: scores, layers: [tanh]}
    """,
    # A block calls itself for a map of half the size, until its depth is 1; another one through a second block.
    "hourglass": """
        input: [2, 8, 8]
        blocks:
          residual:
            params: {filters: }
            layers: [{add: [[{conv: {filters: $filters, kernel: 3, padding: same}}], []]}]
          hourglass:
            params: {depth: , filters: "${in.channels}"}
            inputs: [whole]
            layers:
              - add:
                  - whole
                  - - max_pool: 2
                    - {hourglass: "${depth - 1}", when: "${depth > 1}", else: [{residual: $filters}]}
                    - {upsample: {like: whole}}
          down: {params: {levels: }, layers: [{max_pool: 2}, {dense: "${in.channels + 1}"}, {up: $levels}]}
          up: {params: {levels: }, layers: [{down: "${levels - 1}", when: "${levels > 0}"}, relu, {upsample: 2}]}
        layers:
          - {conv: {filters: 4, kernel: 3, padding: same}, name: conv1}
          - {hourglass: 3, name: first}
          - {hourglass: 3, share: first}
          - {hourglass: 2}
          - {down: 1, name: through}
          - {conv: {filters: 2, kernel: 1}}
    """,
    # Parallel resolutions that exchange: both go round, and heads take what the last module gives.
    "hrnet": """
        input: [2, 8, 8]
        blocks:
          unit: {layers: [{add: [[{conv: {filters: "${in.channels}", kernel: 3, padding: same}}, relu], []]}]}
          down:
            params: {times: , filters: }
            layers:
              - {conv: {filters: $filters, kernel: 3, stride: 2, padding: same}}
              - {down: {times: "${times - 1}", filters: $filters}, when: "${times > 1}"}
          exchange:
            inputs: [high, low]
            outputs: [a, b]
            layers:
              - {unit: , from: high, name: h}
              - {unit: , from: low, name: l}
              - {add: [h, [{dense: "${h.channels}", from: l}, {upsample: {like: h}}]], name: a}
              - {add: [l, [{down: {times: 2, filters: "${l.channels}"}, from: h}]], name: b}
        layers:
          - {conv: {filters: 3, kernel: 3, padding: same}, name: high}
          - {down: {times: 2, filters: 4}, name: low}
          - {exchange: , from: [high, low], repeat: 2, carry: {high: a, low: b}, name: stage}
          - concat:
              - stage
              - [{upsample: {size: ["${stage.height}", "${stage.a.width}"]}, from: stage.b}]
          - {dense: "${stage.b.channels + stage.1.a.channels}"}
        heads: {coarse: {from: stage.b, layers: [global_avg_pool]}, low: low}
    """,
    # Rates that grow with each unit, over stages of different lengths: by the calls of the block so far, and by the
    # numbers of two repeats.
    "stochastic_depth": """
        params: {table: [[4, 1], [6, 2]], rate: 0.5, act: silu, none: none}
        input: [3, 6, 6]
        blocks:
          unit:
            params: {filters: , drop: 0.0, act: relu}
            layers:
              - add:
                  - - {conv: {filters: $filters, kernel: 3, padding: same}}
                    - {spatial_dropout: $drop, when: "${drop > 0}"}
                    - activation: $act
                  - [{dense: $filters, when: "${in.channels != filters}"}]
        layers:
          - activation: $none
          - layers:
              - unit: {filters: "${table[stages.index][0]}", drop: "${rate * unit.count / 4}", act: $act}
                repeat: "${table[stages.index][1]}"
            repeat: "${len(table)}"
            name: stages
          - {conv: {filters: "${stages.0.channels + 1}", kernel: 1}, name: conv1}
          - {unit: 5}
          - layers: [{dense: "${5 + 2 * outer.index + index}", repeat: 2}]
            repeat: 2
            name: outer
          - {activation: prelu, name: last}
        heads: {last: last}
    """,
    # The last of several repetitions is another one; where there is one repetition, it is the last, or the first.
    "dwindling": """
        input: [4, 5]
        blocks:
          unit: {params: {units: }, layers: [{dense: $units}, tanh]}
          down:
            params: {count: , wide: , last: }
            layers: [{unit: "${wide if index < count - 1 else last}", repeat: $count}]
          up:
            params: {count: , wide: }
            layers: [{unit: "${2 * wide if index == 0 else wide}", repeat: $count}, relu]
        layers:
          - {down: {count: 3, wide: 4, last: 3}}
          - {down: {count: 4, wide: 3, last: 6}}
          - {down: {count: 1, wide: 6, last: 6}}
          - {down: {count: 2, wide: 6, last: 2}}
          - {up: {count: 4, wide: 3}}
          - {up: {count: 1, wide: 2}}
          - {up: {count: 3, wide: 4}}
    """,
    # Two tensors go round, one is also collected; what goes in is still wanted.
    "two_carried": """
        input: [3, 6, 6]
        defaults: {conv: {filters: 3, kernel: 3, padding: same}}
        blocks:
          cell:
            inputs: [x, h, bias]
            outputs: [y, state]
            layers:
              - {add: [[{conv: }], [{conv: , from: h}], [{identity: , from: bias}]]}
              - {tanh: , name: state}
              - {conv: , name: y}
          turn:
            inputs: [a, b]
            outputs: [sum, difference]
            layers: [{subtract: , from: [a, b], name: difference}, {add: , from: [a, b]}, {scale_by: 0.5, name: sum}]
        layers:
          - {conv: , name: start}
          - {conv: {activation: relu}, name: kept}
          - {cell: , from: [start, kept, input], repeat: 5, carry: {h: state}, name: deep}
          - {turn: , from: [deep, deep.state], repeat: 4, carry: {a: difference, b: sum}, name: turns}
          - {concat: , from: [turns, turns.difference, deep.*.state, kept]}
          - {dense: 2}
    """,
    "looped_and_named": """
        input: [4, 6]
        layers:
          - {dense: 4, name: mix}
          - tanh
          - {conv_transpose: {filters: 4, kernel: 1}, repeat: 3}
        heads:
          value: {from: mix, layers: []}
    """,
    "listed_beside_the_first": """
        input: [2, 6]
        layers:
          - layers:
              - {split: {axis: channels, parts: {a: 1, b: 1}}, name: parts}
              - {concat: , from: [parts.b, parts.a]}
              - {conv: {filters: 2, kernel: 1}}
            repeat: 3
            name: turns
          - {maximum: , from: turns.*.parts.a}
          - {multiply: , from: [maximum1, turns.0, turns]}
    """,
    "branches": """
        input: [4, 8, 8]
        layers:
          - concat:
              - [{conv: {filters: 2, kernel: 1}}]
              - [{conv: {filters: 2, kernel: 1}}, {conv: {filters: 3, kernel: 3, padding: same}}]
              - [{max_pool: {kernel: 3, stride: 1, padding: same}}, {conv: {filters: 2, kernel: 1}}]
              - []
          - add:
              - [{identity: , name: kept}]
              - [{conv: {filters: 11, kernel: 1}, name: changed}]
          - multiply: [[], [global_avg_pool, {dense: {units: 11, activation: sigmoid}}]]
          - add: [[], [relu], [tanh, {add: [[], [sigmoid]]}]]
    """,
}


def structure(name: str) -> Graph:
    """The graph of one of them."""
    text = f"netspec: 1\nname: {name}\ndescription: The structure {name}\n{dedent(STRUCTURES[name])}"
    problems = Problems()
    graph = graph_of_text(text, f"{name}.yaml", problems)
    assert graph is not None, [f"{each.span}: {each.message}" for each in problems.in_order()]
    return graph
