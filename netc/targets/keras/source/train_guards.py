"""What the emitted `train` refuses: parameters that would make it another function than the one that was printed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netc.diagnostics.model import Diagnostics
from netc.limits import Limits
from netc.lower.evaluate import Scope, boolean
from netc.lower.walk import mentions
from netc.program import Program
from netc.sections.model import Line
from netc.syntax.tree import If, Operation, Statement
from netc.target import Symbol
from netc.targets.keras.source.expressions import Sight, constant, names, translate
from netc.targets.keras.source.tree import Statements, load, nodes, refuse
from netc.values import show


@dataclass(frozen=True, slots=True)
class Guards:
    """Refuses other values of parameters that decided about the code but do not stand in it.

    `symbols` gives a setting as it was printed, `sight` and `variables` are those of `train`.
    """

    program: Program
    symbols: Callable[[Line[Any]], Any]
    sight: Sight
    variables: Mapping[str, str]

    def statements(self, body: Statements, named: Iterable[str]) -> Statements:
        """The guards of a body; `named` are parameters that names of layers in it depend on."""
        found = list(self._arms(self._statements()))
        values = self.program.parameters
        for name in dict.fromkeys((*named, *self._fixed(body))):
            test = ast.Compare(load(self.variables[name]), [ast.NotEq()], [constant(values[name])])
            found.append(refuse(test, f"train is written for {name}={show(values[name])} only"))
        return found

    def _statements(self) -> Sequence[Statement]:
        sections = [s for s in self.program.file.statements if isinstance(s, Operation) and s.name == "train"]
        return sections[0].block.statements if sections and sections[0].block else ()

    def _fixed(self, body: Statements) -> Iterator[str]:
        """Parameters in expressions whose symbol was not printed."""
        train = self.program.sections.train
        assert train is not None
        read = set(mentions(self._taken(self._statements())))
        seen: set[str] = set()
        printed = {id(node) for node in nodes(body)}
        for line in train.lines:
            given = self.symbols(line)
            for name, written in line.written.items():
                parts = written if isinstance(written, tuple) else (written,)
                values = getattr(given, name)
                symbols = values if isinstance(values, tuple) else (values,) * len(parts)
                for expr, symbol in zip(parts, symbols, strict=False):
                    known = (names(expr) if expr else frozenset[str]()) & self.variables.keys()
                    seen |= known
                    if known and not (isinstance(symbol, Symbol) and id(symbol.expr) in printed):
                        yield from sorted(known)
        yield from sorted((read & self.variables.keys()) - seen - self._conditions())

    def _conditions(self) -> set[str]:
        found: set[str] = set()
        for statement in self._taken(self._statements(), arms=True):
            if isinstance(statement, If):
                found |= {name for arm in statement.arms if arm.condition for name in names(arm.condition)}
        return found

    def _taken(self, statements: Iterable[Statement], *, arms: bool = False) -> list[Statement]:
        """The lines that count, without the `if`s around them unless `arms`."""
        found: list[Statement] = []
        for statement in statements:
            if not isinstance(statement, If):
                found.append(statement)
                continue
            found += [statement] if arms else []
            arm = self._arm(statement)
            found += self._taken(statement.arms[arm].body.statements, arms=arms) if arm is not None else []
        return found

    def _arm(self, statement: If) -> int | None:
        scope = Scope(self.program.parameters, Diagnostics(), Limits())
        conditions = (arm.condition for arm in statement.arms)
        return next((n for n, one in enumerate(conditions) if one is None or boolean(one, scope)), None)

    def _arms(self, statements: Iterable[Statement]) -> Iterator[ast.stmt]:
        """Refuse parameters with which another arm of an `if` would count."""
        for statement in self._taken(statements, arms=True):
            if not isinstance(statement, If):
                continue
            taken = self._arm(statement)
            for number, arm in enumerate(statement.arms[: None if taken is None else taken + 1]):
                if arm.condition is None:
                    continue
                test = translate(arm.condition, self.sight)
                given = ", ".join(
                    f"{name}={show(self.program.parameters[name])}" for name in sorted(names(arm.condition))
                )
                message = f"train is written for {given}: compile the spec anew for other settings"
                yield refuse(ast.UnaryOp(ast.Not(), test) if number == taken else test, message)
