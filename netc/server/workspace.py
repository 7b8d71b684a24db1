"""The texts that are open, which know of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from netc.diagnostics.model import Diagnostics
from netc.files import Stamp, stamp
from netc.lower.definitions import Texts, used
from netc.project import places
from netc.server.document import Document, Settings, Snapshot
from netc.server.folders import Specs, specs
from netc.syntax.reading import read
from netc.syntax.source import Source


def usual(name: str) -> Settings:
    """The settings of a text that no project says anything of."""
    return Settings()


class Workspace:
    """Documents by their names: paths of files, or anything else for texts that are none.

    `use` reads an open text before the file, and a change of it is one of all documents that use it. `settings` says
    how the text of a name is judged. `folders` hold the files of the projects at hand; without any, only what is open
    is known.
    """

    def __init__(self, settings: Callable[[str], Settings] = usual, folders: Sequence[Path] = ()) -> None:
        self.documents: dict[str, Document] = {}
        self._settings = settings
        self._folders = tuple(map(path_of, folders))

    def change(self, name: str, text: str) -> list[Document]:
        """Set the text of a document, which may be a new one: it, and those that use it. Where nothing has changed,
        none."""
        document = self.documents.get(name)
        if document is None:
            source = Source(name, text)
            document = self.documents[name] = Document(source, self._settings(name), self._texts(source))
        elif document.now.source.text == text:
            return []
        else:
            source = Source(name, text)
            self._renew({name: source})
        return [document, *self._changed(name)]

    def close(self, name: str) -> list[Document]:
        """Forget a document: those that use it, which read the file from now on."""
        if self.documents.pop(name, None) is None:
            return []
        return self._changed(name)

    def refresh(self, folders: Sequence[Path] | None = None) -> list[Document]:
        """Judge all documents again, after a change of files, of settings or of the folders."""
        if folders is not None:
            self._folders = tuple(map(path_of, folders))
        self._renew({name: document.now.source for name, document in self.documents.items()})
        return [*self.documents.values()]

    def stamps(self) -> dict[Path, Stamp | None]:
        """What answers follow from beside the open texts, as it is now: files that these use, and those of projects,
        whether or not they are there. Of a text that has not been compiled the last is known alone."""
        paths = {place for name in self.documents for place in places(Path(name).parent)}
        for name, document in self.documents.items():
            if document.now.is_compiled:
                paths |= _used(name, document)
        return {path: stamp(path) for path in paths}

    def again(self) -> None:
        """Find everything out anew, after work that was ended halfway."""
        for document in self.documents.values():
            document.again()

    def specs(self) -> Specs:
        """The files in the folders."""
        return specs(self._folders)

    def closed(self, paths: Iterable[Path], wanted: Callable[[str], object]) -> Iterator[Snapshot]:
        """The texts of files that are not open and can be read, if they are `wanted`."""
        texts = self._texts()
        for path in paths:
            if path in texts.written:
                continue
            settings = self._settings(str(path))
            try:
                source = read(path, settings.limits, Diagnostics())
            except OSError:
                continue
            if source is not None and wanted(source.text):
                yield Snapshot(source, settings, texts)

    def _changed(self, name: str) -> list[Document]:
        """Renew the documents that use one, directly or by way of others."""
        waiting, renewed = [path_of(name)], dict[str, None]()
        while waiting:
            path = waiting.pop()
            for other, document in self.documents.items():
                if other != name and other not in renewed and path in _used(other, document):
                    renewed[other] = None
                    waiting.append(path_of(other))
        self._renew({other: self.documents[other].now.source for other in renewed})
        return [self.documents[other] for other in renewed]

    def _renew(self, sources: Mapping[str, Source]) -> None:
        """Go on to other versions of some documents, or of what they use."""
        texts = self._texts(*sources.values())
        for name, source in sources.items():
            self.documents[name].change(source, self._settings(name), texts)

    def _texts(self, *newer: Source) -> Texts:
        """The open texts by their paths, of which some are about to be others."""
        sources = (*(document.now.source for document in self.documents.values()), *newer)
        return Texts({path_of(source.name): source for source in sources}, self._folders)


def path_of(name: str | Path) -> Path:
    """The file of a name, absolute and without links."""
    try:
        return Path(name).resolve()
    except (OSError, ValueError, RuntimeError):
        return Path(name)


def _used(name: str, document: Document) -> set[Path]:
    """The files that a document names in its `use`s, whether or not they are there, and those that these brought in."""
    texts = (target.value for target in used(document.now.file))
    return {*document.now.program.used, *(path_of(str(Path(name).parent / text)) for text in texts)}
