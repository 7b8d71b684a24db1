"""The core as a language server: the Language Server Protocol, through pygls."""
