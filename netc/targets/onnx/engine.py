"""onnxruntime, as an engine that a model is proved with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import onnx
import onnxruntime

from netc.targets.errors import ExportError
from netc.targets.onnx.probing import Probed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.targets.onnx.model import Made

    Arrays = Mapping[str, NDArray[Any]]

QUIET = 4  # errors are raised, and need not be printed besides
MODEL = "model.onnx"  # in a folder of its own
FOLDER = "session.model_external_initializers_file_folder_path"


def session(
    model: bytes | Path, threads: int | None = None, folder: Path | None = None
) -> onnxruntime.InferenceSession:
    """A model, or one in a file, ready to run on the processor; `folder` has the arrays that bytes lack. Raises
    `ExportError` where onnxruntime refuses it."""
    options = onnxruntime.SessionOptions()
    if folder is not None:
        options.add_session_config_entry(FOLDER, str(folder))
    options.intra_op_num_threads = threads or 0  # 0 is all processors
    options.log_severity_level = QUIET
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own classes have no common base but this one
        raise ExportError(f"onnxruntime {onnxruntime.__version__} refuses the model: {error}") from None


def loaded(made: Made, threads: int | None = None) -> onnxruntime.InferenceSession:
    """A model ready to run. Raises `ExportError`, OSError where there is no room for the file of a large one."""
    content = made.proto.SerializeToString()
    if made.beside is None:
        return session(content, threads)
    with TemporaryDirectory() as folder:
        path = made.beside.write(Path(folder)).with_name(MODEL)
        path.write_bytes(content)
        return session(path, threads)


def _ran(session: onnxruntime.InferenceSession, wanted: list[str], inputs: Arrays) -> list[NDArray[Any]]:
    """Values of a model for a batch. Raises `ExportError` where onnxruntime finds only now that it does not take it."""
    try:
        made: list[NDArray[Any]] = session.run(wanted, dict(inputs))
    except Exception as error:
        raise ExportError(f"onnxruntime {onnxruntime.__version__} fails to run the model: {error}") from None
    return made


class OnnxRuntime(Probed):
    """The bytes that are to be written, checked by `onnx.checker` and run. Where some of the arrays are in a file of
    their own, `folder` has it; the model is then put beside it, as it will be."""

    def __init__(self, made: Made, model: bytes, folder: Path | None = None) -> None:
        self._folder = folder
        source = self._placed(model)
        try:
            onnx.checker.check_model(source, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ExportError(f"onnx.checker refuses the model: {error}") from None
        super().__init__(made)
        self._session = session(source)

    @property
    def name(self) -> str:
        return f"onnxruntime {onnxruntime.__version__}"

    def outputs(self, inputs: Arrays) -> Arrays:
        return dict(zip(self._outputs, _ran(self._session, self._outputs, inputs), strict=True))

    def _run(self, model: bytes, names: Sequence[str], inputs: Arrays) -> Arrays:
        return dict(zip(names, _ran(session(self._placed(model)), list(names), inputs), strict=True))

    def _placed(self, model: bytes) -> bytes | Path:
        if self._folder is None:
            return model
        path = self._folder / MODEL
        path.write_bytes(model)
        return path
