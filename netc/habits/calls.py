"""What a call of Python amounts to as a statement."""

from __future__ import annotations

import re
from collections.abc import Mapping

from netc.ir.window import cropping
from netc.layers import LAYERS
from netc.lower.definitions import shipped
from netc.lower.evaluate import value_words
from netc.suggest import nearest
from netc.syntax.tree import is_name

Words = Mapping[str, str]

NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
VALUE = rf"(?:{NUMBER}|\?)(?:[x/](?:\d+|\?))*"
BRACKETS = r"[(\[]\s*{0}(?:\s*,\s*{0})*\s*,?\s*[)\]]"
EXTENT = r"(?:\d+|None|\?|-1)"
_EXTENTS = re.compile(r"\d+|None|\?|-1")
_DEPTH = {**dict.fromkeys("([{", 1), **dict.fromkeys(")]}", -1)}


def size(match: re.Match[str]) -> Words:
    """`28x28x1` for `(28, 28, 1)` and its like, in the group `sizes`; None and -1 are unknown."""
    extents = [extent if extent.isdecimal() else "?" for extent in _EXTENTS.findall(match["sizes"])]
    if len(extents) == 4 and extents[0] == "?" and extents[3].isdecimal():
        del extents[0]  # of the batch
    return {"size": "x".join(extents)}


def share(match: re.Match[str]) -> Words:
    return {"share": f"{float(match['number']) / 100:g}"}


def operation(match: re.Match[str]) -> Words | None:
    return {} if match["op"] in LAYERS else None


def parameter(match: re.Match[str]) -> Words | None:
    return {} if match["name"] not in LAYERS and is_name(match["name"]) else None


# -- calls ---------------------------------------------------------------------------------------------------

# What libraries call a thing, without `2D` and in small letters, and what its values are in order: netc works out
# those that are `-`. PyTorch's have the `nn.` that they are mostly written with.
_CALLS: dict[str, tuple[str, str]] = {
    "conv": ("conv", "filters kernel stride pad"),
    "convtranspose": ("deconv", "filters kernel stride pad"),
    "separableconv": ("sepconv", "filters kernel stride pad"),
    "depthwiseconv": ("dwconv", "kernel stride pad"),
    "dense": ("fc", "units act"),
    "maxpooling": ("pool", "kernel stride pad"),
    "averagepooling": ("avgpool", "kernel stride pad"),
    "globalaveragepooling": ("gap", ""),
    "globalmaxpooling": ("gmp", ""),
    "batchnormalization": ("bn", ""),
    "layernormalization": ("layernorm", ""),
    "dropout": ("dropout", "rate"),
    "flatten": ("flatten", ""),
    "activation": ("", "act"),
    "upsampling": ("upsample", "factor"),
    "input": ("input", "size"),
    "inputlayer": ("input", "size"),
    "nn.conv": ("conv", "- filters kernel stride pad dilation groups bias"),
    "nn.convtranspose": ("deconv", "- filters kernel stride pad"),
    "nn.linear": ("fc", "- units bias"),
    "nn.maxpool": ("pool", "kernel stride pad"),
    "nn.avgpool": ("avgpool", "kernel stride pad"),
    "nn.adaptiveavgpool": ("gap", "-"),
    "nn.batchnorm": ("bn", "-"),
    "nn.dropout": ("dropout", "rate"),
    "nn.flatten": ("flatten", ""),
    "nn.identity": ("identity", ""),
    **{f"nn.{act}": (act, "") for act in ("relu", "sigmoid", "tanh", "gelu", "elu", "selu", "silu", "softplus")},
    "nn.softmax": ("softmax", "-"),
}
_NORMS = {  # what wraps a call elsewhere, and is an option here
    **dict.fromkeys(("spectralnorm", "spectralnormalization"), "spectral"),
    **dict.fromkeys(("weightnorm", "weightnormalization"), "weight"),
}
_NORM_AS_HERE = re.compile(r"(?:n_)?power_iterations=1|name=['\"]\w+['\"]")
_SLIDING = ("conv", "deconv", "sepconv", "dwconv", "pool", "avgpool")  # elsewhere without padding, unless it is written
_SYNONYMS = {
    "shape": "size",
    "inputshape": "size",
    "infeatures": "-",
    "inchannels": "-",
    "name": "-",
    "dim": "-",
    "inplace": "-",
}
CALL = (
    r"(?:(?P<made>[A-Za-z_][\w.]*)\s*=\s*)?(?P<adding>[\w.]+\.add\()?(?P<path>(?:[A-Za-z_]\w*\.)*)(?P<called>[A-Za-z_]\w*)"
    r"\s*\((?P<arguments>[^\n]*?)\)(?P<fed>\s*\(\s*[\w.]+\s*\))?(?(adding)\s*\))(?:\s*[,;])?"
)


def call(match: re.Match[str], norm: str = "") -> Words | None:
    """The statement that a call of a layer amounts to, with the `norm` of what it is wrapped in."""
    arguments = _split(match["arguments"])
    if arguments is None:
        return None
    plain = re.sub(r"_|[123]d", "", match["called"].lower())
    if (normed := _NORMS.get(plain)) is not None:
        inner = re.fullmatch(CALL, arguments[0]) if arguments else None
        if inner is None or norm or not all(map(_NORM_AS_HERE.fullmatch, arguments[1:])):
            return None
        words = call(inner, normed)
        return words and {**words, "called": match["path"] + match["called"]}
    if (formals := _formals(match)) is not None:
        text = _of_definition(match, formals, arguments)
        return None if text is None else {"statement": text, "called": match["called"]}
    torch = match["path"].endswith("nn.") or re.search(r"[123]d\Z", match["called"]) is not None
    own = match["called"] in LAYERS and not match["path"]
    found = _CALLS.get(f"nn.{plain}") if torch else None
    if own:
        signature = LAYERS[match["called"]].signature(match["called"])
        found = match["called"], " ".join([*signature.positional, *signature.size])
    found = found or _CALLS.get(plain)
    if found is None and match["path"].endswith("F.") and plain in LAYERS:
        found = plain, "-"
    if found is None or (own and not _is_called(match, arguments)):
        return None
    op, roles = found
    values = _given(op, roles.split(), arguments)
    if norm and values is not None:
        if not op or "norm" not in LAYERS[op].signature(op).params:
            return None
        values["norm"] = norm
    text = None if values is None else _statement(op, values, own=own)
    return None if text is None else {"statement": text, "called": match["path"] + match["called"]}


_DEFINED = r"^[ \t]*(?:shared[ \t]+)?def[ \t]+{name}[ \t]*\("
_LONGEST = 500  # characters of the parameters of a definition


def _formals(match: re.Match[str]) -> list[str] | None:
    """The parameters of the definition that is called: of the text itself, or one that netc ships; None for none."""
    name = match["called"]
    if match["path"] or name in LAYERS:
        return None
    own = re.search(_DEFINED.format(name=name), match.string, re.MULTILINE)
    if own is not None:
        formals = _until_closed(match.string, own.end())
        return [formal.partition("=")[0].strip() for formal in _split(formals) or ()]
    known = shipped(name)
    return None if known is None else [*known.signature.params]


def _until_closed(text: str, start: int) -> str:
    """What stands before the parenthesis that closes one before `start`, as far as that is looked for."""
    depth = 1
    for at, char in enumerate(text[start : start + _LONGEST], start):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return text[start:at]
    return ""


def _of_definition(match: re.Match[str], formals: list[str], arguments: list[str]) -> str | None:
    """The statement that a call of a definition amounts to."""
    if not _is_called(match, arguments):
        return None
    words = [match["called"]]
    for position, argument in enumerate(arguments):
        keyed = re.match(r"(\w+)\s*=(?!=)(.*)\Z", argument)
        key = "" if keyed is None else keyed[1] if keyed[1] in formals else nearest(keyed[1], formals)
        value = _single(argument if keyed is None else keyed[2].strip())
        if key is None or value is None or position >= len(formals):
            return None
        words.append(f"{key}={value}" if key else value)
    return " ".join(words)


def _single(value: str) -> str | None:
    """A value of a call as a definition takes it: one word, a string or an expression."""
    if re.fullmatch(r"'\w+'|\"\w+\"", value):
        return f'"{value[1:-1]}"'
    plain = _plain(value)
    if plain is None and re.fullmatch(r"[\w\s.+*/()-]+", value):
        return f"({value})"
    return None if plain == "None" else plain


def parted(match: re.Match[str]) -> Words | None:
    """A statement of a definition whose arguments were parted by commas."""
    arguments = _split(match["rest"])
    if _formals(match) is None or arguments is None or len(arguments) < 2:
        return None
    return {"statement": " ".join([match["called"], *("=".join(map(str.strip, one.split("="))) for one in arguments)])}


def _is_called(match: re.Match[str], arguments: list[str]) -> bool:
    """Whether parentheses after an operation are those of a call: not in `conv (ch)x3`, nor in `block (n) (ch)`."""
    tight = match.string[match.end("called")] == "("
    keys = any(re.match(r"\w+\s*=(?!=)", argument) for argument in arguments)
    return len(arguments) != 1 or keys or (tight and match["fed"] is not None)


def _given(op: str, roles: list[str], arguments: list[str]) -> dict[str, str] | None:
    """The values of a call by netc's names of them; None where one has none."""
    values: dict[str, str] = {}
    known = [*LAYERS[op].signature(op).params, *roles] if op else roles
    for position, argument in enumerate(arguments):
        keyed = re.match(r"(\w+)\s*=(?!=)(.*)\Z", argument)
        if keyed is None and position >= len(roles):
            return None
        name = roles[position] if keyed is None else keyed[1]
        if keyed is not None:
            plain = name.lower().replace("_", "")
            name = _SYNONYMS.get(plain) or (name if name in known else nearest(name, known) or "")
        value = _plain(keyed[2] if keyed is not None else argument)
        if not name or value is None or name in values:
            return None
        if name != "-" and value != "None":
            values[name] = value
    return values


def _plain(value: str) -> str | None:
    """A value of Python as netc writes it: None for one that it has not."""
    value = value.strip()
    if re.fullmatch(BRACKETS.format(EXTENT), value):
        extents = ["?" if extent in ("None", "-1") else extent for extent in _EXTENTS.findall(value)]
        return extents[0] if len(set(extents)) == 1 and len(extents) == 2 else "x".join(extents)
    if value in ("True", "False"):
        return value.lower()
    if re.fullmatch(r"'\w+'|\"\w+\"", value):
        return value[1:-1].lower()
    return value if re.fullmatch(rf"{VALUE}|[A-Za-z_]\w*", value) else None


def _statement(op: str, values: dict[str, str], *, own: bool) -> str | None:
    values = dict(values)
    act = values.pop("act", "")
    if not op:
        return act or None
    before = f"input {values.pop('size')}; " if "size" in values and op != "input" else ""
    if op == "deconv" and "pad" in values:
        if (pad := _cropped(values)) is None:
            return None
        values["pad"] = pad
    if not own and op in _SLIDING and values.get("kernel") != "1":
        values.setdefault("pad", "valid")  # as elsewhere, where nothing is written
    words = [op]
    window = "x".join(_sized(values.pop(name)) for name in ("filters", "kernel") if name in values)
    if window:
        stride = _sized(values.pop("stride", ""))
        unwritten = window if op in ("pool", "avgpool") else "1"
        words.append(window + (f"/{stride}" if stride not in ("", unwritten) else ""))
    words += [values.pop(name) for name in ("units", "rate", "size", "factor") if name in values]
    if values.get("pad") == "same":
        del values["pad"]
    words += [f"{name}={value}" for name, value in values.items()]
    return before + " ".join([*words, *([act] if act and act != "linear" else [])])


def _cropped(values: Words) -> str | None:
    """The `pad` of a transposed convolution that takes as much off each side; None where it has none."""
    pad, kernel, stride = values["pad"], values.get("kernel", ""), values.get("stride", "1")
    if pad in ("same", "valid", "0"):
        return "valid" if pad == "0" else pad
    if not all(map(str.isdecimal, (pad, kernel, stride))) or "dilation" in values:
        return None
    return "same" if cropping(int(kernel), int(stride)) == (int(pad), int(pad)) else None


def _sized(value: str) -> str:
    return f"({value})" if is_name(value) else value


def _split(text: str) -> list[str] | None:
    """The arguments between the parentheses of a call; None where brackets do not match."""
    parts, depth, start, quote = [], 0, 0, ""
    for at, letter in enumerate(text):
        if quote or letter in "'\"":
            quote = "" if letter == quote else quote or letter
            continue
        depth += _DEPTH.get(letter, 0)
        if depth < 0:
            return None
        if letter == "," and not depth:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return None if depth or quote else [part.strip() for part in parts if part.strip()]


_JOINING = {
    "add": "add",
    "+": "add",
    "*": "mul",
    "mul": "mul",
    "multiply": "mul",
    "concatenate": "concat",
    "concat": "concat",
    "cat": "concat",
    "maximum": "max",
    "max": "max",
    "average": "avg",
    "avg": "avg",
    "subtract": "sub",
    "-": "sub",
}


def joined(match: re.Match[str]) -> Words | None:
    """Branches for what joins tensors by their names elsewhere."""
    op = _JOINING.get(match["join"].lower())
    names = re.findall(r"\w+", match["names"])
    if op is None or len(names) < 2 or (match["join"] == "+" and any(name in LAYERS for name in names)):
        return None
    return {"statement": f"{op} {{ {' '.join(f'| from {name}' for name in names)} }}", "op": op}


def listed(match: re.Match[str]) -> Words:
    return {"labels": " ".join(re.findall(r"\w+", match["names"]))}


def setting(match: re.Match[str]) -> Words | None:
    """A line of a section whose name was called."""
    arguments = _split(match["arguments"])
    if arguments is None:
        return None
    tight = ["=".join(side.strip() for side in argument.split("=")) for argument in arguments]
    pairs = [argument.replace("learning_rate", "lr") for argument in tight]
    given = [pair if "=" in pair else f"lr={pair}" for pair in pairs]
    return {"setting": " ".join([match["line"], match["key"].lower(), *given])}


def value_word(match: re.Match[str]) -> Words | None:
    """A quoted word or number that netc has without quotes."""
    word = match["word"]
    known = word in value_words() or word in LAYERS or re.fullmatch(VALUE, word)
    return {} if known else None
