"""What the core says, in the types of the protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.uris import from_fs_path, to_fs_path

from netc.diagnostics.codes import Severity
from netc.diagnostics.model import Diagnostic, capped
from netc.lower.definitions import SHIPPED
from netc.server import completion, definition, findings, hints, hover, links, rename, signature, symbols, tokens
from netc.server.document import Document
from netc.server.formatting import Replacement, formatting, formatting_of, replacements
from netc.server.protocol.positions import Positions
from netc.server.workspace import Workspace
from netc.syntax.source import Source, Span

FIX_ALL = "source.fixAll.netc"
UNUSED = frozenset(("NET508", "NET511", "NET512", "NET516", "NET518"))  # what editors show in grey
TRIGGERS = ("=", " ", '"', "(", "/")
LEGEND = types.SemanticTokensLegend(list(tokens.KINDS), ["declaration", "defaultLibrary"])
_ITEMS = {
    "operation": types.CompletionItemKind.Function,
    "statement": types.CompletionItemKind.Keyword,
    "definition": types.CompletionItemKind.Module,
    "option": types.CompletionItemKind.Property,
    "word": types.CompletionItemKind.EnumMember,
    "parameter": types.CompletionItemKind.Variable,
    "size": types.CompletionItemKind.Constant,
    "label": types.CompletionItemKind.Reference,
    "setting": types.CompletionItemKind.Property,
    "file": types.CompletionItemKind.File,
    "code": types.CompletionItemKind.Value,
}
_SYMBOLS = {
    "net": types.SymbolKind.Package,
    "parameter": types.SymbolKind.Constant,
    "definition": types.SymbolKind.Function,
    "formal": types.SymbolKind.Variable,
    "label": types.SymbolKind.Key,
    "section": types.SymbolKind.Namespace,
    "repeat": types.SymbolKind.Array,
}


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of the client: how it counts columns, the URIs of the texts that it has or had open by their names,
    the versions that those have which answers are about, the command that a click on "draw" runs, and what it says that
    it can do."""

    encoding: types.PositionEncodingKind | str
    uris: dict[str, str]
    versions: dict[str, int | None]
    draw: str
    can: types.ClientCapabilities

    def uri(self, source: Source) -> str | None:
        """The URI of a text: of a shipped block that of its file; None for one that is no file."""
        if source.name in self.uris:
            return self.uris[source.name]
        if source.name.startswith(SHIPPED):
            return uri_of(Path(str(files("netc.std") / source.name.removeprefix(SHIPPED))))
        return uri_of(Path(source.name)) if Path(source.name).is_absolute() else None

    def edit(self, made: Mapping[Source, list[types.TextEdit]]) -> types.WorkspaceEdit:
        """Edits of texts: of those that are open only in the version that they are about, where the client can see to
        that."""
        named = {source.name: (self.uri(source) or "", edits) for source, edits in made.items()}
        if not get_capability(self.can, "workspace.workspace_edit.document_changes"):
            return types.WorkspaceEdit(dict(named.values()))
        return types.WorkspaceEdit(
            document_changes=[
                types.TextDocumentEdit(
                    types.OptionalVersionedTextDocumentIdentifier(uri, self.versions.get(name)), [*edits]
                )
                for name, (uri, edits) in named.items()
            ]
        )

    def said(self, text: str, where: str) -> types.MarkupContent:
        """A text in Markdown, as what the client shows in a place: as it is where that takes nothing else, which is
        well read too."""
        formats = get_capability(self.can, f"text_document.{where}")
        plain = formats is not None and types.MarkupKind.Markdown not in formats
        return types.MarkupContent(types.MarkupKind.PlainText if plain else types.MarkupKind.Markdown, text)

    def positions(self, source: Source) -> Positions:
        """The places of a text."""
        return Positions(source.text, self.encoding)

    def location(self, span: Span) -> types.Location | None:
        """A place, where its text has a URI."""
        uri = self.uri(span.source)
        return None if uri is None else types.Location(uri, self.positions(span.source).range(span.start, span.end))


class Answers:
    """What there is to say of one text, in the types of the protocol."""

    def __init__(self, client: Client, workspace: Workspace, document: Document) -> None:
        self.client = client
        self.workspace = workspace
        self.document = document
        self.now = document.now
        self.positions = client.positions(document.now.source)

    def offset(self, position: types.Position) -> int:
        """The offset of a place."""
        return self.positions.offset(position)

    def range(self, span: Span) -> types.Range:
        """The range of a place in this text."""
        return self.positions.range(span.start, span.end)

    # -- findings --------------------------------------------------------------------------------------------

    def diagnostics(self) -> list[types.Diagnostic]:
        """All findings."""
        return [self._diagnostic(found) for found in capped(self.now.findings)]

    def _diagnostic(self, found: Diagnostic) -> types.Diagnostic:
        place = findings.place(self.now, found)
        said = [found.message, *(f"note: {note}" for note in found.notes), *(f"help: {text}" for text in found.help)]
        return types.Diagnostic(
            self.range(place),
            "\n".join(said),
            types.DiagnosticSeverity.Error if found.severity is Severity.ERROR else types.DiagnosticSeverity.Warning,
            found.code,
            source="netc",
            tags=[types.DiagnosticTag.Unnecessary] if found.code in UNUSED else None,
            related_information=[*self._related(found, place)] or None,
        )

    def _related(self, found: Diagnostic, place: Span) -> Iterator[types.DiagnosticRelatedInformation]:
        told = [(found.span, found.label or found.message)] if found.span not in (None, place) else []
        told += [(label.span, label.text) for label in found.secondary]
        told += [(frame.span, f"in {frame.title}") for frame in (found.frame.chain() if found.frame else ())]
        for span, text in told:
            if span is not None and (location := self.client.location(span)) is not None:
                yield types.DiagnosticRelatedInformation(location, text)

    def actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """Quick fixes of a range, and all safe ones together."""
        only = params.context.only
        wanted = params.range
        made = []
        if _asked(types.CodeActionKind.QuickFix, only):
            start, end = self.offset(wanted.start), self.offset(wanted.end)
            made += [self._quick(action) for action in findings.actions(self.document, start, end)]
        if _asked(FIX_ALL, only) and (only or any(found.fix for found in self.now.findings)):
            text = findings.mended(self.document)
            if text != self.now.source.text:
                edit = self._edit(replacements(self.now.source.text, text))
                made.append(types.CodeAction("netc: apply all safe fixes", FIX_ALL, edit=edit))
        return made

    def _quick(self, action: findings.Action) -> types.CodeAction:
        edits = [Replacement(*edit.span[1:], edit.replacement) for edit in action.fix.edits]
        diagnostics = [self._diagnostic(action.found)]
        return types.CodeAction(
            action.fix.title,
            types.CodeActionKind.QuickFix,
            diagnostics,
            is_preferred=action.fix.safe,
            edit=self._edit(edits),
        )

    def _edit(self, made: list[Replacement]) -> types.WorkspaceEdit:
        return self.client.edit({self.now.source: self._edits(made)})

    def _edits(self, made: list[Replacement]) -> list[types.TextEdit]:
        return [types.TextEdit(self.positions.range(one.start, one.end), one.text) for one in made]

    def formatting(self) -> list[types.TextEdit]:
        """What formatting changes."""
        return self._edits(formatting(self.document))

    def formatting_of(self, wanted: types.Range) -> list[types.TextEdit]:
        """What formatting changes of some lines."""
        return self._edits(formatting_of(self.document, self.offset(wanted.start), self.offset(wanted.end)))

    # -- a place ---------------------------------------------------------------------------------------------

    def hover(self, position: types.Position) -> types.Hover | None:
        """What there is to say of a place."""
        found = hover.hover(self.document, self.offset(position))
        if found is None:
            return None
        text = found.text + "\n\n*numbers of the text as it last worked*" * found.old
        return types.Hover(self.client.said(text, "hover.content_format"), self.positions.range(found.start, found.end))

    def completion(self, position: types.Position) -> types.CompletionList:
        """What may stand at a place; documentation comes when an item is looked at."""
        found = completion.completion(self.document, self.offset(position))
        where = self.positions.range(found.start, found.end)
        uri = self.client.uri(self.now.source)
        return types.CompletionList(
            is_incomplete=False,
            items=[
                types.CompletionItem(
                    item.label,
                    kind=_ITEMS[item.kind],
                    detail=item.detail or None,
                    sort_text=f"{number:04}",
                    text_edit=types.TextEdit(where, item.text),
                    data={"uri": uri, "kind": item.kind, "of": item.of},
                )
                for number, item in enumerate(found.items)
            ],
        )

    def documented(self, item: types.CompletionItem) -> types.CompletionItem:
        """An item with its documentation."""
        data: Any = item.data
        text = completion.documentation(self.document, data["kind"], item.label, tuple(data["of"]))
        where = "completion.completion_item.documentation_format"
        item.documentation = None if text is None else self.client.said(text, where)
        return item

    def signature(self, position: types.Position) -> types.SignatureHelp | None:
        """What the statement at a place takes."""
        found = signature.signature(self.document, self.offset(position))
        if found is None:
            return None
        parameters = [
            types.ParameterInformation((_units(found.label[: one.start]), _units(found.label[: one.end])), one.text)
            for one in found.parameters
        ]
        shown = types.SignatureInformation(found.label, found.text, parameters, found.active)
        return types.SignatureHelp([shown], 0, found.active)

    # -- names -----------------------------------------------------------------------------------------------

    def definition(self, position: types.Position) -> list[types.Location]:
        """Where the name at a place is defined."""
        found = definition.definition(self.document, self.offset(position))
        return [] if found is None else self._locations(found.spans)

    def references(self, position: types.Position, declaration: bool) -> tuple[list[types.Location], bool]:
        """Where the name at a place is used, and whether all files were looked at."""
        seen = definition.references(self.workspace, self.document, self.offset(position))
        return self._locations(seen.spans(declaration=declaration)), seen.whole

    def highlights(self, position: types.Position) -> list[types.DocumentHighlight]:
        """The same in this text."""
        spans = definition.highlights(self.document, self.offset(position))
        return [types.DocumentHighlight(self.range(span)) for span in spans]

    def _locations(self, spans: tuple[Span, ...] | list[Span]) -> list[types.Location]:
        return [location for span in spans if (location := self.client.location(span)) is not None]

    def renamable(self, position: types.Position) -> types.PrepareRenamePlaceholder:
        """The name at a place; raises `RenameRefused`."""
        span = rename.renamable(self.document, self.offset(position))
        return types.PrepareRenamePlaceholder(self.range(span), span.text)

    def rename(self, position: types.Position, name: str) -> types.WorkspaceEdit:
        """The edits that give a name another one; raises `RenameRefused`."""
        spans: dict[Source, list[Span]] = {}
        for span in rename.rename(self.workspace, self.document, self.offset(position), name):
            spans.setdefault(span.source, []).append(span)
        places = {source: self.client.positions(source) for source in spans}
        return self.client.edit(
            {
                source: [types.TextEdit(places[source].range(span.start, span.end), name) for span in found]
                for source, found in spans.items()
            }
        )

    # -- the whole text --------------------------------------------------------------------------------------

    def outline(self) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
        """The outline: as a list, for clients that show no tree."""
        found = [self._symbol(one) for one in symbols.symbols(self.document)]
        if get_capability(self.client.can, "text_document.document_symbol.hierarchical_document_symbol_support"):
            return found
        uri = self.client.uri(self.now.source) or ""
        return [
            types.SymbolInformation(types.Location(uri, one.range), one.name, one.kind, container_name=container)
            for one, container in _flat(found)
        ]

    def _symbol(self, one: symbols.Symbol) -> types.DocumentSymbol:
        return types.DocumentSymbol(
            one.name,
            _SYMBOLS[one.kind],
            self.range(one.span),
            self.range(one.words),
            one.detail or None,
            children=[self._symbol(inner) for inner in one.inside],
        )

    def folding(self) -> list[types.FoldingRange]:
        """What can be folded."""
        comment, region = types.FoldingRangeKind.Comment, types.FoldingRangeKind.Region
        found = symbols.folding(self.document)
        lines = (
            [self.positions.position(one.first).line for one in found],
            [self.positions.position(one.last).line for one in found],
        )
        return [
            types.FoldingRange(first, last, kind=comment if one.comment else region)
            for one, first, last in zip(found, *lines, strict=True)
            if last > first
        ]

    def tokens(self) -> types.SemanticTokens:
        """What each word is, each by its distance from the one before."""
        data: list[int] = []
        line = column = 0
        for word in tokens.tokens(self.document):
            start, end = self.positions.position(word.start), self.positions.position(word.end)
            if start.line != end.line:
                continue
            column = column if start.line == line else 0
            modifiers = word.declaration + 2 * word.shipped
            length = end.character - start.character
            data += [start.line - line, start.character - column, length, tokens.KINDS.index(word.kind), modifiers]
            line, column = start.line, start.character
        return types.SemanticTokens(data)

    def links(self) -> list[types.DocumentLink]:
        """The files that the text brings in."""
        found = links.links(self.document)
        return [types.DocumentLink(self.range(one.span), uri_of(one.path)) for one in found]

    def lenses(self) -> list[types.CodeLens]:
        """What stands above statements; a click on "draw" runs a command."""
        uri: Any = self.client.uri(self.now.source)
        draw = types.Command("draw", self.client.draw, arguments=[uri])
        return [
            types.CodeLens(self.range(lens.span), draw if lens.draws else types.Command(lens.text, ""))
            for lens in hints.lenses(self.document)
        ]

    def hints(self, wanted: types.Range) -> list[types.InlayHint]:
        """Shapes beside statements."""
        found = hints.hints(self.document, self.offset(wanted.start), self.offset(wanted.end))
        return [
            types.InlayHint(
                self.positions.position(hint.offset),
                hint.text,
                types.InlayHintKind.Type,
                tooltip="of the text as it last worked" if hint.old else None,
                padding_left=True,
            )
            for hint in found
        ]


def _flat(
    found: Iterable[types.DocumentSymbol], container: str | None = None
) -> Iterator[tuple[types.DocumentSymbol, str | None]]:
    """Parts of a text with the names of those around them."""
    for one in found:
        yield one, container
        yield from _flat(one.children or (), one.name)


def uri_of(path: Path) -> str:
    """The URI of a file."""
    return str(from_fs_path(str(path)))


def path_of_uri(uri: str) -> str | None:
    """The file of a URI; None for one of something else. A semicolon is one of its name, as editors have it."""
    return to_fs_path(uri.replace(";", "%3B"))


def _asked(kind: str, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether a kind of action is among those that are asked for: a kind stands for all that begin with it."""
    return only is None or any(kind == one or kind.startswith(f"{one}.") for one in only)


def _units(text: str) -> int:
    """Labels of parameters are counted in UTF-16, whatever was agreed on for texts."""
    return len(text.encode("utf-16-le")) // 2
