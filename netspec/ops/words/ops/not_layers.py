"""The names of what is not a layer in netspec: containers, inputs, losses, blocks."""

from __future__ import annotations

from netspec.ops.words import Lead, Rows, instead


def _by_block(zoo: str) -> Lead:
    return instead(f"write it as a block of your own; `netspec new {zoo}` copies a spec that has one")


ROWS: Rows = (
    (
        instead("write `- layers: […]` for a group of items"),
        "sequential modulelist moduledict group stage container sequentialcell block",
    ),
    (
        instead("remove it: the `input` of the spec defines the input"),
        "input inputlayer inputs placeholder data imagedata hdf5data dummydata inputspec",
    ),
    (
        instead("remove it: a loss is not a layer; it belongs to the recipe, `train: {loss: cross_entropy}`"),
        "crossentropyloss crossentropy softmaxwithloss softmaxloss softmaxcrossentropy",
    ),
    (
        instead("remove it: a loss is not a layer; it belongs to the recipe, `train: {loss: …}`"),
        "loss l1loss nllloss nllloss2d mseloss bceloss bcewithlogitsloss kldivloss poissonnllloss gaussiannllloss "
        "hingeembeddingloss multilabelmarginloss multilabelsoftmarginloss multimarginloss smoothl1loss huberloss "
        "softmarginloss cosineembeddingloss marginrankingloss tripletmarginloss tripletmarginwithdistanceloss ctcloss "
        "euclideanloss hingeloss sigmoidcrossentropyloss infogainloss contrastiveloss binarycrossentropy "
        "binarycrossentropywithlogits cosineembedding gaussiannll hingeembedding kldiv mse marginranking "
        "multilabelmargin multilabelsoftmargin multimargin nll poissonnll smoothl1 softmargin tripletmargin "
        "tripletmarginwithdistance huber cost region yolo detection iseg logisticloss multinomiallogisticloss "
        "linearcrossentropyloss linearcrossentropy",
    ),
    (
        instead("remove it: metrics belong to the recipe, `train: {metrics: [accuracy]}`"),
        "accuracy metric metrics",
    ),
    (
        instead("remove it: `from` can take the output of a layer any number of times"),
        "fork tee branch duplicate clone copy",
    ),
    (
        instead("remove it: it does not change any number of the network"),
        "print stopgradient detach contiguous silence cast requiresgrad dequantize quantize",
    ),
    (
        instead("remove it: the end of the network is its output; `heads` adds further outputs"),
        "output outputs outputlayer",
    ),
    (
        _by_block("se_resnet34"),
        "squeezeexcite squeezeexcitation squeezeandexcitation se seblock selayer semodule",
    ),
    (_by_block("googlenet"), "inception inceptionblock inceptionmodule"),
    (_by_block("resnet50"), "bottleneck bottleneckblock basicblock"),
    (_by_block("densenet121"), "denseblock transitionlayer"),
    (_by_block("mobilenet_v2"), "invertedresidual mbconv"),
    (
        instead("write it as a block of your own, from existing ops"),
        "fire firemodule fpn cbam highway hypercolumn nonlocal ghostmodule shuffleunit resnextblock convblock "
        "doubleconv convbnrelu convbn attentiongate channelattention spatialattention scseblock seunit",
    ),
)
