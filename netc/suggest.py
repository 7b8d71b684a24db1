"""Nearest spellings, and the names that Keras, TFLearn and PyTorch have for a thing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property

MANY = 300  # names that are compared in full; of more, those that begin alike
CLOSEST = 20
LONGEST = 60  # characters of a name that are looked at
ELSEWHERE = {
    "act": ("activation", "nonlinearity"),
    "avgpool": ("averagepool", "averagepooling", "avgpooling", "meanpool"),
    "batch": ("batchsize", "minibatch", "minibatchsize"),
    "bias": ("usebias",),
    "bias_init": ("biasinitializer",),
    "binary_crossentropy": ("bceloss",),
    "bn": ("batchnormalization", "batchnormalisation"),
    "categorical_crossentropy": ("crossentropyloss", "xent", "softmaxcrossentropy"),
    "concat": ("concatenate",),
    "conv": ("convolution", "convolutional"),
    "cosine": ("cosinedecay", "cosineannealing", "cosineannealinglr"),
    "crop": ("cropping",),
    "deconv": ("convtranspose", "transposedconv", "convtransposed"),
    "dilation": ("dilationrate",),
    "droppath": ("stochasticdepth", "dropconnect"),
    "dwconv": ("depthwiseconv",),
    "epochs": ("numepochs", "nepoch", "nepochs", "maxepochs"),
    "epsilon": ("eps",),
    "exponential": ("exponentialdecay", "exponentiallr"),
    "fc": ("fullyconnected", "innerproduct", "affine"),
    "filters": ("nbfilter", "outchannels", "nfilters", "numfilters", "numoutput"),
    "gap": ("globalaveragepooling", "globalavgpool", "globalaveragepool", "adaptiveavgpool"),
    "gmp": ("globalmaxpooling", "globalmaxpool", "adaptivemaxpool"),
    "groups": ("group", "cardinality"),
    "identity": ("noop",),
    "init": ("kernelinitializer", "weightsinit", "initializer", "weightfiller"),
    "input": ("inputlayer", "inputshape", "inputs"),
    "kernel": ("kernelsize", "poolsize", "ksize"),
    "layernorm": ("layernormalization", "layernormalisation"),
    "lr": ("learningrate", "baselr"),
    "lrn": ("localresponsenormalization",),
    "mae": ("l1loss",),
    "milestones": ("multisteplr", "multistep", "piecewiseconstant", "piecewiseconstantdecay"),
    "mse": ("mseloss", "l2loss", "meansquarederror"),
    "mul": ("multiply", "prod"),
    "noise": ("gaussiannoise",),
    "pad": ("padding", "zeropadding"),
    "plateau": ("reducelronplateau",),
    "polynomial": ("poly", "polynomialdecay", "polynomiallr"),
    "pool": ("maxpooling",),
    "sepconv": ("separableconv",),
    "slope": ("alpha", "negativeslope"),
    "step": ("steplr",),
    "stride": ("strides",),
    "sub": ("subtract",),
    "swish": ("silu",),
    "tanh": ("hyperbolictangent",),
    "units": ("nunits", "outfeatures"),
    "upsample": ("upsampling",),
}
# What has another meaning there, or several: what is meant is a guess.
PERHAPS = {
    "act": ("activationfunction",),
    "binary_crossentropy": ("bce", "logloss"),
    "categorical_crossentropy": ("crossentropy", "ce", "nll", "nllloss"),
    "concat": ("merge", "cat", "route"),
    "crop": ("centercrop", "randomcrop"),
    "decay": ("momentum",),
    "deconv": ("upconv",),
    "def": ("function", "fn", "module", "block"),
    "dilation": ("rate",),
    "dwconv": ("depthwise",),
    "identity": ("shortcut", "skip"),
    "kernel": ("filtersize", "window", "size"),
    "l2": ("kernelregularizer", "weightdecay", "regularizer"),
    "max": ("maximum",),
    "param": ("let", "var", "const", "set"),
    "pool": ("subsampling",),
    "rate": ("p", "prob", "keepprob"),
    "repeat": ("for", "while", "loop"),
    "stride": ("subsample",),
}
_WITHOUT = re.compile(r"_|[123]d")


class Meant(Iterable[str]):
    """Help lines for a name that does not exist, worked out where they are read: what was meant, or `otherwise`."""

    def __init__(self, name: str, known: Iterable[str], otherwise: Iterable[str] = ()) -> None:
        self.name = name
        self._known, self._otherwise = known, otherwise

    @cached_property
    def found(self) -> str | None:
        """The known name that was meant."""
        return nearest(self.name, self._known)

    @property
    def sure(self) -> bool:
        """Whether the name is what something else calls exactly this."""
        word = _plain(self.name)
        if self.found in (self.name.lower(), word):
            return True
        return word in ELSEWHERE.get(self.found or "", ())

    def __iter__(self) -> Iterator[str]:
        if self.found:
            yield f"did you mean `{self.found}`?"
        else:
            yield from self._otherwise


def did_you_mean(name: str, known: Iterable[str], otherwise: Iterable[str] = ()) -> Meant:
    """The known name that an unknown one stands for, as help; `otherwise` if there is none."""
    return Meant(name, known, otherwise)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a foreign or misspelt one stands for, or None: a word of another meaning is no help.

    >>> nearest("rleu", ["relu", "elu"]), nearest("MaxPooling2D", ["pool"]), nearest("attention", ["transition"])
    ('relu', 'pool', None)
    """
    known = list(known)
    foreign = _foreign(name, known)
    if foreign is not None:
        return foreign
    word = name.lower()[:LONGEST]
    near = {other: _changes(word, other.lower()[:LONGEST]) for other in _candidates(word, known)}
    likely = [other for other, changes in near.items() if changes <= _allowed(word, other.lower())]
    if likely:
        return min(likely, key=lambda other: (near[other], other[:1].lower() != word[:1]))
    whole = [other for other in dict.fromkeys(known) if len(word) > 3 and _part(word, other.lower())]
    return whole[0] if len(whole) == 1 else None


def _part(word: str, other: str) -> bool:
    """Whether one name is the other with more words before or after it."""
    short, long = sorted((word, other), key=len)
    joints = long[len(short) : len(short) + 1], long[: -len(short)][-1:]
    return len(short) > 3 and (
        (long.startswith(short) and joints[0] in ("_", "-")) or (long.endswith(short) and joints[1] in ("_", "-"))
    )


def _allowed(word: str, other: str) -> int:
    """The slips that a word may have: few letters are soon those of another one."""
    length = min(len(word), len(other))
    if length < 4:
        return int(length > 1 and (word[0] == other[0] or sorted(word) == sorted(other)))
    return 1 if length < 6 else 2 if length < 12 else 3


def _changes(one: str, other: str) -> int:
    """Letters that are wrong, missing, too many or exchanged with their neighbour; 9 for words of other lengths."""
    if abs(len(one) - len(other)) > 3:
        return 9
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, there in enumerate(other, 1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != there))
            if row > 1 and column > 1 and letter == other[column - 2] and there == one[row - 2]:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, last = last, line
    return last[-1]


def _candidates(word: str, known: list[str]) -> list[str]:
    """Names worth a comparison, which costs some 20 microseconds each."""
    if len(known) <= MANY:
        return known
    near = [other for other in known if abs(len(other) - len(word)) <= 2]
    for length in (len(word) - 1, len(word) // 2):
        alike = [other for other in near if other.startswith(word[:length])]
        if alike:
            return alike[:CLOSEST]
    return []


def _plain(name: str) -> str:
    return _WITHOUT.sub("", name[:LONGEST].lower())


def _foreign(name: str, known: Collection[str]) -> str | None:
    word = _plain(name)
    if word != name and word in known and name.lower() != name:  # `ReLU`, `Conv2D`
        return word
    tables = (*ELSEWHERE.items(), *PERHAPS.items())
    return next((ours for ours, theirs in tables if word in theirs and ours in known), None)
