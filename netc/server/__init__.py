"""Questions about a text that is being written, for editors, pages and notebooks (docs/editor.md)."""
