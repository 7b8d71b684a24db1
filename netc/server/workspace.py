"""The texts that are open, which know of each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from netc.lower.definitions import used
from netc.server.document import Document, Settings
from netc.syntax.source import Source


def usual(name: str) -> Settings:
    """The settings of a text that no project says anything of."""
    return Settings()


class Workspace:
    """Documents by their names: paths of files, or anything else for texts that are none.

    `use` reads an open text before the file, and a change of it is one of all documents that use it. `settings` says
    how the text of a name is judged.
    """

    def __init__(self, settings: Callable[[str], Settings] = usual) -> None:
        self.documents: dict[str, Document] = {}
        self._settings = settings

    def change(self, name: str, text: str) -> list[Document]:
        """Set the text of a document, which may be a new one: it, and those that use it. Where nothing has changed,
        none."""
        document = self.documents.get(name)
        if document is None:
            source = Source(name, text)
            document = self.documents[name] = Document(source, self._settings(name), self._texts(name, source))
        elif document.now.source.text == text:
            return []
        else:
            self._renew(name, Source(name, text))
        return [document, *self._changed(name)]

    def close(self, name: str) -> list[Document]:
        """Forget a document: those that use it, which read the file from now on."""
        if self.documents.pop(name, None) is None:
            return []
        return self._changed(name)

    def refresh(self) -> list[Document]:
        """Judge all documents again, after a change of files or of settings."""
        for name, document in self.documents.items():
            self._renew(name, document.now.source)
        return [*self.documents.values()]

    def _changed(self, name: str) -> list[Document]:
        """Renew the documents that use one, directly or by way of others."""
        waiting, renewed = [_path(name)], dict[str, None]()
        while waiting:
            path = waiting.pop()
            for other, document in self.documents.items():
                if other != name and other not in renewed and path in _used(other, document):
                    renewed[other] = None
                    waiting.append(_path(other))
        for other in renewed:
            self._renew(other, self.documents[other].now.source)
        return [self.documents[other] for other in renewed]

    def _renew(self, name: str, source: Source) -> None:
        self.documents[name].change(source, self._settings(name), self._texts(name, source))

    def _texts(self, name: str, source: Source) -> dict[Path, Source]:
        """The open texts by their paths."""
        texts = {_path(other): document.now.source for other, document in self.documents.items()}
        return texts | {_path(name): source}


def _path(name: str) -> Path:
    try:
        return Path(name).resolve()
    except (OSError, ValueError, RuntimeError):
        return Path(name)


def _used(name: str, document: Document) -> set[Path]:
    """The files that a document names in its `use`s, whether or not they are there, and those that these brought in."""
    texts = (target.value for target in used(document.now.file))
    return {*document.now.program.used, *(_path(str(Path(name).parent / text)) for text in texts)}
