"""The language server: what the client sends, in which order it is worked on, and what goes back.

Texts are worked on in one thread beside the one that reads and writes messages. Of several versions of a text that
come while it is busy only the last one is looked at, and a request that is taken back before its turn costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path

from netc import __version__
from netc.files import Stamp
from netc.project import Project, ProjectError
from netc.server.document import Document, Settings
from netc.server.protocol import custom
from netc.server.protocol.answers import FIX_ALL, LEGEND, TRIGGERS, Answers, Client, path_of_uri
from netc.server.protocol.worker import Ended, Task, Worker
from netc.server.rename import RenameRefused
from netc.server.workspace import Workspace

T = TypeVar("T")
DRAW = "netc.draw"
LONG = 0.5  # seconds after which work on an older version of a text is ended; what takes less is done sooner
LOOK = 1.0  # seconds after which files are looked at again
AGAIN = 0.05  # seconds until work is told again to end, if it goes on


class Server(LanguageServer):
    """The server of one client."""

    def __init__(self) -> None:
        super().__init__("netc", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.texts: dict[str, tuple[str, int | None]] = {}  # as the client has them, with their versions, by name
        self.client = Client(types.PositionEncodingKind.Utf16, {}, {}, DRAW, types.ClientCapabilities())
        self.ready_to_leave = False
        self.left = False  # by a client that did not say so before
        self._workspace = Workspace(self._settings)
        self._waiting: dict[str, None] = {}  # names of texts whose findings are to be told
        self._wrong: dict[str, ProjectError] = {}  # by the path of the project's file
        self._told: set[str] = set()
        self._stale = False  # whether what is shown of texts that did not change may be old
        self._checking: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._stamps: dict[Path, Stamp | None] = {}
        self._figures: str | None = None
        self._worker = Worker()

    # -- texts -----------------------------------------------------------------------------------------------

    def begin(self, params: types.InitializeParams) -> None:
        """What the client says of itself. The first folder of its workspace is where the server runs, as `netc check`
        would in a terminal."""
        options: Any = params.initialization_options
        draw = options.get("drawCommand", DRAW) if isinstance(options, dict) else DRAW
        encoding = self.workspace.position_encoding or types.PositionEncodingKind.Utf16
        self.client = Client(encoding, {}, {}, str(draw), params.capabilities)
        folders = [*self._folders()]
        self._workspace.refresh(folders)
        if folders:
            os.chdir(folders[0])

    def _folders(self) -> Iterator[Path]:
        """The folders of the workspace that are there."""
        for uri in [folder.uri for folder in self.workspace.folders.values()] or [self.workspace.root_uri]:
            path = path_of_uri(uri) if uri else None
            if path and os.path.isdir(path):
                yield Path(path)

    def watch(self) -> None:
        """Have the client tell of changes of files at once, where it can, and look for others now and then: not each
        client can, and what a text uses may be called anything and be anywhere."""
        workspace = self.client_capabilities.workspace
        watching = workspace and workspace.did_change_watched_files
        if watching and watching.dynamic_registration:
            watchers = [types.FileSystemWatcher(pattern) for pattern in ("**/*.net", "**/pyproject.toml")]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
            self.client_register_capability(types.RegistrationParams([types.Registration("files", method, options)]))
        self._looking = _begun(self._look())

    async def _look(self) -> None:
        """Look whether files have changed, again and again."""
        while True:
            await asyncio.sleep(LOOK)
            before, self._stamps = self._stamps, await self._worker.run(self._workspace.stamps)
            if any(self._stamps[path] != before[path] for path in self._stamps.keys() & before.keys()):
                await self.refresh()

    def put(self, uri: str, text: str, version: int | None) -> None:
        """A text that was opened or has changed."""
        name = self.called(uri)
        self.client.uris[name], self.texts[name] = uri, (text, version)
        self._outdated(name)
        self._check(name)

    async def close(self, uri: str) -> None:
        """A text that is not open any more."""
        name = self.called(uri)
        if self.texts.pop(name, None) is None:
            return
        self._waiting.pop(name, None)
        self._outdated(name)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
        self._recheck(await self._worker.run(lambda: self._closed(name)))

    def _closed(self, name: str) -> list[Document]:
        """Forget a text, unless it was opened again: those that use it; called by the worker."""
        if name in self.texts:
            return []
        self.client.versions.pop(name, None)
        return self._workspace.close(name)

    async def refresh(self) -> None:
        """Files have changed, that `use` names or that say how texts are judged, or the folders that they are in."""
        for path in self._told:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(from_fs_path(path) or "", []))
        self._told.clear()
        folders = [*self._folders()]
        self._stamps, documents = await self._worker.run(
            lambda: (self._workspace.stamps(), self._workspace.refresh(folders))
        )
        self._recheck(documents)

    def _recheck(self, documents: list[Document]) -> None:
        """Have texts checked that are what they were, as something else is not."""
        self._waiting.update(dict.fromkeys(document.now.source.name for document in documents))
        self._stale |= bool(documents)
        self._go_on()

    @staticmethod
    def called(uri: str) -> str:
        """What the core calls a text: its path, or its URI where it is no file."""
        return path_of_uri(uri) or f"<{uri}>"

    def _settings(self, name: str) -> Settings:
        """What a project says of a text, of one that is no file that of the first folder; where that is wrong, it says
        so once and counts for nothing."""
        try:
            return Settings.of(Project.of(None if name.startswith("<") else Path(name).parent))
        except ProjectError as error:
            self._wrong[str(error.file)] = error
            return Settings()

    # -- work ------------------------------------------------------------------------------------------------

    async def ask(self, uri: str, question: Callable[[Answers], T]) -> T:
        """Answer a question about a text as it is when its turn comes."""
        name = self.called(uri)
        if name not in self.texts:
            raise JsonRpcInvalidParams(f"{uri} is not open")
        while True:
            task = Task(name)
            try:
                return await self._worker.run(partial(self._answer, task, question))
            except Ended:
                continue  # the text is another one now, which is asked instead
            except asyncio.CancelledError:
                self._end(task)
                raise
            finally:
                self._go_on()

    def _answer(self, task: Task, question: Callable[[Answers], T]) -> T:
        """Answer a question; called by the worker. Raises `Ended`."""
        document = self._sync(task.name)
        try:
            return self._worker.endable(task, lambda: question(Answers(self.client, self._workspace, document)))
        except Ended:
            self._workspace.again()
            raise

    def _outdated(self, name: str) -> None:
        """End what is done on the text of a name before this version, if it takes long."""
        task = self._worker.task
        if task is not None and task.name == name:
            left = task.since + LONG - time.monotonic()
            asyncio.get_running_loop().call_later(max(0, left), self._end, task)

    def _end(self, task: Task) -> None:
        if not self._worker.end(task):
            asyncio.get_running_loop().call_later(AGAIN, self._end, task)

    def _sync(self, name: str) -> Document:
        """Bring all texts up to date, as an answer may be about others too; called by the worker. Those that use one
        that has changed are checked again."""
        texts = self.texts.copy()
        if name not in texts:  # closed since
            raise JsonRpcInvalidParams(f"{name} is not open")
        for each, (text, version) in texts.items():
            self.client.versions[each] = version
            for changed in self._workspace.change(each, text):
                if changed.now.source.name != each:  # which waits since it came
                    self._waiting[changed.now.source.name] = None
                    self._stale = True
        return self._workspace.documents[name]

    def _check(self, name: str) -> None:
        """Have the findings of a text told, when it is its turn."""
        self._waiting[name] = None
        self._go_on()

    def _go_on(self) -> None:
        """Look at what waits, unless that is being done."""
        if self._waiting and (self._checking is None or self._checking.done()):
            self._checking = _begun(self._check_all())

    async def _check_all(self) -> None:
        while self._waiting:
            name = next(iter(self._waiting))
            version, found = await self._worker.run(lambda name=name: self._findings(name))  # type: ignore[misc]
            if name not in self._waiting and name in self.texts and found is not None:
                uri = self.client.uris[name]
                self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))
            self._tell_projects()
        if self._stale:
            self._stale = False
            self._show_anew()

    def _findings(self, name: str) -> tuple[int | None, list[types.Diagnostic] | None]:
        """The findings of a text, None where it has changed meanwhile; called by the worker."""
        self._waiting.pop(name, None)  # first: a version that comes while this one is looked at waits again
        found = None
        if name in self.texts:
            with suppress(Ended):
                found = self._answer(Task(name), Answers.diagnostics)
        return self.client.versions.get(name), found

    def _show_anew(self) -> None:
        """Have the client ask again for what it shows beside texts, where it can."""
        for shown, ask in (
            ("inlay_hint", self.workspace_inlay_hint_refresh),
            ("code_lens", self.workspace_code_lens_refresh),
            ("semantic_tokens", self.workspace_semantic_tokens_refresh),
        ):
            if get_capability(self.client_capabilities, f"workspace.{shown}.refresh_support"):
                ask(None)

    def _tell_projects(self) -> None:
        """Tell what is wrong with the files of projects, or that nothing is any more."""
        wrong, self._wrong = self._wrong, {}
        for path, error in wrong.items():
            line = (error.line or 1) - 1
            where = types.Range(types.Position(line, 0), types.Position(line, 10_000))
            found = types.Diagnostic(where, error.message, types.DiagnosticSeverity.Error, source="netc")
            self._told.add(path)
            uri = from_fs_path(path) or ""
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, [found]))

    # -- figures ---------------------------------------------------------------------------------------------

    async def draw(self, uri: str) -> str | None:
        """Write the figure of a text to a file of its own and have it shown; its path, or None where there is none."""
        figure = await self.ask(uri, lambda answers: custom.figure(answers, {}))
        if not figure["svg"]:
            self.say(figure["error"], types.MessageType.Error)
            return None
        if self._figures is None:
            self._figures = tempfile.mkdtemp(prefix="netc-")
        path = Path(self._figures, f"{Path(self.called(uri)).stem.strip('<>') or 'net'}.svg")
        path.write_text(figure["svg"], encoding="utf-8")
        window = self.client_capabilities.window
        if window is not None and window.show_document is not None and window.show_document.support:
            shown = types.ShowDocumentParams(from_fs_path(str(path)) or "", external=True)
            await self.window_show_document_async(shown)
        else:
            self.say(f"the figure is in {path}", types.MessageType.Info)
        return str(path)

    def say(self, text: str, kind: types.MessageType) -> None:
        """Show a message."""
        self.window_show_message(types.ShowMessageParams(kind, text))


def _begun(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Work that no answer waits for. Where it fails, that is written: it is a bug of netc."""

    def told(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            logging.getLogger(__name__).error("looking at texts and files failed", exc_info=error)

    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(told)
    return task


def _is_odd(record: logging.LogRecord) -> bool:
    """Whether a message of pygls is none of an answer that was refused, which is the client's to tell."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, JsonRpcException) or isinstance(error, JsonRpcInternalError)


def make() -> Server:
    """A server with all that it can do."""
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_odd)
    server = Server()
    _texts(server)
    _questions(server)
    _names(server)
    for name, answer in custom.REQUESTS.items():
        _custom(server, name, answer)

    @server.command(DRAW)
    async def draw(uri: str) -> str | None:
        return await server.draw(uri)

    return server


def _texts(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.begin(params)

    @server.feature(types.INITIALIZED)
    def initialized(params: types.InitializedParams) -> None:
        server.watch()

    @server.feature(types.SHUTDOWN)
    def shutdown(params: None) -> None:
        server.ready_to_leave = True

    @server.feature(types.EXIT)
    def leave(params: None) -> None:
        server.left = not server.ready_to_leave

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.put(params.text_document.uri, params.text_document.text, params.text_document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        if params.content_changes:
            server.put(params.text_document.uri, params.content_changes[-1].text, params.text_document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        await server.close(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: types.DidSaveTextDocumentParams) -> None:
        await server.refresh()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def files(params: types.DidChangeWatchedFilesParams) -> None:
        await server.refresh()

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        await server.refresh()


def _questions(server: Server) -> None:
    """What is asked of a text."""

    def question(
        feature: str, answer: Callable[[Answers, Any], T], options: Any = None
    ) -> Callable[[Any], Coroutine[Any, Any, T]]:
        @server.feature(feature, options)
        async def asked(params: Any) -> T:
            return await server.ask(params.text_document.uri, lambda answers: answer(answers, params))

        return asked

    question(types.TEXT_DOCUMENT_HOVER, lambda answers, params: answers.hover(params.position))
    question(
        types.TEXT_DOCUMENT_COMPLETION,
        lambda answers, params: answers.completion(params.position),
        types.CompletionOptions(list(TRIGGERS), resolve_provider=True),
    )
    question(
        types.TEXT_DOCUMENT_SIGNATURE_HELP,
        lambda answers, params: answers.signature(params.position),
        types.SignatureHelpOptions([" ", "="], ["x", "/"]),
    )
    question(
        types.TEXT_DOCUMENT_CODE_ACTION,
        lambda answers, params: answers.actions(params),
        types.CodeActionOptions([types.CodeActionKind.QuickFix, FIX_ALL]),
    )
    question(types.TEXT_DOCUMENT_FORMATTING, lambda answers, params: answers.formatting())
    question(types.TEXT_DOCUMENT_RANGE_FORMATTING, lambda answers, params: answers.formatting_of(params.range))
    question(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, lambda answers, params: answers.outline())
    question(types.TEXT_DOCUMENT_FOLDING_RANGE, lambda answers, params: answers.folding())
    question(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, lambda answers, params: answers.tokens(), LEGEND)
    question(types.TEXT_DOCUMENT_DOCUMENT_LINK, lambda answers, params: answers.links())
    question(types.TEXT_DOCUMENT_CODE_LENS, lambda answers, params: answers.lenses())
    question(types.TEXT_DOCUMENT_INLAY_HINT, lambda answers, params: answers.hints(params.range))

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    async def resolve(item: types.CompletionItem) -> types.CompletionItem:
        data: Any = item.data
        if not isinstance(data, dict) or server.called(str(data.get("uri"))) not in server.texts:
            return item
        return await server.ask(data["uri"], lambda answers: answers.documented(item))


def _names(server: Server) -> None:
    """What is asked of the name at a place."""

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def definition(params: types.DefinitionParams) -> list[types.Location]:
        return await server.ask(params.text_document.uri, lambda answers: answers.definition(params.position))

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def references(params: types.ReferenceParams) -> list[types.Location]:
        declared = params.context.include_declaration
        found, whole = await server.ask(
            params.text_document.uri, lambda answers: answers.references(params.position, declared)
        )
        if not whole:
            server.say("the folders hold more files than are looked at for uses", types.MessageType.Warning)
        return found

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    async def highlight(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        return await server.ask(params.text_document.uri, lambda answers: answers.highlights(params.position))

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare(params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder:
        return await _allowed(server.ask(params.text_document.uri, lambda answers: answers.renamable(params.position)))

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def rename(params: types.RenameParams) -> types.WorkspaceEdit:
        name = params.new_name
        return await _allowed(
            server.ask(params.text_document.uri, lambda answers: answers.rename(params.position, name))
        )


async def _allowed(answer: Coroutine[Any, Any, T]) -> T:
    """An answer, or the error of the protocol that says why there is none."""
    try:
        return await answer
    except RenameRefused as refused:
        raise JsonRpcException(str(refused), types.LSPErrorCodes.RequestFailed.value) from None


def _custom(server: Server, name: str, answer: Callable[[Answers, custom.Given], Any]) -> None:
    @server.feature(name)
    async def asked(params: Any) -> Any:
        given = custom.plain(params)
        return await server.ask(custom.uri(given), lambda answers: answer(answers, given))
