"""Arguments to declared parameters: the one way in which anything that a spec writes gets its values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import dropwhile, takewhile
from typing import Any

from netc.diagnostics.model import Edit, Fix
from netc.ir.net import Written
from netc.ir.shape import SIZES
from netc.layers.kinds import Operand, Padding
from netc.lower.evaluate import Poison, Scope, evaluate, integer, value_words
from netc.lower.walk import names
from netc.params import Anything, Bool, Choice, Param, Refused, Signature, Sizes
from netc.suggest import did_you_mean
from netc.syntax.source import Span
from netc.syntax.tree import Argument, Expr, Group, Keyword, Literal, Operation, Positional, Reference, Size, Starred
from netc.values import SizeValue, Value, Word, kind_of, show


@dataclass(slots=True, eq=False)
class Option:
    """A value that a `default` statement set, with its place and what it sees there."""

    value: Value
    expr: Expr | Size
    span: Span
    scope: Scope

    @property
    def written(self) -> Written | None:
        """The expression, or one a dimension."""
        return _parts_written(self.expr.parts) if isinstance(self.expr, Size) else self.expr

    def means_the_same(self, scope: Scope) -> bool:
        """Whether the names in its expression mean in a scope what they mean where it stands."""
        written = self.written
        parts = written if isinstance(written, tuple) else (written,)
        read = {name for part in parts if part is not None for name in names(part)}
        if not read or any(name in SIZES and not self.scope.knows(name) for name in read):
            return not read
        inner: Scope | None = scope
        while inner is not None and inner.values is not self.scope.values:
            if read & inner.values.keys():
                return False
            inner = inner.outer
        return inner is not None


@dataclass(slots=True, eq=False)
class Trailing:
    """A word after an operation that makes a layer of its own: `bn`, `relu`."""

    word: str
    expr: Expr
    span: Span
    default: bool = False  # stands in a `default`, and so means what it means there

    @property
    def named(self) -> bool:
        """Whether a parameter holds it."""
        return not (isinstance(self.expr, Reference) and self.expr.name == self.word)


@dataclass(frozen=True, slots=True, eq=False)
class Defaults:
    """What `default` statements say of an operation: values of its options, and the words after it."""

    options: Mapping[str, Option] = field(default_factory=dict)
    words: tuple[Trailing, ...] = ()


@dataclass(slots=True)
class Bound:
    """What the arguments of one operation say: given values (defaults are the class's own), how and where each was
    written, the trailing words in order, and the bare names left over for labels. `rank` is the number of spatial
    dimensions, of the current tensor or else of the sizes that were written (None: no size says it)."""

    values: dict[str, Any] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    trailing: list[Trailing] = field(default_factory=list)
    labels: list[Reference | Starred] = field(default_factory=list)
    tensors: dict[str, Reference] = field(default_factory=dict)  # labels that parameters name, by parameter
    rank: int | None = None
    unseen: list[Expr] = field(default_factory=list)

    def default(self, name: str, option: Option, scope: Scope) -> None:
        """Note how an option was written, if it can be written in a scope too."""
        written = option.written
        if written is not None and option.means_the_same(scope):
            self.written[name] = written
        else:
            parts = written if isinstance(written, tuple) else (written,)
            self.unseen += [part for part in parts if part is not None]


NO_DEFAULTS = Defaults()


@cache
def trailing_words() -> frozenset[str]:
    """Words that may stand after operations whose signature is `trailing`."""
    from netc.layers import LAYERS  # noqa: PLC0415 - layers are complete only after import

    return frozenset(name for name, layer in LAYERS.items() if layer.trails)


def bind(
    signature: Signature,
    operation: Operation,
    scope: Scope,
    rank: int | None,
    *,
    arguments: Iterable[Argument] | None = None,
    defaults: Defaults = NO_DEFAULTS,
    labels: bool = False,
) -> Bound:
    """Bind the arguments of an operation; raises `Poison` after reporting everything wrong with them.

    `rank` is the number of spatial dimensions of the current tensor, None where it is not known. `arguments` replaces
    the operation's own (for statements whose first word chose the signature). `defaults` give way to what is written:
    each option to its own, all words to any. With `labels`, bare names that are neither words nor parameters are left
    to the caller.
    """
    written = tuple(operation.arguments if arguments is None else arguments)
    binder = _Binder(signature, operation, written, scope, rank, labels)
    for argument in written:
        try:
            binder.take(argument)
        except Poison:
            binder.failed = True
    binder.fill(defaults.options)
    binder.finish()
    if binder.failed:
        raise Poison
    binder.bound.trailing = binder.bound.trailing or [*defaults.words]
    return binder.bound


def size_value(size: Size, scope: Scope) -> SizeValue:
    """The numbers of a size."""
    parts = tuple(None if part is None else _extent(part, scope) for part in size.parts)
    return SizeValue(parts, tuple(_extent(part, scope) for part in size.stride))


def _extent(part: Expr, scope: Scope) -> int:
    return integer(part, scope, "a size")


def _parts_written(parts: tuple[Expr | None, ...]) -> Written | None:
    return parts[0] if len(parts) == 1 else parts


class _Binder:
    """The state of one `bind`."""

    def __init__(
        self,
        signature: Signature,
        operation: Operation,
        arguments: Sequence[Argument],
        scope: Scope,
        rank: int | None,
        labels: bool,
    ) -> None:
        self.signature = signature
        self.operation = operation
        self.arguments = arguments
        self.scope = scope
        self.labels = labels
        self.bound = Bound(rank=rank)
        self.failed = False
        self._strayed = False  # after a word that belongs to another statement or to a value
        self._takes_anything = any(isinstance(param.kind, Anything) for param in signature.params.values())

    def fail(self, code: str, message: str, span: Span, *, help: Iterable[str] = ()) -> Poison:
        return self.scope.fail(code, message, span, help=help)

    def take(self, argument: Argument) -> None:
        if isinstance(argument, Keyword):
            self._keyword(argument)
        elif isinstance(argument.value, Size):
            self._size(argument.value)
        elif isinstance(argument.value, Starred):
            self._starred(argument, argument.value)
        elif isinstance(argument.value, Reference):
            self._name(argument.value)
        else:
            self._value(evaluate(argument.value, self.scope), argument.value)

    # -- setting ---------------------------------------------------------------------------------------------

    def set(self, param: Param, value: object, written: Written | None, span: Span) -> None:
        """Accept a value for a parameter that was not given yet."""
        if param.name in self.bound.spans and not param.many:
            raise self.fail("NET103", f"`{param.key}` of `{self.signature.name}` is given twice", span)
        self.bound.spans[param.name] = span
        accepted = self._accept(param, value, span)
        if param.many:
            accepted = (*self.bound.values.get(param.name, ()), accepted)
        self.bound.values[param.name] = accepted
        if written is None:
            return
        if param.many and not isinstance(written, tuple):
            before = self.bound.written.get(param.name)
            written = (*before, written) if isinstance(before, tuple) else (written,)
        self.bound.written[param.name] = written

    def _accept(self, param: Param, value: object, span: Span) -> object:
        try:
            accepted = param.kind.accept(value, self.bound.rank or 0)
        except Refused as error:
            raise self.fail(
                error.code,
                f"`{param.key}` of `{self.signature.name}`: {error}",
                span,
                help=(f"`{param.key}`: {param.doc}",),
            ) from None
        if self.bound.rank is None and isinstance(param.kind, Sizes | Padding) and isinstance(accepted, tuple):
            self.bound.rank = len(accepted)
        return accepted

    def _size(self, size: Size) -> None:
        targets = self.signature.size
        if not targets:
            raise self.fail("NET107", f"`{self.signature.name}` takes no size", size.span, help=(self._usage(),))
        value = size_value(size, self.scope)
        parts, written = value.parts, size.parts
        extent = [name for name in targets if name != "stride"]
        self._refuse_apart(size.span)
        if len(extent) > 1:
            self.set(self.signature.params[extent[0]], parts[0], size.parts[0], size.span)
            parts, written = parts[1:], written[1:]
        if parts:
            shown: object = parts[0] if len(parts) == 1 and parts[0] is not None else SizeValue(parts)
            self.set(self.signature.params[extent[-1]], shown, _parts_written(written), size.span)
        if value.stride:
            self._stride(size, value, targets)

    def _refuse_apart(self, here: Span) -> None:
        """Refuse `conv 64 3` and `pool 3 2`: a size whose parts stand apart, of which one at least stood before."""
        if self._strayed:
            raise Poison
        order = ["filters", "kernel", "stride"]
        targets = sorted(self.signature.size, key=lambda name: order.index(name) if name in order else 0)
        first = self.bound.spans.get(targets[0]) if targets else None
        if first is None:
            return
        run = [*takewhile(self._is_number, dropwhile(lambda one: one.span.start != first.start, self.arguments))]
        keys = {one.key for one in self.arguments if isinstance(one, Keyword)}
        if here.start not in {one.span.start for one in run} or len(targets) < 2 or targets[1] in keys:
            return
        whole = isinstance(run[0].value, Size) and len(run[0].value.parts) > 1 and targets[1] == "kernel"
        *parts, last = (f"`{name}`" for name in targets[: len(run) + whole])
        joints = ["/" if name == "stride" else "x" for name in targets[1:]][whole:]
        strided = [one for one in run if isinstance(one.value, Size) and one.value.stride]
        span, help, fix = run[0].span.to(run[-1].span), self._needed(), None
        if len(run) + len(strided) <= len(joints) + 1 and strided in ([], run[-1:]):
            texts = [f"({one.span.text})" if isinstance(one.value, Reference) else one.span.text for one in run]
            size = texts[0] + "".join(map("".join, zip(joints, texts[1:], strict=False)))
            help = (f"write `{self.signature.name} {size}`",)
            fix = Fix(f"write `{size}`", (Edit(span, size),), safe=joints[: len(run) - 1] == ["x"])
        self._strayed = True
        message = f"`{self.signature.name}` takes its {', '.join(parts)} and {last} as one word, this is {len(run)}"
        self.scope.report.add("NET107", message, span, help=help, fix=fix, frame=self.scope.frame)
        raise Poison

    def _is_number(self, argument: Argument) -> bool:
        """Whether an argument may be a part of a size: a number, the name of a value, an expression, or a size."""
        value = argument.value
        if not isinstance(argument, Positional) or isinstance(value, Reference):
            known = isinstance(value, Reference) and (self.scope.knows(value.name) or value.name in SIZES)
            return isinstance(argument, Positional) and known
        return isinstance(value, Group | Size) or (isinstance(value, Literal) and isinstance(value.value, int))

    def _stride(self, size: Size, value: SizeValue, targets: tuple[str, ...]) -> None:
        if "stride" not in targets:
            raise self.fail("NET107", f"`{self.signature.name}` has no stride", size.span)
        stride: object = value.stride[0] if len(value.stride) == 1 else SizeValue(value.stride)
        self.set(self.signature.params["stride"], stride, _parts_written(size.stride), size.span)

    def _keyword(self, argument: Keyword) -> None:
        param = self.signature.params.get(argument.key)
        if param is None:
            raise self.fail(
                "NET102",
                f"`{self.signature.name}` has no option `{argument.key}`",
                argument.key_span,
                help=did_you_mean(argument.key, self.signature.params, (self._usage(),)),
            )
        value = argument.value
        if isinstance(param.kind, Operand):
            self._tensor(param, argument)
        elif isinstance(value, Size):
            written = _parts_written(value.parts) if not value.stride else None
            self.set(param, size_value(value, self.scope), written, argument.span)
        else:
            computed = self.option_value(param, value)
            if isinstance(computed, Word) and isinstance(value, Reference) and value.name in SIZES:
                value = Literal(computed, value.span)  # the word of an option, which means no size
            self.set(param, computed, value, argument.span)

    def _tensor(self, param: Param, argument: Keyword) -> None:
        """A label after `key=`, whatever else has its name."""
        if not isinstance(argument.value, Reference):
            raise self.fail(
                "NET108",
                f"`{param.key}` of `{self.signature.name}`: expected {param.kind.describe()}, which is a bare name",
                argument.value.span,
                help=("a label is a name before a statement: `c3: conv 64x3 relu`",),
            )
        self.set(param, True, None, argument.span)
        self.bound.tensors[param.name] = argument.value

    def option_value(self, param: Param, value: Expr) -> Value:
        """The value after `key=`, where a bare word of the parameter's kind may stand."""
        if not isinstance(value, Reference):
            return evaluate(value, self.scope)
        is_word = value.name in param.kind.words()
        if is_word and self.scope.knows(value.name):
            raise self._ambiguous(value)
        if is_word:
            return Word(value.name)
        known = self.scope.knows(value.name) or (value.name in SIZES and not isinstance(param.kind, Choice))
        if not known and param.kind.words():
            raise self.fail(
                "NET104",
                f"`{param.name}` of `{self.signature.name}` does not know the word `{value.name}`",
                value.span,
                help=did_you_mean(value.name, param.kind.words(), (f"expected {param.kind.describe()}",)),
            )
        if not known and value.name not in value_words():
            expected = f"expected {param.kind.describe()}, or a parameter"
            help = did_you_mean(value.name, self.scope.names(), (expected,))
            raise self.fail("NET110", f"`{value.name}` is not defined here", value.span, help=help)
        return evaluate(value, self.scope)

    def _starred(self, argument: Argument, label: Starred) -> None:
        if self.labels:
            self.bound.labels.append(label)
            return
        rest = iter(self.operation.arguments)
        follows = argument in rest and next(rest, None)
        if not isinstance(follows, Positional):
            message = f"`{self.signature.name}` joins no tensors, and takes no `{label.name}*`"
            raise self.fail("NET107", message, label.span, help=(self._usage(),))
        span = label.span.to(follows.span)
        self.scope.report.add(
            "NET007",
            f"`{span.text}` is more than one token, and stands outside parentheses",
            span,
            help=(f"more than one token goes in parentheses: `({span.text})`",),
            fix=None if isinstance(follows.value, Size) else Fix("add parentheses", (Edit(span, f"({span.text})"),)),
            frame=self.scope.frame,
        )
        raise Poison

    # -- bare words and values -------------------------------------------------------------------------------

    def _ambiguous(self, expr: Reference) -> Poison:
        return self.fail(
            "NET105",
            f"`{expr.name}` is both a word of `{self.signature.name}` and a parameter",
            expr.span,
            help=(f"`({expr.name})` means the parameter; rename the parameter to mean the word",),
        )

    def _word_param(self, word: str) -> Param | None:
        """The parameter that a bare word sets."""
        for param in self.signature.params.values():
            if param.name == word and isinstance(param.kind, Bool):
                return param
        for param in self.signature.params.values():
            if word in param.bare_words:
                return param
        return None

    def _is_word(self, name: str) -> bool:
        return (self.signature.trailing and name in trailing_words()) or self._word_param(name) is not None

    def _gives_way(self, word: str) -> bool:
        """Whether a word came with a later edition, so that names of older files are not taken for it."""
        param = self._word_param(word)
        return param is not None and param.late

    def _name(self, expr: Reference) -> None:
        known = expr.name == "channels" or self.scope.knows(expr.name)
        word = self._is_word(expr.name) and not (known and self._gives_way(expr.name))
        if known and word:
            raise self._ambiguous(expr)
        if known:
            self._value(evaluate(expr, self.scope), expr)
        elif word:
            self._word(expr.name, expr)
        elif expr.name in SIZES and not self.labels:
            self._value(evaluate(expr, self.scope), expr)
        elif self._takes_anything and expr.name in value_words():
            self._value(Word(expr.name), expr)
        elif self.labels:
            self.bound.labels.append(expr)
        else:
            raise self._unknown_word(expr)

    def _unknown_word(self, expr: Reference) -> Poison:
        from netc.syntax.parser import size_typo  # noqa: PLC0415 - lark is loaded by then

        fixed = size_typo(expr.name)
        if fixed is not None:
            name = fixed[1 : fixed.index(")")]
            known = name in SIZES or self.scope.knows(name)
            self.scope.report.add(
                "NET004",
                f"`{expr.name}` is a name, not a size",
                expr.span,
                help=(f"a name in a size stands in parentheses: `{fixed}`",),
                fix=Fix(f"write `{fixed}`", (Edit(expr.span, fixed),), safe=True) if known else None,
                frame=self.scope.frame,
            )
            return Poison()
        if (help := self._misplaced(expr.name)) is not None:
            self._strayed = True
            raise self.fail("NET104", f"`{self.signature.name}` has no word `{expr.name}`", expr.span, help=(help,))
        words = [word for param in self.signature.params.values() for word in param.bare_words]
        words += [name for name, param in self.signature.params.items() if isinstance(param.kind, Bool)]
        if self.signature.trailing:
            words += sorted(trailing_words())
        return self.fail(
            "NET104",
            f"`{self.signature.name}` does not know the word `{expr.name}`, and no parameter has that name",
            expr.span,
            help=did_you_mean(expr.name, [*words, *self.scope.names()], (self._usage(),)),
        )

    def _misplaced(self, name: str) -> str | None:
        """What to do with the name of an option or of another operation that stands among the words."""
        if name in self.signature.params:
            return f"options are written with `=`: `{name}=...`"
        keyed = (param.key for param in self.signature.params.values() if param.keyed and name in param.kind.words())
        if (key := next(keyed, None)) is not None:
            return f"it is a word of an option: `{key}={name}`"
        from netc.layers import LAYERS  # noqa: PLC0415 - layers are complete only after import

        if name in LAYERS:
            return f"`{name}` is an operation: put it on a line of its own, or `;` before it"
        return None

    def _word(self, word: str, expr: Expr) -> None:
        if self.signature.trailing and word in trailing_words():
            self.bound.trailing.append(Trailing(word, expr, expr.span))
            return
        param = self._word_param(word)
        if param is None:
            raise self.fail(
                "NET104", f"`{self.signature.name}` does not know the word `{word}`", expr.span, help=(self._usage(),)
            )
        flag = isinstance(param.kind, Bool) and param.name == word
        from_parameter = not isinstance(expr, Reference) or word != expr.name
        self.set(
            param,
            True if flag else Word(word),
            expr if from_parameter else None,
            expr.span,
        )

    def _value(self, value: Value, expr: Expr) -> None:
        """A bare value: a word held by a parameter, or whatever comes next in the order of the operation."""
        if isinstance(value, Word) and self._is_word(value):
            self._word(value, expr)
            return
        params = self.signature.params
        names = [*self.signature.positional, *self.signature.size[:1]]
        for name in names:
            if name not in self.bound.spans or params[name].many:
                self.set(params[name], value, expr, expr.span)
                return
        if self._strayed:
            raise Poison
        if not names:
            raise self.fail(
                "NET107",
                f"`{self.signature.name}` takes no {kind_of(value).split(' ', 1)[1]} without a key, got {show(value)}",
                expr.span,
                help=(self._usage(),),
            )
        self._refuse_apart(expr.span)
        raise self.fail(
            "NET107",
            f"`{self.signature.name}` has all its values already, got another: {show(value)}",
            expr.span,
            help=(self._usage(),),
        )

    # -- the end ---------------------------------------------------------------------------------------------

    def fill(self, options: Mapping[str, Option]) -> None:
        """Options of `default` statements, where nothing was written."""
        for name, option in options.items():
            if name in self.bound.spans:
                continue
            try:
                self.set(self.signature.params[name], option.value, None, option.span)
                self.bound.default(name, option, self.scope)
            except Poison:
                self.failed = True

    def finish(self) -> None:
        """Report required parameters that nothing gave."""
        if self.failed:
            return
        missing = [p.key for p in self.signature.params.values() if p.required and p.name not in self.bound.spans]
        if missing:
            self.failed = True
            names = " and ".join(f"`{name}`" for name in missing)
            self.fail("NET106", f"`{self.signature.name}` needs {names}", self.operation.name_span, help=self._needed())

    def _needed(self) -> tuple[str, ...]:
        example = self.signature.example
        return (f"for example `{example}`; {self._usage()}" if example else self._usage(),)

    def _usage(self) -> str:
        if not self.signature.params:
            return f"`{self.signature.name}` takes no arguments"
        return f"`{self.signature.name}` takes: " + ", ".join(self.signature.params)
