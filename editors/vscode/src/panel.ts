/** The panel of the figure: a page that can load its own script and style, and nothing else. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import * as vscode from "vscode";
import { isSpec } from "./client";
import { Live } from "./live";
import type { Ask, FromPage, Range, ToPage } from "./messages";

const KIND = "netc.figure";

export class Panel {
  private panel: vscode.WebviewPanel | null = null;
  private readonly live: Live;

  constructor(
    private readonly files: vscode.Uri,
    ask: Ask,
  ) {
    this.live = new Live(ask, {
      post: (message: ToPage) => void this.panel?.webview.postMessage(message),
      reveal: (uri, range) => void reveal(uri, range),
      look,
    });
  }

  /** Show the figure of a text beside it. */
  show(uri: vscode.Uri): void {
    if (!this.panel) {
      const beside = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
      this.fill(vscode.window.createWebviewPanel(KIND, "netc", beside));
    } else this.panel.reveal(undefined, true);
    this.follow(uri, true);
  }

  /** Show the figure of the text that is written now, and mark where the cursor is. */
  attend(editor: vscode.TextEditor | undefined): void {
    if (!this.panel || !editor || !isSpec(editor.document)) return;
    this.follow(editor.document.uri);
    void this.live.cursor(editor.document.uri.toString(), editor.selection.active);
  }

  /** The text of a figure, or how figures are to look, may have changed. */
  changed(uri?: vscode.Uri): void {
    if (this.panel && (!uri || uri.toString() === this.live.uri)) void this.live.refresh();
  }

  /** Go on with a panel that VS Code has kept while it was closed; it comes when it is looked at, and there may be
   * another one since. */
  keep(panel: vscode.WebviewPanel): void {
    if (this.panel) panel.dispose();
    else this.fill(panel);
  }

  private fill(panel: vscode.WebviewPanel): void {
    this.panel = panel;
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [this.files] };
    panel.onDidDispose(() => (this.panel = null));
    webview.onDidReceiveMessage((message: FromPage) => void this.live.received(message));
    const at = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(this.files, name)).toString();
    const template = readFileSync(vscode.Uri.joinPath(this.files, "figure.html").fsPath, "utf8");
    webview.html = page(template, {
      source: webview.cspSource,
      nonce: randomBytes(16).toString("base64"),
      style: at("figure.css"),
      script: at("figure.js"),
    });
  }

  private follow(uri: vscode.Uri, asked = false): void {
    void this.live.follow(uri.toString(), asked).then(() => {
      const followed = vscode.Uri.parse(this.live.uri);
      if (this.panel) this.panel.title = `Figure of ${followed.path.split("/").at(-1) ?? ""}`;
    });
  }
}

function page(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
}

function look(): { style: string; theme: string } {
  const settings = vscode.workspace.getConfiguration("netc.figure");
  const theme = settings.get<string>("theme", "editor");
  const { kind } = vscode.window.activeColorTheme;
  const light = kind === vscode.ColorThemeKind.Light || kind === vscode.ColorThemeKind.HighContrastLight;
  return { style: settings.get("style", "auto"), theme: theme === "editor" ? (light ? "light" : "dark") : theme };
}

/** Show a place in the column where its text is open, or the one that texts are written in. */
async function reveal(uri: string, { start, end }: Range): Promise<void> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
  const open = vscode.window.visibleTextEditors.find((editor) => editor.document === document);
  await vscode.window.showTextDocument(document, {
    viewColumn: open?.viewColumn ?? vscode.ViewColumn.One,
    selection: new vscode.Range(start.line, start.character, end.line, end.character),
  });
}
