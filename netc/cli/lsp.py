"""`netc lsp`: the language server."""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

from netc.cli.endings import CLEAN, ERRORS
from netc.cli.running import need

DESCRIPTION = "The language server for .net files: it talks to an editor on standard input and output."
EXAMPLES = """\
examples:
  netc lsp            an editor starts it: in a terminal there is nothing to see

Neovim 0.11, in init.lua:
  vim.filetype.add({ extension = { net = "netc" } })
  vim.lsp.config("netc", { cmd = { "netc", "lsp" }, filetypes = { "netc" }, root_markers = { "pyproject.toml" } })
  vim.lsp.enable("netc")

Neovim before 0.11, from 0.7, in init.lua:
  vim.g.do_filetype_lua = 1
  vim.filetype.add({ extension = { net = "netc" } })
  local client
  vim.api.nvim_create_autocmd("FileType", { pattern = "netc", callback = function(event)
    client = client or vim.lsp.start_client({ name = "netc", cmd = { "netc", "lsp" }, root_dir = vim.fn.getcwd() })
    vim.lsp.buf_attach_client(event.buf, client)
    vim.bo[event.buf].omnifunc = "v:lua.vim.lsp.omnifunc"
  end })

Helix, in languages.toml:
  [language-server.netc]
  command = "netc"
  args = ["lsp"]
  [[language]]
  name = "netc"
  scope = "source.netc"
  file-types = ["net"]
  comment-token = "#"
  language-servers = ["netc"]
  auto-format = true

Emacs 29, in init.el:
  (define-derived-mode netc-mode prog-mode "netc" (setq-local comment-start "# "))
  (add-to-list 'auto-mode-alist '("\\\\.net\\\\'" . netc-mode))
  (with-eval-after-load 'eglot (add-to-list 'eglot-server-programs '(netc-mode "netc" "lsp")))
  (add-hook 'netc-mode-hook #'eglot-ensure)

VS Code: the extension in editors/vscode starts it.

What it answers is told in docs/editor.md, with keys for Neovim. Levels of lints and bounds are those of [tool.netc] in
pyproject.toml."""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.add_argument("--stdio", action="store_true", help="as it does anyway: some editors say so")


def run(options: argparse.Namespace) -> NoReturn:
    """Serve until the editor leaves, and end the process then: what is still being worked on is for no one, and an
    ordinary end would wait for it. One that leaves without a word before is in error, by the protocol."""
    need("netc lsp", ("pygls", "lsprotocol"))
    from netc.server.protocol.server import make  # noqa: PLC0415 - brings pygls

    channel, sys.stdout = sys.stdout, sys.stderr  # what is printed by mistake would be read as a message
    server = make()
    server.start_io(stdout=channel.buffer)
    sys.stderr.flush()
    os._exit(ERRORS if server.left else CLEAN)
