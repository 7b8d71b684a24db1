"""Every code netc can report: one table, in order.

NET0xx reading and syntax · NET1xx names, arguments and definitions · NET2xx shapes · NET3xx legal, but not what
a target or an eye expects · NET4xx `data` and `train` · NET5xx lints · NET6xx bounds · NET9xx netc itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How much a finding weighs: an error fails the run, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Code:
    """A code with the short name and the one-line title of its page (`netc explain`)."""

    code: str
    name: str
    title: str
    severity: Severity


def _error(code: str, name: str, title: str) -> Code:
    return Code(code, name, title, Severity.ERROR)


def _warning(code: str, name: str, title: str) -> Code:
    return Code(code, name, title, Severity.WARNING)


_TABLE = (
    # reading and syntax
    _error("NET001", "unexpected", "a piece of text that cannot stand here"),
    _error("NET002", "unclosed", "a bracket, brace or string that is never closed"),
    _error("NET003", "bad-number", "a number that cannot be read"),
    _error("NET004", "spaced-size", "a size written with spaces, or with a name inside"),
    _error("NET005", "unreadable", "a file that cannot be read or is not UTF-8"),
    _error("NET006", "bad-string", "a string that does not end on its line or has an unknown escape"),
    _error("NET007", "bare-expression", "an expression of several tokens outside parentheses"),
    _error("NET008", "language-version", "a language version this netc does not know"),
    _error("NET009", "bad-comment", "a `# netc:` comment that netc does not understand"),
    # names, arguments, definitions
    _error("NET101", "unknown-operation", "an operation that does not exist"),
    _error("NET102", "unknown-key", "a key that the operation does not have"),
    _error("NET103", "duplicate-key", "an option given twice"),
    _error("NET104", "unknown-word", "a word that is neither one of the operation's nor a parameter"),
    _error("NET105", "ambiguous-word", "a word that is both one of the operation's and a parameter"),
    _error("NET106", "missing-argument", "an argument that must be given"),
    _error("NET107", "extra-argument", "more arguments than the operation takes"),
    _error("NET108", "wrong-kind", "a value of the wrong kind"),
    _error("NET109", "out-of-range", "a value outside its range"),
    _error("NET110", "unknown-name", "a name that is not defined in an expression"),
    _error("NET111", "bad-expression", "an expression that cannot be computed"),
    _error("NET112", "unknown-override", "an override of a parameter that the file does not have"),
    _error("NET113", "duplicate-name", "a parameter, definition or label defined twice"),
    _error("NET114", "unknown-label", "a label that does not exist"),
    _error("NET115", "label-before", "a label used before it stands, or not on every path"),
    _error("NET116", "call-below", "a call of a definition that stands below"),
    _error("NET117", "misplaced", "a statement that cannot stand here"),
    _error("NET118", "missing-input", "a layer before any `input`"),
    _error("NET119", "left-behind", "a tensor that nothing uses"),
    _error("NET120", "branch-count", "a combiner with too few or too many branches"),
    _error("NET121", "name-clash", "two layers that would have one name"),
    _error("NET122", "shared-shape", "calls of a shared definition that cannot have their weights in common"),
    _error("NET123", "include", "a `use` that cannot be followed"),
    _error("NET124", "reserved", "a reserved word where a name must stand"),
    _error("NET125", "no-network", "a file without any layer"),
    _error("NET126", "unwanted-block", "braces after an operation that takes none"),
    _error("NET127", "act-beside-norm", "an activation as `act=` beside words"),
    # shapes
    _error("NET201", "operand-shapes", "operands whose shapes differ"),
    _error("NET202", "rank", "an input with the wrong number of dimensions"),
    _error("NET203", "groups", "channels that groups do not divide"),
    _error("NET204", "window-too-large", "a window larger than its input"),
    _error("NET205", "empty-output", "an output of zero or fewer elements"),
    _error("NET206", "odd-channel-padding", "an odd channel difference in a centred zero-padding"),
    _error("NET207", "stride-and-dilation", "a stride together with a dilation"),
    _error("NET208", "unknown-size", "a layer that needs a known size on an unknown one"),
    _error("NET209", "reshape-size", "a reshape to another number of elements"),
    _error("NET210", "unequal-strides", "unequal strides in a depthwise convolution"),
    _error("NET211", "input-form", "an input whose shape is incomplete"),
    _error("NET212", "channel-share", "channels or positions that cannot be shared out evenly"),
    _error("NET213", "no-input-size", "an unknown input size for which no size works"),
    _error("NET214", "ids-made", "ids that a layer makes"),
    # legal, but not what a target or an eye expects
    _warning("NET301", "window-under-stride", "a window smaller than its stride"),
    _warning("NET302", "unknown-size-divisible", "unknown sizes of which not all work"),
    _warning("NET303", "target-transposed-dilation", "a dilated transposed convolution, refused on some CPUs"),
    _warning("NET304", "single-sample-norm", "a normalisation over one value, whose output is constant"),
    # data and train
    _error("NET401", "unknown-setting", "a setting that `data` or `train` does not have"),
    _error("NET402", "unknown-choice", "an optimizer, loss, schedule, data set or metric that does not exist"),
    _error("NET403", "duplicate-setting", "a setting given twice"),
    _error("NET404", "loss-activation", "a loss that contradicts the last activation"),
    _error("NET405", "classes", "outputs that contradict the number of classes"),
    _error("NET406", "data-shape", "an input that contradicts the data set"),
    _error("NET407", "settings-conflict", "settings that cannot stand together"),
    _error("NET408", "loss-output", "a loss for an output that does not exist, or an output without loss"),
    _error("NET409", "missing-setting", "a setting that training needs"),
    _error("NET410", "data-missing", "data that are not where they are looked for, or are none"),
    _error("NET411", "data-file", "a file of the data that cannot be used"),
    # lints
    _warning("NET501", "bias-before-norm", "a bias directly before a batch normalisation"),
    _warning("NET502", "double-activation", "two activations in a row"),
    _warning("NET503", "dropped-border", "border pixels that no window reads"),
    _warning("NET504", "rounded-size", "a size that the stride does not divide"),
    _warning("NET505", "dense-heavy", "a dense layer that holds most of the parameters"),
    _warning("NET506", "softmax-logits", "a softmax before a loss from logits"),
    _warning("NET507", "dropout-last", "a dropout after the last layer"),
    _warning("NET508", "unused-label", "a label that is never used"),
    _warning("NET509", "filters-or-kernel", "`conv 3x3` read as 3 filters of 3x3"),
    _warning("NET510", "hides-block", "a definition that hides a shipped block"),
    _warning("NET511", "unused-parameter", "a parameter that is never used"),
    _warning("NET512", "unused-definition", "a definition that is never called"),
    _warning("NET513", "softmax-one", "a softmax over one output, which is always 1"),
    _warning("NET514", "no-effect", "a layer that changes nothing"),
    _warning("NET515", "channels-as-steps", "a two-dimensional input that looks like an image"),
    _warning("NET516", "useless-allow", "an `allow` comment that accepts nothing"),
    _warning("NET517", "input-order", "an input whose sizes are in another order than netc's"),
    _warning("NET518", "unused-argument", "a parameter of a definition that its body never uses"),
    _warning("NET520", "learning-rate", "a learning rate far outside the use of its optimizer"),
    _warning("NET521", "norm-twice", "a batch normalisation of what one has normalised"),
    _warning("NET522", "softmax-twice", "a softmax of probabilities"),
    _warning("NET523", "squares-of-softmax", "a squared error of a softmax"),
    _warning("NET524", "batch-over-data", "a batch larger than the data set"),
    # bounds
    _error("NET601", "file-size", "a file that is too large"),
    _error("NET602", "nesting", "brackets or blocks nested too deeply"),
    _error("NET603", "repeat-count", "too many passes of a `repeat`"),
    _error("NET604", "layers", "too many layers"),
    _error("NET605", "tensor-size", "a tensor that is too large"),
    _error("NET606", "parameters", "too many parameters"),
    _error("NET607", "number-size", "a number that is too large"),
    _error("NET608", "steps", "too many steps of expansion"),
    _error("NET609", "text-length", "a statement or a name that is too long"),
)

CODES: dict[str, Code] = {code.code: code for code in _TABLE}
