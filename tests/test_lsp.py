"""The language server over standard input and output, as editors talk to it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

pytest.importorskip("pygls", reason="the language server needs `pip install 'netc[lsp]'`")
pytest_lsp = pytest.importorskip("pytest_lsp", reason="needs pytest-lsp")

from lsprotocol import types  # noqa: E402
from pygls.exceptions import JsonRpcException  # noqa: E402
from pygls.uris import from_fs_path, to_fs_path  # noqa: E402
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities  # noqa: E402

from netc.server.protocol.positions import Positions  # noqa: E402
from tests.specs import SPECS  # noqa: E402

UNET = (SPECS / "unet.net").read_text(encoding="utf-8")
PATIENCE = 20  # seconds
SERVER = ClientServerConfig(server_command=[sys.executable, "-m", "netc", "lsp", "--stdio"])


def listen(client: Any) -> None:
    """Keep all findings that are `told`: of two that come at once, who waits for the next ones would miss the second."""
    client.told, known = asyncio.Queue(), client.protocol._handle_notification

    def told(method: str, params: Any) -> None:
        if method == types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS:
            client.told.put_nowait(params)
        known(method, params)

    client.protocol._handle_notification = told


async def begin(client: LanguageClient, editor: str, *folders: Path, **less: Any) -> None:
    """Begin as an editor does, in some folders; `watched` are then the patterns of files that the server asks for, and
    `refreshed` what it has shown anew."""
    client.watched, client.refreshed = [], []

    @client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register(params: types.RegistrationParams) -> None:
        for each in params.registrations:
            client.watched += [one["globPattern"] for one in each.register_options["watchers"]]

    for shown in ("inlayHint", "codeLens", "semanticTokens"):
        client.feature(f"workspace/{shown}/refresh")(lambda *_, shown=shown: client.refreshed.append(shown))
    listen(client)
    opened = [types.WorkspaceFolder(uri(folder), folder.name) for folder in folders]
    can = client_capabilities(editor)
    for name, value in less.items():
        setattr(can, name, value)
    await client.initialize_session(types.InitializeParams(can, workspace_folders=opened))


@pytest_lsp.fixture(config=SERVER, scope="module")
async def client(lsp_client: LanguageClient, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[None]:
    """A client that has begun, for all tests: the start takes longer than they do."""
    await begin(lsp_client, "visual_studio_code", tmp_path_factory.mktemp("project"))
    yield
    await lsp_client.shutdown_session()


@pytest_lsp.fixture(config=SERVER)
async def other(lsp_client: LanguageClient, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """A client with the capabilities of another editor."""
    await begin(lsp_client, request.param, tmp_path)
    yield
    await lsp_client.shutdown_session()


def uri(path: Path) -> str:
    return str(from_fs_path(str(path)))


async def published(client: LanguageClient) -> types.PublishDiagnosticsParams:
    """Wait for findings of any text: the next ones of those that came since something was last written."""
    found: types.PublishDiagnosticsParams = await asyncio.wait_for(client.told.get(), PATIENCE)  # type: ignore
    return found


def forget(client: LanguageClient) -> None:
    """Forget what was told before something is written."""
    while not client.told.empty():  # type: ignore
        client.told.get_nowait()  # type: ignore


def changes(edit: types.WorkspaceEdit | None) -> dict[str, list[types.TextEdit]]:
    """The edits of each text, of what an editor applies."""
    assert edit is not None
    if edit.document_changes is None:
        return {each: [*edits] for each, edits in (edit.changes or {}).items()}
    assert edit.changes is None
    return {one.text_document.uri: [*one.edits] for one in edit.document_changes}  # type: ignore


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds of what the server has told."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


class Editor:
    """A text that is open in an editor."""

    def __init__(self, client: LanguageClient, path: Path | str, text: str) -> None:
        self.client, self.version = client, 0
        self.uri = path if isinstance(path, str) else uri(path)
        self.document = types.TextDocumentIdentifier(self.uri)
        self.text = text
        forget(client)
        opened = types.TextDocumentItem(self.uri, "netc", 0, text)
        client.text_document_did_open(types.DidOpenTextDocumentParams(opened))

    def change(self, text: str) -> None:
        """Write something else."""
        forget(self.client)
        self.version, self.text = self.version + 1, text
        whole = types.TextDocumentContentChangeWholeDocument(text)
        version = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(version, [whole]))

    async def findings(self) -> list[types.Diagnostic]:
        """What is told of the last version."""
        while (found := await published(self.client)).uri != self.uri or found.version != self.version:
            pass
        return [*found.diagnostics]

    def at(self, words: str, plus: int = 0) -> types.Position:
        """The place of words, in UTF-16."""
        return Positions(self.text).position(self.text.index(words) + plus)

    def part(self, where: types.Range) -> str:
        """What stands in a range."""
        places = Positions(self.text)
        return self.text[places.offset(where.start) : places.offset(where.end)]

    def edited(self, edits: Any) -> str:
        """The text after edits."""
        places, text = Positions(self.text), self.text
        for edit in sorted(edits, key=lambda one: (one.range.start.line, one.range.start.character), reverse=True):
            text = text[: places.offset(edit.range.start)] + edit.new_text + text[places.offset(edit.range.end) :]
        return text

    @property
    def whole(self) -> types.Range:
        return types.Range(types.Position(0, 0), types.Position(self.text.count("\n") + 1, 0))

    async def custom(self, name: str, **given: Any) -> Any:
        """A request of netc's own, as data."""
        params = {"textDocument": {"uri": self.uri}, **given}
        return _data(await self.client.protocol.send_request_async(f"netc/{name}", params))


def _data(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {key: _data(one) for key, one in value._asdict().items()}
    return [_data(one) for one in value] if isinstance(value, list | tuple) else value


# -- findings ------------------------------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
async def test_findings_fixes_and_formatting(client: LanguageClient, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.netc]\ndeny = ["NET501"]\n')
    editor = Editor(client, tmp_path / "a.net", "input 8x8x3\nconv 4 x 3 relu\nconv 4x3\nrleu\nbn\n")
    found = await editor.findings()
    assert [(one.code, one.source, editor.part(one.range)) for one in found] == [
        ("NET004", "netc", "4 x 3"),
        ("NET101", "netc", "rleu"),
    ]
    assert "help:" in found[1].message
    context = types.CodeActionContext([])
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(editor.document, found[0].range, context)
    )
    assert [action.title for action in actions] == ["write `4x3`", "netc: apply all safe fixes"]
    assert [action.kind for action in actions] == ["quickfix", "source.fixAll.netc"]
    mended = editor.edited(changes(actions[1].edit)[editor.uri])
    assert "conv 4x3 relu\n" in mended
    editor.change(mended.replace("rleu\n", ""))
    (denied,) = await editor.findings()
    assert (denied.code, denied.severity) == ("NET501", types.DiagnosticSeverity.Error)  # as the project says
    editor.change("input   8x8x3\nadd {|conv 3x1\n|identity}   # end\n")
    assert await editor.findings() == []
    options = types.FormattingOptions(4, True)
    edits = await client.text_document_formatting_async(types.DocumentFormattingParams(editor.document, options))
    assert editor.edited(edits) == "input 8x8x3\nadd {\n    | conv 3x1\n    | identity\n}  # end\n"
    first = types.Range(types.Position(0, 0), types.Position(0, 5))
    edits = await client.text_document_range_formatting_async(
        types.DocumentRangeFormattingParams(editor.document, first, options)
    )
    assert editor.edited(edits) == editor.text.replace("input   8", "input 8")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_change_is_one_of_those_that_use_it(client: LanguageClient, tmp_path: Path) -> None:
    (tmp_path / "block.net").write_text("def unit(ch) { conv (ch)x3 }\n")
    main = Editor(client, tmp_path / "main.net", 'use "block.net"\ninput 8x8x3\nunit 4\n')
    assert await main.findings() == []
    block = Editor(client, tmp_path / "block.net", "def unit(ch, k) { conv (ch)x(k) }\n")
    while not client.diagnostics[main.uri]:
        await published(client)
    assert client.diagnostics[main.uri][0].code == "NET106"
    links = await client.text_document_document_link_async(types.DocumentLinkParams(main.document))
    assert [(main.part(one.range), one.target) for one in links] == [('"block.net"', block.uri)]
    found = await client.text_document_definition_async(types.DefinitionParams(main.document, main.at("unit")))
    assert [(one.uri, block.part(one.range)) for one in found] == [(block.uri, "unit")]
    renamed = await client.text_document_rename_async(types.RenameParams(block.document, block.at("unit"), "group"))
    assert {each: len(edits) for each, edits in changes(renamed).items()} == {main.uri: 1, block.uri: 1}
    with pytest.raises(JsonRpcException, match="cannot become `conv`: that is an operation"):
        await client.text_document_rename_async(types.RenameParams(block.document, block.at("unit"), "conv"))
    client.text_document_did_close(types.DidCloseTextDocumentParams(block.document))
    while client.diagnostics[main.uri]:
        await published(client)
    (tmp_path / "pyproject.toml").write_text('[tool.netc]\ndeny = ["NET999"]\n')
    event = types.FileEvent(uri(tmp_path / "pyproject.toml"), types.FileChangeType.Changed)
    client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
    project = uri(tmp_path / "pyproject.toml")
    while project not in client.diagnostics:
        await published(client)
    assert "NET999" in client.diagnostics[project][0].message
    assert client.diagnostics[project][0].range.start.line == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("other", ["neovim", "emacs"], indirect=True)
async def test_other_editors(other: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(other, tmp_path / "a.net", "input 8x8x3\nconv 4 x 3 relu\n")
    (found,) = await editor.findings()
    assert other.watched in ([], ["**/*.net", "**/pyproject.toml"])
    context = types.CodeActionContext([], [types.CodeActionKind.SourceFixAll])
    (action,) = await other.text_document_code_action_async(
        types.CodeActionParams(editor.document, found.range, context)
    )
    assert editor.edited(changes(action.edit)[editor.uri]) == "input 8x8x3\nconv 4x3 relu\n"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("other", "shown"),
    [
        ("visual_studio_code", {"codeLens", "semanticTokens"}),  # as it was before there were hints
        ("neovim", {"inlayHint", "semanticTokens"}),
        ("emacs", set()),
    ],
    indirect=["other"],
)
async def test_what_is_shown_follows_used_files(other: LanguageClient, shown: set[str], tmp_path: Path) -> None:
    block = tmp_path / "block.net"
    block.write_text("def unit(ch) { conv (ch)x3 }\n")
    main = Editor(other, tmp_path / "main.net", 'use "block.net"\ninput 8x8x3\nunit 4\n')
    assert await main.findings() == []
    assert other.refreshed == []
    text = Editor(other, block, "def unit(ch) { conv (ch)x3/2 }\n")
    await until(lambda: {*other.refreshed} == shown)
    other.refreshed.clear()
    assert await shapes(main) == ["8×8×3", "4×4×4"]
    text.change("def unit(ch) { conv (ch)x3/4 }\n")
    await until(lambda: {*other.refreshed} == shown)
    other.refreshed.clear()
    assert await shapes(main) == ["8×8×3", "2×2×4"]
    other.text_document_did_close(types.DidCloseTextDocumentParams(text.document))
    await until(lambda: {*other.refreshed} == shown)
    other.refreshed.clear()
    assert await shapes(main) == ["8×8×3", "8×8×4"]
    block.write_text("def unit(ch) { conv (ch)x3; pool 8 }\n")
    event = types.FileEvent(text.uri, types.FileChangeType.Changed)
    other.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
    await until(lambda: {*other.refreshed} == shown)
    other.refreshed.clear()
    assert await shapes(main) == ["8×8×3", "1×1×4"]
    for more in ("relu\n", "flatten\n"):
        other.refreshed.clear()
        main.change(main.text + more)
        assert await main.findings() == []
        assert len(await shapes(main)) >= 3
    assert other.refreshed == []  # as the client asks again anyway, of a text that has changed


async def shapes(editor: Editor) -> list[str]:
    """What stands beside the statements of a text."""
    params = types.InlayHintParams(editor.document, editor.whole)
    return [str(hint.label) for hint in await editor.client.text_document_inlay_hint_async(params) or ()]


@pytest.mark.asyncio(loop_scope="module")
async def test_edits_are_of_the_texts_as_they_are(client: LanguageClient, tmp_path: Path) -> None:
    """Of all texts, also of those that have just changed; and editors are told of which versions."""
    (tmp_path / "closed.net").write_text('use "block.net"\ninput 8x8x3\nunit 4\n')
    block = Editor(client, tmp_path / "block.net", "def unit(ch) { conv (ch)x3 }\n")
    editor = Editor(client, tmp_path / "main.net", 'use "block.net"\ninput 8x8x3\nunit 4\n')
    for number in range(5):
        editor.change(f'use "block.net"\n{"# more" * number}\ninput 8x8x3\nunit 4; unit {number + 5}\n')
        block.change(f"{'# more' * number}\n\ndef unit(ch) {{ conv (ch)x3 }}\n")
        edit = await client.text_document_rename_async(
            types.RenameParams(block.document, block.at("unit"), f"group{number}")
        )
        assert edit.document_changes is not None
        versions = {one.text_document.uri: one.text_document.version for one in edit.document_changes}
        assert [versions[one.uri] for one in (block, editor)] == [block.version, editor.version]
        for one in (block, editor):
            made = one.edited(changes(edit)[one.uri])
            assert made == one.text.replace("unit", f"group{number}")
        outside = [each for each in versions if each not in (block.uri, editor.uri)]
        assert outside == []  # as the folder is none of the workspace


@pytest.mark.asyncio
@pytest.mark.parametrize("other", ["neovim", "emacs"], indirect=True)  # of which the first tells of no files
async def test_files_that_change_unseen(other: LanguageClient, tmp_path: Path) -> None:
    main = Editor(other, tmp_path / "main.net", 'use "block"\ninput 8x8x3\nunit 4\n')

    def codes() -> list[str]:
        return [str(one.code) for one in other.diagnostics.get(main.uri, ())]

    await until(lambda: codes() == ["NET123", "NET101"])
    await asyncio.sleep(1.5)
    (tmp_path / "block").write_text("def unit(ch) { conv (ch)x3; bn }\n")
    await until(lambda: codes() == ["NET501"])
    (tmp_path / "pyproject.toml").write_text('[tool.netc]\nallow = ["NET501"]\n')
    await until(lambda: codes() == [])
    (tmp_path / "pyproject.toml").unlink()
    await until(lambda: codes() == ["NET501"])
    assert {*other.refreshed} in ({"inlayHint", "semanticTokens"}, set())


@pytest.mark.asyncio
@pytest.mark.parametrize("other", ["emacs"], indirect=True)
async def test_names_in_files_that_are_not_open(other: LanguageClient, tmp_path: Path) -> None:
    text = 'use "../50% blocks; new#1?.net"\ninput 8x8x3\nunit 4\n'
    for name in ("a b.net", "c%20d.net", "é🙂.net"):
        (tmp_path / "models").mkdir(exist_ok=True)
        (tmp_path / "models" / name).write_text(f"# 🙂 {name}\n{text}unit 5\n", encoding="utf-8")
    block = tmp_path / "50% blocks; new#1?.net"
    block.write_text("# é\ndef unit(ch) { conv (ch)x3 }\n", encoding="utf-8")
    editor = Editor(other, tmp_path / "models/a b.net", text)
    assert await editor.findings() == []
    asked = types.ReferenceParams(types.ReferenceContext(True), editor.document, editor.at("unit"))
    used = await other.text_document_references_async(asked)
    found = sorted((Path(str(to_fs_path(one.uri))).name, one.range.start.line) for one in used)
    assert found == [
        (block.name, 1),
        ("a b.net", 2),
        ("c%20d.net", 3),
        ("c%20d.net", 4),
        ("é🙂.net", 3),
        ("é🙂.net", 4),
    ]
    made = await other.text_document_rename_async(types.RenameParams(editor.document, editor.at("unit"), "group"))
    assert {Path(str(to_fs_path(each))).name: len(edits) for each, edits in changes(made).items()} == {
        block.name: 1,
        "a b.net": 1,
        "c%20d.net": 2,
        "é🙂.net": 2,
    }
    assert editor.uri in changes(made)
    (tmp_path / "models/c%20d.net").write_text(text + "unit (\n", encoding="utf-8")
    with pytest.raises(JsonRpcException, match=r"in line 4 of c%20d\.net it stands in words that cannot be read"):
        await other.text_document_rename_async(types.RenameParams(editor.document, editor.at("unit"), "group"))


# -- texts as editors have them ------------------------------------------------------------------------------


@pytest_lsp.fixture(config=SERVER)
async def plain(lsp_client: LanguageClient) -> AsyncIterator[None]:
    """A client that has not begun yet."""
    yield
    await lsp_client.shutdown_session()


@pytest.mark.asyncio
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_places_in_all_that_is_answered(plain: LanguageClient, tmp_path: Path, encoding: str) -> None:
    """Every place of an answer holds the same words, in each encoding, with each end of a line, after a mark."""
    general = types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind(encoding)])
    await begin(plain, "neovim", tmp_path, general=general)
    text = 'net "é🙂"; input 8x8x3; a: conv 4 x 3 relu  # 🙂\nconv 4x3 rleu # é\nlast: conv 4x3\nadd { | relu | bn }  # 🙂\n'
    seen = []
    for number, written in enumerate((text, text.replace("\n", "\r\n"), "\ufeff" + text)):
        editor = Editor(plain, tmp_path / f"{number}.net", written)
        places = Positions(written, encoding)

        def part(where: types.Range, places: Positions = places, written: str = written) -> str:
            return written[places.offset(where.start) : places.offset(where.end)]

        found = [(one.code, part(one.range)) for one in await editor.findings()]
        outline = await plain.text_document_document_symbol_async(types.DocumentSymbolParams(editor.document))
        found += [(one.name, part(one.selection_range), part(one.range)) for one in outline]
        data = (await plain.text_document_semantic_tokens_full_async(types.SemanticTokensParams(editor.document))).data
        line = column = 0
        for at in range(0, len(data), 5):
            line, column = line + data[at], data[at + 1] + (0 if data[at] else column)
            end = types.Position(line, column + data[at + 2])
            found.append((data[at + 3], part(types.Range(types.Position(line, column), end))))
        where = places.position(written.index("bn }"))
        hover = await plain.text_document_hover_async(types.HoverParams(editor.document, where))
        found.append(part(hover.range))
        fixed = types.CodeActionContext([], [types.CodeActionKind("source.fixAll")])
        whole = types.CodeActionParams(editor.document, editor.whole, fixed)
        (action,) = await plain.text_document_code_action_async(whole)
        ((edit),) = changes(action.edit)[editor.uri]
        found.append((part(edit.range), edit.new_text))
        seen.append(found)
    assert {("NET104", "rleu"), ("NET004", "4 x 3"), ("last", "last", "last: conv 4x3")} <= {*seen[0]}
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.asyncio
async def test_a_client_that_can_do_little(plain: LanguageClient, tmp_path: Path) -> None:
    """No pull, no registration, no Markdown, no trees, no refreshing, and no folder."""
    (tmp_path / "pyproject.toml").write_text('[tool.netc]\ndeny = ["NET501"]\n')
    listen(plain)
    await plain.initialize_session(types.InitializeParams(types.ClientCapabilities(), root_path=str(tmp_path)))
    editor = Editor(plain, "untitled:Untitled-1", "input 8x8x3\nconv 4x3\nbn\n")
    assert [one.severity for one in await editor.findings()] == [types.DiagnosticSeverity.Error]  # as of its folder
    editor.change(UNET)
    assert await editor.findings() == []
    outline = await plain.text_document_document_symbol_async(types.DocumentSymbolParams(editor.document))
    assert [(one.name, one.container_name) for one in outline[2:4]] == [("double", None), ("ch", "double")]
    assert editor.part(outline[3].location.range) == "ch"
    hover = await plain.text_document_hover_async(types.HoverParams(editor.document, editor.at("pool 2", 1)))
    assert hover.contents.kind == types.MarkupKind.Markdown  # which clients that say nothing take
    made = await plain.text_document_rename_async(types.RenameParams(editor.document, editor.at("double"), "twice"))
    assert {*changes(made)} == {editor.uri}
    assert len(changes(made)[editor.uri]) == 10


@pytest.mark.asyncio(loop_scope="module")
async def test_names_of_files_as_editors_write_them(client: LanguageClient, tmp_path: Path) -> None:
    """Neovim leaves some marks of a URI as they are, VS Code writes each as a number."""
    (tmp_path / "a;b c.net").write_text("def unit(ch) { conv (ch)x3 }\n")
    for name in ("one;1.net", "one;2.net", "one%3B3.net", "%6Fne%20(4)+&=,@$'!~:.net"):
        editor = Editor(client, f"{uri(tmp_path)}/{name}", f'use "a;b c.net"\ninput 8x8x3\nunit 4 # {name}\n')
        assert await editor.findings() == []
        found = await client.text_document_definition_async(types.DefinitionParams(editor.document, editor.at("unit")))
        assert [to_fs_path(one.uri) for one in found] == [str(tmp_path / "a;b c.net")]
        used = types.ReferenceParams(types.ReferenceContext(True), editor.document, editor.at("unit"))
        places = await client.text_document_references_async(used)
    assert len(places) == 5


@pytest.mark.asyncio
async def test_texts_are_plain_where_the_client_says_so(plain: LanguageClient, tmp_path: Path) -> None:
    hover = types.HoverClientCapabilities(content_format=[types.MarkupKind.PlainText])
    await begin(plain, "emacs", tmp_path, text_document=types.TextDocumentClientCapabilities(hover=hover))
    editor = Editor(plain, tmp_path / "a.net", UNET)
    found = await plain.text_document_hover_async(types.HoverParams(editor.document, editor.at("pool 2", 1)))
    assert found.contents.kind == types.MarkupKind.PlainText


@pytest.mark.asyncio
async def test_two_folders_and_a_project_that_changes(plain: LanguageClient, tmp_path: Path) -> None:
    for folder in ("first", "second", "third"):
        (tmp_path / folder / "models").mkdir(parents=True)
        (tmp_path / folder / "block.net").write_text("def unit(ch) { conv (ch)x3; bn }\n")
    await begin(plain, "visual_studio_code", tmp_path / "first", tmp_path / "second")
    text = 'use "../block.net"\ninput 8x8x3\nunit 4\n'
    editors = {name: Editor(plain, tmp_path / name / "models/a.net", text) for name in ("second", "third")}

    def codes(name: str) -> set[str]:
        return {str(one.code) for one in plain.diagnostics.get(editors[name].uri, ())}

    await until(lambda: "NET501" in codes("second") and "NET123" in codes("third"))  # which `use` would leave
    added = types.WorkspaceFoldersChangeEvent([types.WorkspaceFolder(uri(tmp_path / "third"), "third")], [])
    plain.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(added))
    await until(lambda: codes("third") == {"NET501"})
    asked = types.ReferenceParams(types.ReferenceContext(True), editors["third"].document, editors["third"].at("unit"))
    assert len(await plain.text_document_references_async(asked)) == 2
    (project := tmp_path / "third/pyproject.toml").write_text('[tool.netc]\nallow = ["NET501"]\n')
    event = types.FileEvent(uri(project), types.FileChangeType.Created)
    plain.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
    await until(lambda: codes("third") == set())
    assert codes("second") == {"NET501"}
    project.unlink()
    plain.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
    await until(lambda: codes("third") == {"NET501"})


# -- a place -------------------------------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
async def test_what_stands_at_a_place(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path / "unet.net", UNET)
    hover = await client.text_document_hover_async(types.HoverParams(editor.document, editor.at("(ch)x3", 1)))
    assert hover.contents.value.startswith("`ch` = `64`, `128`")
    assert editor.part(hover.range) == "ch"
    where = editor.at("conv (classes)", 5)
    items = await client.text_document_completion_async(types.CompletionParams(editor.document, where))
    item = next(one for one in items.items if one.label == "pad=")
    assert item.documentation is None
    resolved = await client.completion_item_resolve_async(item)
    assert "zeros around the input" in resolved.documentation.value
    helped = await client.text_document_signature_help_async(types.SignatureHelpParams(editor.document, where))
    shown = helped.signatures[0]
    start, end = shown.parameters[shown.active_parameter].label
    assert shown.label[start:end] == "filters"
    assert await client.text_document_hover_async(types.HoverParams(editor.document, types.Position(999, 0))) is None


@pytest.mark.asyncio(loop_scope="module")
async def test_names(client: LanguageClient, tmp_path: Path) -> None:
    text = "input 32x32x16\na: conv 4x3\nresblock 2 16\nadd a\n".replace("add a", "conv 4x1; add a")
    editor = Editor(client, tmp_path / "a.net", text)
    shipped = await client.text_document_definition_async(
        types.DefinitionParams(editor.document, editor.at("resblock"))
    )
    path = Path(str(to_fs_path(shipped[0].uri)))
    assert path.name == "resnet.net"
    line = path.read_text(encoding="utf-8").split("\n")[shipped[0].range.start.line]
    assert line.startswith("def resblock(")
    context = types.ReferenceContext(include_declaration=True)
    used = await client.text_document_references_async(
        types.ReferenceParams(context, editor.document, editor.at("a: conv"))
    )
    assert [(one.range.start.line, one.range.start.character) for one in used] == [(1, 0), (3, 14)]
    marked = await client.text_document_document_highlight_async(
        types.DocumentHighlightParams(editor.document, editor.at("a: conv"))
    )
    assert [one.range for one in marked] == [one.range for one in used]
    ready = await client.text_document_prepare_rename_async(
        types.PrepareRenameParams(editor.document, editor.at("a: conv"))
    )
    assert ready.placeholder == "a"
    made = await client.text_document_rename_async(types.RenameParams(editor.document, editor.at("a: conv"), "skip"))
    assert editor.edited(changes(made)[editor.uri]) == text.replace("a: ", "skip: ").replace("add a", "add skip")
    for words, name, why in (
        ("a: conv", "repeat", "expected a name"),
        ("resblock", "other", "keeps its name"),
        ("32x32", "other", "no name here"),
    ):
        with pytest.raises(JsonRpcException, match=why) as refused:
            await client.text_document_rename_async(types.RenameParams(editor.document, editor.at(words), name))
        assert refused.value.code == types.LSPErrorCodes.RequestFailed


# -- the whole text ------------------------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
async def test_outline_folding_tokens_lenses_and_shapes(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path / "unet.net", UNET)
    outline = await client.text_document_document_symbol_async(types.DocumentSymbolParams(editor.document))
    assert [one.name for one in outline] == [
        *("unet", "classes", "double", "enc1", "enc2", "enc3", "enc4", "train"),
    ]
    assert [one.name for one in outline[2].children] == ["ch", "repeat 2"]
    folds = await client.text_document_folding_range_async(types.FoldingRangeParams(editor.document))
    lines = UNET.split("\n")
    assert [lines[one.start_line].split(" ")[0] for one in folds] == ["#", "train"]
    tokens = await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(editor.document))
    legend = client_legend(client)
    seen, line, column = set(), 0, 0
    for at in range(0, len(tokens.data), 5):
        down, right, length, kind, _ = tokens.data[at : at + 5]
        line, column = line + down, right + (0 if down else column)
        seen.add((lines[line][column : column + length], legend[kind]))
    assert {("conv", "function"), ("double", "function"), ("ch", "parameter"), ("relu", "enumMember")} <= seen
    assert {("def", "keyword"), ("init", "property"), ("enc1", "variable"), ("0.99", "number")} <= seen
    lenses = await client.text_document_code_lens_async(types.CodeLensParams(editor.document))
    assert [one.command.title for one in lenses[:3]] == [
        *(
            "draw",
            "31,030,658 parameters · 733.9 k·H·W MACs",
            "9 calls · 28,244,288 parameters (91 %) · 701.0 k·H·W MACs",
        ),
    ]
    shapes = await client.text_document_inlay_hint_async(types.InlayHintParams(editor.document, editor.whole))
    shown = {lines[one.position.line][: one.position.character].split("; ")[-1]: one.label for one in shapes}
    assert shown["enc1: double 64"] == "H×W×64"
    assert shown["pool 2"] == "H/16×W/16×512"
    assert shown["def double(ch) { repeat 2 { conv (ch)x3 relu init=he_normal"].startswith("H×W×64 ×2, H/2×W/2×128 ×2")
    editor.change("input 8x8x3\nrepeat 5 { conv 16x3 }\nadd { | relu | bn }\n")
    shapes = await client.text_document_inlay_hint_async(types.InlayHintParams(editor.document, editor.whole))
    assert [one.label for one in shapes] == ["8×8×3", "8×8×16, ×5", "8×8×16", "8×8×16", "8×8×16"]


def client_legend(client: LanguageClient) -> list[str]:
    from netc.server.tokens import KINDS

    return [*KINDS]


@pytest.mark.asyncio(loop_scope="module")
async def test_figures_summaries_and_code(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path / "unet.net", UNET)
    whole = await editor.custom("figure", theme="dark")
    assert whole["svg"].startswith("<svg")
    assert (whole["style"], whole["old"], whole["error"]) == ("grid", False, "")
    where = editor.at("enc2: double", 7)
    made = await editor.custom("nodesAt", position={"line": where.line, "character": where.character})
    assert made == {"nodes": ["enc2_conv1", "enc2_conv2"], "old": False}
    places = await editor.custom("placesOf", node="enc2_conv1")
    assert [place["what"] for place in places] == ["`enc2_conv1`", "pass 1 of 2", "`double`"]
    assert places[2]["range"]["start"]["line"] == where.line
    assert "31,030,658" in (await editor.custom("summary", format="text"))["text"]
    assert json.loads((await editor.custom("summary", format="json"))["text"])["name"] == "unet"
    assert "def build_model" in (await editor.custom("compile"))["code"]
    editor.change(UNET.replace("pool 2", "pol 2", 1))
    old = await editor.custom("figure", theme="dark")
    assert (old["svg"], old["old"], old["line"]) == (whole["svg"], True, editor.at("pol 2").line)
    assert "pol" in old["error"]
    assert "pol" in (await editor.custom("compile"))["error"]
    for name, given in (("figure", {"style": "none"}), ("nodesAt", {}), ("summary", {"format": "x"})):
        with pytest.raises(JsonRpcException):
            await editor.custom(name, **given)
    run = types.ExecuteCommandParams("netc.draw", [editor.uri])
    drawn = Path(await client.workspace_execute_command_async(run))
    assert drawn.read_text(encoding="utf-8") == (await editor.custom("figure"))["svg"]
    drawn.unlink()
    drawn.parent.rmdir()


# -- columns, haste, hostile texts ---------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_places_are_counted_as_was_agreed_on(encoding: str) -> None:
    text = "a🙂é\r\nb\u2028c\x0cd\re\n𝒳y\ud800z"
    places = Positions(text, encoding)
    for offset in range(len(text) + 1):
        if text[max(offset - 1, 0) : offset + 1] == "\r\n":
            assert places.position(offset) == places.position(offset - 1)
            continue
        found = places.position(offset)
        assert places.offset(found) == offset
        before = text[:offset].replace("\r\n", "\n").replace("\r", "\n").rpartition("\n")
        assert found.line == before[0].count("\n") + bool(before[1])
        units = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
        data = before[2].encode(encoding if units == 1 else f"{encoding}-le", "surrogatepass")
        assert found.character == len(data) // units
    inside = types.Position(0, 2)
    assert places.offset(inside) == {"utf-8": 1, "utf-16": 1, "utf-32": 2}[encoding]
    assert places.offset(types.Position(0, 99)) == 3
    assert places.offset(types.Position(99, 0)) == len(text)


@pytest.mark.asyncio(loop_scope="module")
async def test_typing_is_not_queued_and_the_last_text_is_told(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path / "a.net", "input 8x8x3\n")
    for number in range(60):
        editor.change(f"input 8x8x3 # 🙂\nrepeat 300 {{ conv 4x3 }}\n# 🙂 {number}\nrleu{number}\nconv 🙂\n")
    count = 1
    while (found := await published(client)).version != 60:
        count += 1
    assert count < 40
    assert [editor.part(one.range) for one in found.diagnostics] == ["rleu59", "🙂"]
    hover = types.HoverParams(editor.document, types.Position(1, 14))
    waiting = [asyncio.ensure_future(client.text_document_hover_async(hover)) for _ in range(3)]
    assert all(await asyncio.gather(*waiting))


@pytest.mark.asyncio(loop_scope="module")
async def test_a_text_that_is_closed_can_be_opened_again(client: LanguageClient, tmp_path: Path) -> None:
    for number in range(5):
        editor = Editor(client, tmp_path / "a.net", f"rleu{number}")
        if number < 4:
            client.text_document_did_close(types.DidCloseTextDocumentParams(editor.document))
    while not (found := await published(client)).diagnostics or "rleu4" not in found.diagnostics[0].message:
        pass
    editor.change("input 8x8x3\n")
    assert await editor.findings() == []


@pytest.mark.asyncio(loop_scope="module")
async def test_a_hostile_text_is_answered(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path / "a.net", "x" * 1_200_000)
    assert [one.code for one in await editor.findings()] == ["NET601"]
    for text, code in (
        ("input 8x8x3\nrepeat 100000 { conv 4x3 }\n", "NET603"),
        ("(" * 20_000, "NET602"),
        ("\x00\ud83d\n" * 50, "NET001"),
        ("", "NET125"),
    ):
        editor.change(text)
        assert code in [one.code for one in await editor.findings()]
        assert not (await editor.custom("figure"))["svg"]
        for asked in (
            client.text_document_hover_async(types.HoverParams(editor.document, types.Position(0, 0))),
            client.text_document_inlay_hint_async(types.InlayHintParams(editor.document, editor.whole)),
            client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(editor.document)),
            client.text_document_completion_async(types.CompletionParams(editor.document, types.Position(0, 1))),
            client.text_document_document_symbol_async(types.DocumentSymbolParams(editor.document)),
        ):
            await asked
    unknown = types.TextDocumentIdentifier("untitled:Untitled-1")
    with pytest.raises(JsonRpcException, match="is not open"):
        await client.text_document_hover_async(types.HoverParams(unknown, types.Position(0, 0)))


BUSY = """
import sys, time
from netc.cli import main
from netc.server import document

right = document.compile_source

def compile(source, *values, **given):
    if "endless" not in source.text or ("code" in source.text and not given.get("speculate")):
        return right(source, *values, **given)
    print("busy", file=sys.stderr, flush=True)
    while True:
        given = {**given}

document.compile_source = compile
sys.exit(main(["lsp"]))
"""


def framed(message: dict[str, Any]) -> bytes:
    """A message as it is sent."""
    data = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(data), data)


@pytest.mark.parametrize(("leaves", "code"), [("shutdown", 0), ("exit", 1), ("closed", 0)])
def test_a_server_ends_with_its_editor_whatever_it_works_on(leaves: str, code: int) -> None:
    opened = {"uri": "untitled:a", "languageId": "netc", "version": 1, "text": "# endless"}
    messages: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"method": "textDocument/didOpen", "params": {"textDocument": opened}},
    ]
    last: list[dict[str, Any]] = [{"id": 2, "method": "shutdown"}, {"method": "exit"}]
    pipe, command = subprocess.PIPE, [sys.executable, "-c", BUSY]
    with subprocess.Popen(command, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe) as server:
        late = Timer(PATIENCE, server.kill)
        late.start()
        given, told = server.stdin, server.stderr
        assert given is not None
        assert told is not None
        try:
            given.write(b"".join(map(framed, messages)))
            given.flush()
            while told.readline().strip() != b"busy":
                assert server.poll() is None
            if leaves == "closed":
                given.close()
            else:
                given.write(b"".join(map(framed, last[leaves == "exit" :])))
                given.flush()
            assert server.wait(PATIENCE) == code
        finally:
            late.cancel()
            server.kill()


@pytest_lsp.fixture(config=ClientServerConfig(server_command=[sys.executable, "-c", BUSY]))
async def busy(lsp_client: LanguageClient, tmp_path: Path) -> AsyncIterator[None]:
    """A client of a server for which some texts have no end."""
    await begin(lsp_client, "visual_studio_code", tmp_path)
    yield
    await lsp_client.shutdown_session()


@pytest.mark.asyncio
async def test_work_without_end_is_ended_by_a_newer_text(busy: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(busy, tmp_path / "a.net", "input 8x8x3\n")
    assert await editor.findings() == []
    for number in range(3):
        editor.change("input 8x8x3\nconv 4x3 # endless\n")
        waiting = asyncio.ensure_future(shapes(editor))
        await asyncio.sleep(0.3 * number)
        assert not waiting.done()
        editor.change(f"input 8x8x3\nconv {number + 4}x3\n")
        assert await editor.findings() == []
        async with asyncio.timeout(PATIENCE):
            assert await waiting == ["8×8×3", f"8×8×{number + 4}"]


@pytest.mark.asyncio
async def test_a_question_without_end_can_be_taken_back(busy: LanguageClient, tmp_path: Path) -> None:
    right = Editor(busy, tmp_path / "right.net", "input 8x8x3\n")
    assert await right.findings() == []
    editor = Editor(busy, tmp_path / "a.net", "input 8x8x3 # endless code\n")
    assert await editor.findings() == []
    for number in range(3):
        params = {"textDocument": {"uri": editor.uri}}
        sent = busy.protocol.send_request_async("netc/compile", params, msg_id=f"{number}")
        waiting = asyncio.ensure_future(sent)
        await asyncio.sleep(0.3 * number)
        assert not waiting.done()
        busy.protocol.notify("$/cancelRequest", types.CancelParams(f"{number}"))
        with pytest.raises(JsonRpcException, match="cancel"):
            await asyncio.wait_for(waiting, PATIENCE)
        async with asyncio.timeout(PATIENCE):
            assert "def build_model" in (await right.custom("compile"))["code"]
            assert await shapes(editor) == ["8×8×3"]
    waiting = asyncio.ensure_future(editor.custom("compile"))
    await asyncio.sleep(0.2)
    busy.text_document_did_close(types.DidCloseTextDocumentParams(editor.document))
    with pytest.raises(JsonRpcException, match="is not open"):
        await asyncio.wait_for(waiting, PATIENCE)
