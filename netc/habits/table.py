"""The habits: a pattern of a line, what the mistake is, and what to write."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from netc.habits.calls import (
    BRACKETS,
    CALL,
    EXTENT,
    NUMBER,
    VALUE,
    Words,
    call,
    joined,
    listed,
    operation,
    parameter,
    parted,
    setting,
    share,
    size,
    value_word,
)
from netc.layers import LAYERS

Match = re.Match[str]
_BEGIN, _END = r"(?:^|(?<=[;{|]))[ \t]*", r"(?=[ \t]*(?:$|[;}|#]))"


@dataclass(frozen=True, slots=True)
class Habit:
    """A way of writing. In its words `{it}` is what the pattern matched, `{name}` its group or what `make` adds.

    `write` replaces `it`, as a fix; without it there is only `help`, in which `{write}` is what to write. `make` gives
    None for what only looks like the habit.
    """

    pattern: re.Pattern[str]
    says: str
    write: str
    help: str
    make: Callable[[Match], Words | None] | None
    safe: bool

    def words(self, match: Match) -> Words | None:
        """What the names in the words stand for."""
        found = {name: text or "" for name, text in match.groupdict().items()}
        made = self.make(match) if self.make is not None else {}
        return None if made is None else {**found, **made}


def _row(
    pattern: str,
    says: str,
    write: str = "",
    help: str = "write `{write}`",
    make: Callable[[Match], Words | None] | None = None,
    *,
    safe: bool = False,
) -> Habit:
    """A habit of a whole statement, or of the part of a line that the pattern calls `it`."""
    whole = pattern if "(?P<it>" in pattern else rf"{_BEGIN}(?P<it>{pattern}){_END}"
    return Habit(re.compile(whole, re.MULTILINE), says, write, help, make, safe)


def _named(**names: str) -> Callable[[Match], Words]:
    """Other names for what the group `key` matched."""
    return lambda match: {"name": names.get(re.sub(r"[\s_]+", "_", match["key"].lower()), match["key"])}


def _if_operation(group: str) -> Callable[[Match], Words | None]:
    return lambda match: {} if match[group] in LAYERS else None


def _unless_labelled(match: Match) -> Words | None:
    """None for `classes: softmax`, an operation with a label that is also the name of a line."""
    return None if match["sign"] == ":" and match["value"].split()[0] in LAYERS else {}


_NAME = r"[A-Za-z_]\w*"
_REST = r"[^\n;}#]*?"
_LABELLED = rf"{_BEGIN}(?:{_NAME}[ \t]*:[ \t]*)?"
_BRACE = r"(?=[ \t]*(?:\{|$))"
_LINES = "batch|epochs|steps|loss|optimizer|schedule|metrics|seed|validation|classes|channels|resize|flip|crop"
_JOINS = "add|concat|mul|max|avg|sub"
_TYPES = "int|float|double|bool|str"


def _untyped(match: Match) -> Words:
    formals = re.sub(rf"\b(?:{_TYPES})\s+(?=\w)|:\s*[\w.]+", "", match["formals"]).split(",")
    return {"plain": ", ".join(" ".join(formal.split()) for formal in formals)}


HABITS = (
    # comments
    _row(r"//(?P<note>[^\n]*)", "`//` begins no comment", "#{note}", "a comment begins with `#`", safe=True),
    _row(
        r"(?:--|%|<!--)(?P<note>[ \t]+[A-Za-z][^\n]*?)(?:[ \t]*-->)?",
        "no comment begins so",
        "#{note}",
        "a comment begins with `#`",
        safe=True,
    ),
    _row(
        r"(?<=[ \t])(?P<it>(?P<sign>//|--)(?P<note>[ \t]*[A-Za-z][\w']*[ \t]+[A-Za-z][^\n]*))",
        "`{sign}` begins no comment",
        "#{note}",
        "a comment begins with `#`",
        safe=True,
    ),
    # sizes of the input
    _row(
        rf"(?:{_NAME}\s*=\s*)?[Ii]nput(?:_shape)?\s*[=:]?\s*(?:shape\s*=\s*)?(?P<sizes>{BRACKETS.format(EXTENT)})",
        "`{sizes}` is a tuple, and a size is one word",
        "input {size}",
        make=size,
        safe=True,
    ),
    _row(
        rf"input\s+(?P<sizes>{EXTENT}(?:\s*,\s*{EXTENT})+)",
        "commas do not join the extents of a size",
        "input {size}",
        "the extents of a size are joined by `x`: `{write}`",
        size,
        safe=True,
    ),
    _row(
        r"input\s+(?P<sizes>\d+(?:\s*\*\s*\d+)+)",
        "`*` does not join the extents of a size",
        "input {size}",
        "the extents of a size are joined by `x`: `{write}`",
        size,
        safe=True,
    ),
    _row(
        r"input\s+(?P<sizes>\d+(?:[ \t]+\d+)+)",
        "these are several numbers, and a size is one word",
        "input {size}",
        "the extents of a size are joined by `x`: `{write}`",
        size,
        safe=True,
    ),
    _row(
        rf"input\s+(?P<sizes>(?:None|-1)(?:\s*x\s*{EXTENT})+|{EXTENT}(?:\s*x\s*{EXTENT})*\s*x\s*None(?:\s*x\s*{EXTENT})*)",
        "an unknown size is written `?`",
        "input {size}",
        "write `{write}`: the batch is no part of it",
        size,
    ),
    _row(
        rf"(?:[Ii]nput_?[Ss]hape|Input)\s+(?P<sizes>{EXTENT}(?:x{EXTENT})*)",
        "there is no operation `{it}`",
        "input {size}",
        make=size,
        safe=True,
    ),
    # calls, and what stands around them
    _row(
        rf"(?:{_NAME}\s*=\s*)?(?:[\w.]*\.)?(?P<join>{_NAME})\s*(?:\([^()\n]*\)\s*)?"
        r"\(\s*[(\[](?P<names>\s*\w+(?:\s*,\s*\w+)+\s*)[)\]][^()\n]*\)",
        "a call with a list is no statement",
        "{statement}",
        "branches join tensors: `{write}`",
        joined,
    ),
    _row(
        rf"(?:{_NAME}\s*=\s*)?(?P<names>{_NAME}\s*(?P<join>[-+*])\s*{_NAME})",
        "tensors are joined by an operation, not in an expression",
        "{statement}",
        "branches join them: `{write}`",
        joined,
    ),
    _row(
        rf"(?P<join>{_JOINS})\s*(?P<names>\(\s*{_NAME}(?:\s*,\s*{_NAME})+\s*\))",
        "tensors are joined by an operation, not in a call",
        "{statement}",
        "branches join them: `{write}`",
        joined,
    ),
    _row(
        rf"(?P<line>optimizer|loss|schedule)\s*[:=]?\s*(?:\w+\.)*(?P<key>{_NAME})\s*\((?P<arguments>[^\n]*)\)",
        "this is a call, and a line of a section has its values after spaces",
        "{setting}",
        make=setting,
    ),
    _row(
        rf"{_LABELLED}(?P<it>(?P<path>)(?P<called>{_NAME})[ \t]+(?P<rest>{_REST},{_REST})){_END}",
        "`,` cannot stand between arguments",
        "{statement}",
        "arguments are parted by spaces: `{write}`",
        parted,
        safe=True,
    ),
    _row(
        rf"{_LABELLED}(?P<it>{CALL}){_END}",
        "`{called}(...)` is a call, and a layer is a statement",
        "{statement}",
        "values are parted by spaces, options are `key=value`: `{write}`",
        call,
    ),
    _row(
        rf"(?P<join>{_JOINS})\s+(?P<names>\[\s*\w+(?:\s*,\s*\w+)*\s*\])",
        "there are no lists",
        "{join} {labels}",
        "labels are parted by spaces, and joined with the current tensor: `{write}`",
        listed,
    ),
    _row(
        rf"(?P<join>{_JOINS})\s+(?P<names>{_NAME}(?:\s*[-+*]\s*{_NAME})+)",
        "labels are no numbers, and `{join}` joins them itself",
        "{join} {labels}",
        "labels are parted by spaces, and joined with the current tensor: `{write}`",
        listed,
    ),
    _row(
        r"(?P<made>\w+)\s*=\s*(?:\w+\.)*(?:Sequential|Model|Functional)\s*\([^\n]*",
        "a network is not put together: the file is it",
        help="`net {made}` at the top of the file names the network",
    ),
    _row(
        r"(?:[\w.]+\s*=\s*)?(?:\w+\.)*(?:Sequential|ModuleList)\s*[(\[][^\n]*",
        "there are no lists of layers",
        help="write a statement a line: each is fed by the one above",
    ),
    _row(
        r"\w+\.(?:compile|fit|train|evaluate|build|summary)\s*\([^\n]*",
        "training is no statement of the network",
        help="what `compile` and `fit` say stands in a section: `train {{ loss mse; optimizer adam; epochs 5 }}`",
    ),
    _row(
        r"(?:\w+\s*=\s*)?self\.\w+\s*\([^\n]*",
        "layers are not called: each statement is fed by the one above",
        help="write the layer here, such as `conv 64x3 relu`; what is used several times is a `def`",
    ),
    _row(
        r"(?:import|require|using)\b[^\n]*|from\s+[\w.]+\s+import\b[^\n]*",
        "there is nothing to import",
        help='remove the line; `use "blocks.net"` takes in the definitions of another file',
    ),
    _row(
        r"class\s+(?P<name>\w+)\b[^\n]*",
        "there are no classes",
        help="the file is the network, and `net {name}` names it; what is used several times is a `def`",
    ),
    _row(
        r"(?:print|echo|printf)\b[^\n]*",
        "nothing is printed while a network is read",
        help="`netc summary` shows the shape and the parameters of each layer",
    ),
    # control flow
    _row(
        rf"(?P<it>for\s+(?P<index>\w+)\s+in\s+range\s*\(\s*(?:0\s*,\s*)?(?P<count>\w+)\s*\)\s*:?{_BRACE})",
        "`for` is Python's",
        "repeat {count} as {index}",
        "write `repeat {count} as {index} {{ ... }}`",
    ),
    _row(
        r"(?P<it>for\s*\(?\s*(?:int|let|var|auto)?\s*(?P<index>\w+)\s*=\s*0\s*;\s*\w+\s*<\s*(?P<count>\w+)\s*;[^{\n]*"
        rf"{_BRACE})",
        "`for` is C's",
        "repeat {count} as {index}",
        "write `repeat {count} as {index} {{ ... }}`",
    ),
    _row(
        rf"(?P<it>(?:for|foreach|repeat)\s+(?P<index>{_NAME})\s+in\s+(?P<count>\w+)\s*:?{_BRACE})",
        "how often comes first, and then the index",
        "repeat {count} as {index}",
        "write `repeat {count} as {index} {{ ... }}`",
        safe=True,
    ),
    _row(
        r"(?P<it>while\b[^\n{]*)",
        "there is no `while`: how often is known before the network runs",
        help="write `repeat 3 {{ ... }}`",
    ),
    _row(
        r"(?P<it>(?:elif|elsif|elseif)\b(?P<rest>[^\n{:]*?)[ \t]*:?)(?=[ \t]*(?:\{|$))",
        "there is no `elif`",
        "else if{rest}",
        "write `else if{rest} {{ ... }}`",
    ),
    _row(
        r"(?P<head>(?:if|else|repeat|def)\b[^\n{:]*):",
        "`:` begins no block",
        help="write `{head} {{ ... }}`: braces hold it, not the indentation",
    ),
    _row(
        rf"(?P<it>(?P<head>(?:if\s+\([^()\n]*\)|repeat\s+\d+))\s+(?P<rest>(?P<op>{_NAME})\s[^\n{{}};#]*?))[ \t]*$",
        "what it governs stands in braces",
        "{head} {{ {rest} }}",
        make=_if_operation("op"),
    ),
    _row(r"(?:end|endif|done|fi|begin|endfor)", "there is no `{it}`", help="braces hold a block: `repeat 3 {{ ... }}`"),
    _row(
        rf"return\b\s*(?P<value>{_REST})",
        "there is no `return`: a definition gives its last tensor",
        help="remove it, or write `from` with a label; `output` names the outputs of a network",
    ),
    _row(
        r"(?P<it>\b(?:if|param|repeat)\b[^\n{]*?(?:&&|\|\|)[^\n{]*?)(?=\s*(?:\{|$))",
        "`&&` and `||` are C's",
        "{words}",
        make=lambda match: {"words": match["it"].replace("&&", "and").replace("||", "or")},
        safe=True,
    ),
    _row(r"(?<=if )(?P<it>!)(?=[\w(])", "`!` is C's", "not ", "write `not`", safe=True),
    _row(
        r"(?P<it>(?P<head>(?:else\s+)?if\b[^\n{=<>!]*?[^\n{=<>!\s])\s*=\s*(?P<value>\w+))(?=\s*\{)",
        "a comparison is `==`",
        "{head} == {value}",
        safe=True,
    ),
    _row(
        r"repeat\s+(?P<it>\d+\.\.\.?\d+)",
        "there are no ranges",
        help="write how often: `repeat 3 as i {{ ... }}`, i from 0",
    ),
    # definitions and values
    _row(
        rf"(?P<it>(?P<word>function|fn|func|fun|void)\s+(?P<name>{_NAME})\s*\((?P<formals>[^()\n]*)\))",
        "there is no `{word}`",
        "def {name}({plain})",
        "write `{write} {{ ... }}`",
        _untyped,
    ),
    _row(
        rf"(?P<it>def\s+(?P<name>\w+)\s*\((?P<formals>[^()\n]*(?:\b(?:{_TYPES})\s+\w|\w\s*:)[^()\n]*)\))",
        "parameters have no types",
        "def {name}({plain})",
        "write `{write} {{ ... }}`",
        _untyped,
        safe=True,
    ),
    _row(
        rf"param\s+(?P<name>{_NAME})\s*:?\s*(?P<value>{NUMBER})",
        "a `param` has its value after `=`",
        "param {name} = {value}",
        safe=True,
    ),
    _row(
        rf"param\s+(?P<all>{_NAME}\s*=\s*[^,\n]+(?:,\s*{_NAME}\s*=\s*[^,\n]+)+)",
        "a `param` names one value",
        "{params}",
        make=lambda match: {"params": "; ".join(f"param {one.strip()}" for one in match["all"].split(","))},
        safe=True,
    ),
    _row(
        rf"(?:(?:let|var|const|auto|final|set|{_TYPES})\s+)+(?P<name>{_NAME})\s*(?::\s*\w+\s*)?:?=\s*(?P<value>{_REST})",
        "a value is named by `param`",
        "param {name} = {value}",
        "write `{write}`, at the top of the file",
    ),
    _row(
        rf"(?P<name>{_NAME})\s*(?:[-+*/]=|\+\+|--){_REST}",
        "a value never changes",
        help="write the expression where it is needed, `(2*{name})`; in `repeat n as i` the index counts",
    ),
    _row(
        rf"(?P<key>filters|units|kernel|kernel_size|strides?|padding|activation)\s*[:=]\s*{_REST}",
        "an option stands on the line of its operation",
        help="write for example `conv 64x3/2 pad=valid relu`",
        make=lambda match: None if match["key"] in LAYERS else {},
    ),
    _row(
        rf"(?P<line>{_LINES})\s*(?P<sign>[:=])\s*(?P<value>[A-Za-z_0-9.]{_REST})",
        "a line of a section has neither `:` nor `=` after its name",
        "{line} {value}",
        make=_unless_labelled,
        safe=True,
    ),
    _row(
        rf"(?:lr|learning_rate)\s*[:=]?\s*(?P<rate>{NUMBER})",
        "the learning rate is an option of the optimizer",
        help="write it there: `optimizer adam lr={rate}`",
    ),
    _row(
        rf"momentum\s*[:=]?\s*(?P<value>{NUMBER})",
        "momentum is an option of the optimizer",
        help="write it there: `optimizer momentum lr=0.1 momentum={value}`",
    ),
    _row(
        rf"(?P<name>{_NAME})\s*:?=\s*(?P<value>{NUMBER})",
        "a value is named by `param`",
        "param {name} = {value}",
        "write `{write}`, at the top of the file",
        parameter,
    ),
    _row(
        rf"(?P<op>{_NAME})\s*:?=\s*(?P<value>{VALUE}{_REST})",
        "`{op}` is an operation: its values follow without `=`",
        "{op} {value}",
        make=operation,
        safe=True,
    ),
    _row(
        rf"(?P<made>{_NAME})\s*:?=\s*(?P<value>(?P<op>{_NAME})\b[^\n;}}=(#]*?)",
        "`=` names no result",
        "{made}: {value}",
        "a label names a tensor that is used again: `{write}`",
        operation,
    ),
    _row(
        r"(?P<it>\b(?P<key>True|False)\b)",
        "`{it}` is Python's",
        "{name}",
        make=_named(true="true", false="false"),
        safe=True,
    ),
    _row(r"(?P<it>\bNone\b)", "there is no `None`", help="leave out what has no value"),
    _row(r"(?P<it>'(?P<word>\w+)')", "words stand without quotes, and strings in double ones", "{word}", safe=True),
    _row(
        r"(?P<it>\"(?P<word>[\w.]+)\")", "words and numbers stand without quotes", "{word}", make=value_word, safe=True
    ),
    _row(rf"(?P<it>(?<![\w.])(?P<number>{NUMBER})[fFL])(?!\w)", "numbers have no type", "{number}", safe=True),
    _row(r"use\s+(?P<path>[\w./-]+)", "a path stands in quotes", 'use "{path}"', safe=True),
    _row(
        rf"output\s+(?P<rest>(?P<op>{_NAME})\s+\d{_REST})",
        "`output` names labels",
        help="the last statement is the output; for another one write `out: {rest}`, and below `output out`",
        make=operation,
    ),
    # YAML, JSON and other formats
    _row(
        rf"(?P<op>{_NAME})\s*:\s*(?P<value>{VALUE}{_REST})",
        "`{op}:` is a label, which names what an operation makes",
        "{op} {value}",
        make=operation,
        safe=True,
    ),
    _row(
        rf"-\s+(?P<op>{_NAME})\s*:?\s*(?P<value>{_REST})",
        "statements are no list: nothing stands before them",
        "{op} {value}",
        make=operation,
        safe=True,
    ),
    _row(r"\[\w+\]", "there are no sections in brackets", help="write an operation with its values: `conv 64x3 relu`"),
    _row(
        rf"{_BEGIN}(?P<it>(?:layers?|node)\s*\{{[^\n]*|\{{\s*[\"']\w+[\"']\s*:[^\n]*)",
        "a network is no data in braces",
        help="write an operation with its values: `conv 64x3 relu`",
    ),
    _row(
        rf"{_BEGIN}(?P<it>(?P<name>residual|shortcut)\s*\{{)",
        "there is no `{name}`",
        help="write `add {{ | identity | conv 64x3 }}`",
    ),
    # papers
    _row(
        r"(?<=[\w)])(?P<it>[ \t]*(?P<sign>->|→|=>|>>|\|>|⇒)[ \t]*)",
        "`{sign}` does not join statements",
        "; ",
        "statements are parted by `;` or a new line",
        safe=True,
    ),
    _row(
        rf"(?P<it>(?P<number>\d+(?:\.\d+)?)[ \t]*%){_END}",
        "a share is a number, not per cent",
        "{share}",
        make=share,
        safe=True,
    ),
    _row(
        r"(?P<op>dropout|noise|droppath|spatialdropout)\s+(?P<whole>\d+),(?P<part>\d+)",
        "a decimal point is a point",
        "{op} {whole}.{part}",
        safe=True,
    ),
    _row(
        r"(?:[Ll]inear|affine)\s+(?:\d+[ \t]+)?(?P<units>\d+)",
        "`linear` is the activation that changes nothing",
        "fc {units}",
        "a dense layer is `{write}`",
    ),
    _row(
        r"(?P<act>softmax|sigmoid)\s+(?P<units>\d+)",
        "`{act}` is an activation, and has no weights",
        "fc {units} {act}",
        "a dense layer that ends in it is `{write}`",
    ),
    _row(
        rf"(?:activation|act)\s+(?P<op>{_NAME})",
        "an activation stands by itself",
        "{op}",
        "write `{write}`, or the word after its layer",
        operation,
        safe=True,
    ),
    _row(
        r"(?:conv\s+)?(?P<k>\d+)x(?P=k)(?:\s*conv)?\s*[, \t]\s*(?P<filters>\d+)"
        r"(?:\s*,\s*(?:/|stride\s+)(?P<stride>\d+))?",
        "filters come first, and then the window",
        "conv {filters}x{k}{by}",
        "write `{write}`",
        lambda match: {"by": f"/{match['stride']}" if match["stride"] else ""},
        safe=True,
    ),
    _row(
        r"conv(?P<k>\d+)(?:x(?P=k))?[- ](?P<filters>\d+)",
        "filters come first, and then the window",
        "conv {filters}x{k}",
        safe=True,
    ),
    _row(
        rf"(?:conv\s+)?(?P<filters>\d+)\s?@\s?(?P<k>\d+)(?:x(?P<w>\d+))?(?P<rest>{_REST})",
        "`@` joins no size",
        "conv {filters}x{window}{rest}",
        make=lambda match: {"window": match["k"] + (f"x{match['w']}" if match["w"] not in (None, match["k"]) else "")},
        safe=True,
    ),
    _row(r"(?:FC[- ]?|fc-?)(?P<units>\d+)", "`{it}` is an operation and its units", "fc {units}", safe=True),
    _row(
        rf"(?P<times>\d+)\s?[x×]\s+(?P<what>(?P<op>{_NAME}){_REST})",
        "what comes several times is a `repeat`",
        "repeat {times} {{ {what} }}",
        make=operation,
    ),
    _row(
        rf"(?P<key>max|avg|average|mean|global[ _](?:average|avg|max))(?:[ _-]pool|[ _-]?pooling)\b(?P<rest>{_REST})",
        "`{it}` has another name",
        "{name}{rest}",
        make=_named(
            max="pool",
            avg="avgpool",
            average="avgpool",
            mean="avgpool",
            global_average="gap",
            global_avg="gap",
            global_max="gmp",
        ),
        safe=True,
    ),
    _row(
        rf"(?P<key>batch|layer|group)[ _-]norm(?:ali[sz]ation)?\b(?P<rest>{_REST})",
        "`{it}` has another name",
        "{name}{rest}",
        make=_named(batch="bn", layer="layernorm", group="groupnorm"),
        safe=True,
    ),
    _row(
        r"(?<=[\w)])(?P<it>[ \t]*\+[ \t]*(?P<op>[a-z]\w*)(?:[ \t]*\+[ \t]*[a-z]\w*)*)",
        "words after an operation are parted by spaces",
        " {acts}",
        make=lambda match: {"acts": " ".join(re.findall(r"\w+", match["it"]))} if match["op"] in LAYERS else None,
        safe=True,
    ),
    # options
    _row(
        r"(?P<it>\b(?P<key>kernel|strides?|dilation|pad|padding|size|kernel_size)\s*=\s*(?P<sizes>"
        + BRACKETS.format(r"\d+")
        + "))",
        "there are no tuples: a size is one word",
        "{name}={size}",
        make=lambda match: {**size(match), **_named(strides="stride", padding="pad", kernel_size="kernel")(match)},
        safe=True,
    ),
    _row(
        r"(?P<it>\b(?:(?:activation|nonlinearity)\s*=\s*|(?:activation|act)[ \t]+)[\"']?(?P<op>[a-z]\w*)[\"']?)",
        "an activation is a word after its operation",
        "{op}",
        "write `{write}` there",
        operation,
    ),
    _row(
        r"(?P<it>\b(?P<key>stride|kernel|pad|dilation|bias|groups)[ \t]+"
        r"(?P<value>\d+(?:x\d+)?|same|valid|true|false)\b)",
        "an option is `key=value`",
        "{key}={value}",
        safe=True,
    ),
    _row(
        r"\w*(?:conv|pool)[ \t][^\n;{}|#]*?[ \t](?P<it>(?P<key>[kspdg])=(?P<value>\d+)(?![\w.]))",
        "options have whole names",
        "{name}={value}",
        make=_named(k="kernel", s="stride", p="pad", d="dilation", g="groups"),
    ),
    _row(
        r"(?P<it>\b[A-Za-z]\w*\(\))",
        "a word is not called",
        "{word}",
        make=lambda match: _plain_word(match["it"][:-2]),
        safe=True,
    ),
    # sections
    _row(
        rf"optimizer\s+(?P<name>{_NAME})\s+\(?(?P<rate>{NUMBER})\)?",
        "the learning rate has a key",
        "optimizer {name} lr={rate}",
        safe=True,
    ),
    _row(r"(?P<it>\blearning_rate(?=\s*=))", "the learning rate is `lr`", "lr", safe=True),
    _row(
        r"metrics\s*[:=]?\s*(?P<names>\[\s*\w+(?:\s*,\s*\w+)*\s*\])",
        "there are no lists",
        "metrics {labels}",
        make=listed,
        safe=True,
    ),
)


def _plain_word(name: str) -> Words | None:
    return {"word": name.lower()} if name.lower() in LAYERS else None
