"""The language server over standard input and output, as editors talk to it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
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


async def begin(client: LanguageClient, editor: str, folder: Path) -> None:
    """Begin as an editor does, in a folder; `watched` are then the patterns of files that the server asks for."""
    client.watched = []

    @client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register(params: types.RegistrationParams) -> None:
        for each in params.registrations:
            client.watched += [one["globPattern"] for one in each.register_options["watchers"]]

    folders = [types.WorkspaceFolder(uri(folder), "project")]
    await client.initialize_session(types.InitializeParams(client_capabilities(editor), workspace_folders=folders))


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
    """Wait for findings of any text."""
    waiting = client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    found: types.PublishDiagnosticsParams = await asyncio.wait_for(waiting, PATIENCE)
    return found


class Editor:
    """A text that is open in an editor."""

    def __init__(self, client: LanguageClient, path: Path, text: str) -> None:
        self.client, self.path, self.version = client, path, 0
        self.uri = uri(path)
        self.document = types.TextDocumentIdentifier(self.uri)
        self.text = text
        opened = types.TextDocumentItem(self.uri, "netc", 0, text)
        client.text_document_did_open(types.DidOpenTextDocumentParams(opened))

    def change(self, text: str) -> None:
        """Write something else."""
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
    mended = editor.edited(actions[1].edit.changes[editor.uri])
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
    assert {each: len(edits) for each, edits in renamed.changes.items()} == {main.uri: 1, block.uri: 1}
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
    assert editor.edited(action.edit.changes[editor.uri]) == "input 8x8x3\nconv 4x3 relu\n"


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
    assert editor.edited(made.changes[editor.uri]) == text.replace("a: ", "skip: ").replace("add a", "add skip")
    for words, name, why in (
        ("a: conv", "repeat", "expected a name"),
        ("resblock", "other", "keeps its name"),
        ("32x32", "other", "no name here"),
    ):
        with pytest.raises(JsonRpcException, match=why):
            await client.text_document_rename_async(types.RenameParams(editor.document, editor.at(words), name))


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

def compile(*given, **named):
    print("busy", flush=True)
    time.sleep(600)

document.compile_source = compile
sys.exit(main(["lsp"]))
"""


def framed(message: dict[str, Any]) -> bytes:
    """A message as it is sent."""
    data = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(data), data)


@pytest.mark.parametrize("leaves", ["exit", "closed"])
def test_a_server_ends_with_its_editor_whatever_it_works_on(leaves: str) -> None:
    opened = {"uri": "untitled:a", "languageId": "netc", "version": 1, "text": "input 8x8x3\n"}
    messages: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"method": "textDocument/didOpen", "params": {"textDocument": opened}},
    ]
    last: list[dict[str, Any]] = [{"id": 2, "method": "shutdown"}, {"method": "exit"}]
    pipe, command = subprocess.PIPE, [sys.executable, "-c", BUSY]
    with subprocess.Popen(command, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe) as server:
        given, told = server.stdin, server.stderr
        assert given is not None
        assert told is not None
        try:
            given.write(b"".join(map(framed, messages)))
            given.flush()
            while told.readline().strip() != b"busy":
                assert server.poll() is None
            if leaves == "exit":
                given.write(b"".join(map(framed, last)))
                given.flush()
            else:
                given.close()
            assert server.wait(PATIENCE) == 0
        finally:
            server.kill()
