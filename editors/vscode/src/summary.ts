/** The table of `netc summary` as a document that nobody writes, up to date with its text. */
import * as vscode from "vscode";
import type { Ask } from "./messages";

const SCHEME = "netc-summary";

export class Summaries implements vscode.TextDocumentContentProvider {
  private readonly changes = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changes.event;

  constructor(private readonly ask: Ask) {}

  register(): vscode.Disposable {
    return vscode.Disposable.from(this.changes, vscode.workspace.registerTextDocumentContentProvider(SCHEME, this));
  }

  async show(uri: vscode.Uri): Promise<void> {
    const document = await vscode.workspace.openTextDocument(of(uri));
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true, preview: false });
  }

  changed(uri: vscode.Uri): void {
    const summary = of(uri).toString();
    const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === summary);
    if (open) this.changes.fire(open.uri);
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    try {
      const { text, old, error } = await this.ask("netc/summary", uri.query, { format: "text" });
      return error || (old ? `Of the text as it last worked:\n\n${text}` : text);
    } catch (error) {
      return String(error);
    }
  }
}

function of(uri: vscode.Uri): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, path: `${uri.path}.summary`, query: uri.toString() });
}
