"""Nearest spellings, and the names that Keras, TFLearn and PyTorch have for a thing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

MANY = 300  # names that are compared in full; of more, those that begin alike
CLOSEST = 20
ELSEWHERE = {
    "act": ("activation", "nonlinearity"),
    "avgpool": ("averagepool", "averagepooling", "avgpooling", "meanpool"),
    "bias": ("usebias",),
    "bias_init": ("biasinitializer",),
    "bn": ("batchnormalization", "batchnormalisation"),
    "concat": ("concatenate", "merge", "cat", "route"),
    "conv": ("convolution", "convolutional"),
    "crop": ("cropping",),
    "def": ("function", "fn", "module", "block"),
    "deconv": ("convtranspose", "transposedconv", "convtransposed", "upconv"),
    "decay": ("momentum",),
    "dilation": ("dilationrate", "rate"),
    "dwconv": ("depthwiseconv", "depthwise"),
    "epsilon": ("eps",),
    "fc": ("fullyconnected", "innerproduct"),
    "filters": ("nbfilter", "outchannels", "nfilters", "numfilters"),
    "gap": ("globalaveragepooling", "globalavgpool", "globalaveragepool", "adaptiveavgpool"),
    "gmp": ("globalmaxpooling", "globalmaxpool", "adaptivemaxpool"),
    "identity": ("shortcut", "skip"),
    "init": ("kernelinitializer", "weightsinit", "initializer"),
    "kernel": ("kernelsize", "filtersize", "poolsize", "window", "size", "ksize"),
    "l2": ("kernelregularizer", "weightdecay", "regularizer"),
    "lrn": ("localresponsenormalization",),
    "mul": ("multiply", "prod"),
    "noise": ("gaussiannoise",),
    "pad": ("padding", "zeropadding"),
    "param": ("let", "var", "const", "set"),
    "pool": ("maxpooling",),
    "rate": ("p", "prob", "keepprob"),
    "repeat": ("for", "while", "loop"),
    "sepconv": ("separableconv",),
    "slope": ("alpha", "negativeslope"),
    "stride": ("strides", "subsample"),
    "sub": ("subtract",),
    "units": ("nunits", "outfeatures"),
    "upsample": ("upsampling",),
}
_WITHOUT = re.compile(r"_|[123]d")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a foreign or misspelt one stands for, or None when nothing is close."""
    known = list(known)
    foreign = _foreign(name, known)
    if foreign is not None:
        return foreign
    from difflib import get_close_matches  # noqa: PLC0415 - 6 ms that only an error needs

    word = name.lower()[:60]
    found = get_close_matches(word, _candidates(word, known), n=1, cutoff=0.6)
    return found[0] if found else None


def _candidates(word: str, known: list[str]) -> list[str]:
    """Names worth a comparison, which costs some 10 microseconds each."""
    if len(known) <= MANY:
        return known
    near = [other for other in known if abs(len(other) - len(word)) <= 2]
    for length in (len(word) - 1, len(word) // 2):
        alike = [other for other in near if other.startswith(word[:length])]
        if alike:
            return alike[:CLOSEST]
    return []


def did_you_mean(name: str, known: Iterable[str], otherwise: Iterable[str] = ()) -> Iterator[str]:
    """Help lines for a name that does not exist, worked out only where they are read; `otherwise` if none is close."""
    found = nearest(name, known)
    if found:
        yield f"did you mean `{found}`?"
    else:
        yield from otherwise


def _foreign(name: str, known: Collection[str]) -> str | None:
    word = _WITHOUT.sub("", name[:60].lower())
    return next((ours for ours, theirs in ELSEWHERE.items() if word in theirs and ours in known), None)
