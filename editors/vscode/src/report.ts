/** What netc makes of a text, as a document that nobody writes and that is up to date with it. */
import * as vscode from "vscode";

const WAIT = 300; // ms without a change of the text

export class Report implements vscode.TextDocumentContentProvider {
  private readonly changes = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changes.event;
  private waiting: NodeJS.Timeout | undefined;

  constructor(
    private readonly scheme: string,
    private readonly ending: string,
    /** What the document of a text says. */
    private readonly content: (uri: string) => Promise<string>,
  ) {}

  register(): vscode.Disposable {
    const stop = new vscode.Disposable(() => clearTimeout(this.waiting));
    return vscode.Disposable.from(stop, this.changes, vscode.workspace.registerTextDocumentContentProvider(this.scheme, this));
  }

  async show(uri: vscode.Uri): Promise<void> {
    const document = await vscode.workspace.openTextDocument(this.of(uri));
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true, preview: false });
  }

  /** A text, or what it uses, may say something else now. */
  changed(uri: vscode.Uri): void {
    const report = this.of(uri).toString();
    const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === report);
    if (!open) return;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.changes.fire(open.uri), WAIT);
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    return this.content(uri.query).catch(String);
  }

  private of(uri: vscode.Uri): vscode.Uri {
    return vscode.Uri.from({ scheme: this.scheme, path: uri.path.replace(/\.net$/, "") + this.ending, query: uri.toString() });
  }
}
