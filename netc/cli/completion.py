"""`netc completion`: a script by which a shell completes command lines of netc."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from netc import needs
from netc.cli.endings import CLEAN
from netc.cli.output import emit
from netc.cli.running import READING_MODELS, need

SHELLS = ("bash", "zsh", "fish")
DESCRIPTION = "Print a script by which the TAB key completes commands, options, their values and files."
EXAMPLES = """\
examples:
  netc completion bash > ~/.local/share/bash-completion/completions/netc    where bash-completion is installed
  netc completion bash > ~/.netc-completion    else, with `source ~/.netc-completion` in ~/.bashrc
  netc completion zsh > ~/.zfunc/_netc         with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  netc completion fish > ~/.config/fish/completions/netc.fish

Write it anew after an update: codes, operations and options are in it, so that TAB starts no Python. Only after -D,
-A and -B netc is asked for the parameters of the specs that are named in the line."""

# How each shell asks for the parameters of the specs in the line. A name is letters, digits and underscores.
_ASKING = {
    "bash": """\
_netc_parameters() {
  local word specs=()
  for word in "${COMP_WORDS[@]}"; do [[ $word == *.net ]] && specs+=("$word"); done
  [[ ${#specs[@]} -gt 0 ]] && compgen -W "$(netc completion bash --parameters "${specs[@]}" 2>/dev/null)" -- "$1"
}
""",
    "zsh": """\
_netc_parameters() {
  local -a specs=(${(M)words:#*.net}) found
  (( $#specs )) && found=(${(f)"$(netc completion zsh --parameters $specs 2>/dev/null)"}) && compadd -S '' -a found
}
""",
    "fish": """\
function _netc_parameters
  set -l specs (string match -- '*.net' (commandline -opc))
  test -n "$specs"; and netc completion fish --parameters $specs 2>/dev/null
end
""",
}
_NAMES = {"bash": "_netc_parameters", "zsh": "_netc_parameters", "fish": "(_netc_parameters)"}
# No blank after `n=`, where the value follows.
_AFTER = {
    "bash": """
_netc() { _shtab_netc "$@"; [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace; return 0; }
complete -o bashdefault -F _netc netc
"""
}


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.add_argument("shell", choices=SHELLS, help="which")
    command.add_argument(
        "--parameters", metavar="SPEC", nargs="+", help="print what -D takes for specs, for the script"
    )


def run(options: argparse.Namespace) -> int:
    """Print the script, or what it asks for."""
    if options.parameters:
        emit("".join(f"{name}=\n" for name in dict.fromkeys(_parameters(options.parameters))))
        return CLEAN
    need("completion", needs.COMPLETING)
    import shtab  # noqa: PLC0415 - only to write the script

    script = shtab.complete(_whole(options.shell), options.shell)
    emit(f"{script}{_AFTER.get(options.shell, '')}\n")
    return CLEAN


def _parameters(paths: Iterable[str]) -> Iterator[str]:
    """The parameters of specs, as far as they can be read."""
    from netc.diagnostics.model import Diagnostics  # noqa: PLC0415
    from netc.limits import Limits  # noqa: PLC0415
    from netc.syntax.parser import parse  # noqa: PLC0415
    from netc.syntax.reading import read  # noqa: PLC0415
    from netc.syntax.tree import Parameter  # noqa: PLC0415

    for path in paths:
        try:
            source = read(Path(path).expanduser(), Limits(), Diagnostics())
        except (OSError, RuntimeError):  # no such file, no such home
            continue
        if source is not None:
            statements = parse(source, Limits(), Diagnostics()).statements
            yield from (statement.name for statement in statements if isinstance(statement, Parameter))


def _whole(shell: str) -> argparse.ArgumentParser:
    """The parser of all commands, in which each argument says how it is completed."""
    from netc.cli import COMMANDS, parser  # noqa: PLC0415 - this module is one of them

    whole = parser([*COMMANDS])
    (commands,) = (one for one in whole._actions if isinstance(one, argparse._SubParsersAction))
    for name, command in commands.choices.items():
        for action in command._actions:
            _complete(action, name, shell)
    return whole


def _complete(action: Any, command: str, shell: str) -> None:
    """Say what an argument takes: words, or files by the endings of their names."""
    import shtab  # noqa: PLC0415

    from netc.targets.importing import READERS  # noqa: PLC0415

    specs = {**shtab.glob("*.net"), "zsh": "_files -g '*.net'"}  # shtab's own, one pattern in (), is none for zsh
    endings = [f"*{suffix}" for suffix in READERS]
    if action.dest in ("overrides", "A", "B"):
        action.complete = {shell: _NAMES[shell], "preamble": {shell: _ASKING[shell]}}
    elif words := _words(action.dest, command):
        action.choices = words
    elif action.dest == "file" and command == "import":
        action.complete = shtab.glob(*endings)
    elif action.dest in ("file", "files", "before", "after") and command in READING_MODELS:
        action.complete = shtab.glob("*.net", *endings)
    elif action.dest in ("file", "files", "beside", "parameters", "weights_only"):
        action.complete = specs
    elif action.dest in ("output", "plot", "caption", "weights", "images", "image", "data"):
        action.complete = shtab.FILE
    elif action.dest in ("folder", "out"):
        action.complete = shtab.DIRECTORY


def _words(dest: str, command: str) -> list[str]:
    """The words that an argument takes, beside the choices that it has itself."""
    from netc.diagnostics.codes import CODES, Severity  # noqa: PLC0415
    from netc.layers import LAYERS  # noqa: PLC0415
    from netc.limits import Limits  # noqa: PLC0415
    from netc.lower.definitions import shipped_names  # noqa: PLC0415

    if dest == "levels":
        return ["warnings", *(code.code for code in CODES.values() if code.severity is Severity.WARNING)]
    if dest == "limits":
        return [f"{limit.name}=" for limit in fields(Limits)]
    return {("code", "explain"): [*CODES], ("name", "ops"): [*LAYERS, *shipped_names()]}.get((dest, command), [])
