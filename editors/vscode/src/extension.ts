/** netc in VS Code: the client of its language server, and commands that show what that says. */
import * as vscode from "vscode";
import { Client, isSpec } from "./client";
import { Panel } from "./panel";
import { Report } from "./report";

let client: Client | null = null;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("netc");
  const found = (uri: vscode.Uri): void => {
    panel.changed(uri);
    for (const report of [summary, code]) report.changed(uri);
  };
  const started = new Client(output, found);
  client = started;
  const { ask } = started;
  const panel = new Panel(vscode.Uri.joinPath(context.extensionUri, "out"), ask);
  const summary = new Report("netc-summary", ".summary", async (uri) => {
    const { text, old, error } = await ask("netc/summary", uri, { format: "text" });
    return error || (old ? `Of the text as it last worked:\n\n${text}` : text);
  });
  const code = new Report("netc-keras", ".py", async (uri) => {
    const { code, error } = await ask("netc/compile", uri, {});
    return error ? `# There is no Keras code: ${error}\n` : code;
  });

  const commands: Record<string, (uri: vscode.Uri) => unknown> = {
    "netc.check": check,
    "netc.fixAll": fixAll,
    "netc.figure": (uri) => {
      panel.show(uri);
      panel.attend(vscode.window.activeTextEditor);
    },
    "netc.summary": (uri) => summary.show(uri),
    "netc.compile": async (uri) => {
      const { error } = await ask("netc/compile", uri.toString(), {});
      if (error) return vscode.window.showErrorMessage(`There is no Keras code: ${error}`);
      return code.show(uri);
    },
  };
  for (const [name, act] of Object.entries(commands)) {
    const run = async (given?: unknown): Promise<void> => {
      const uri = about(given);
      if (!uri) return void vscode.window.showInformationMessage("Open a .net file first.");
      try {
        await act(uri);
      } catch (error) {
        void vscode.window.showErrorMessage(`netc: ${error instanceof Error ? error.message : String(error)}`);
      }
    };
    context.subscriptions.push(vscode.commands.registerCommand(name, run));
  }
  const restart = (): Promise<void> => started.restart();
  context.subscriptions.push(
    output,
    summary.register(),
    code.register(),
    vscode.commands.registerCommand("netc.restart", restart),
    vscode.window.registerWebviewPanelSerializer("netc.figure", {
      deserializeWebviewPanel: (kept) => {
        panel.keep(kept);
        panel.attend(vscode.window.activeTextEditor);
        return Promise.resolve();
      },
    }),
    vscode.window.onDidChangeActiveTextEditor((editor) => panel.attend(editor)),
    vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => panel.attend(textEditor)),
    vscode.window.onDidChangeActiveColorTheme(() => panel.changed()),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("netc.command")) void restart();
      if (event.affectsConfiguration("netc.figure")) panel.changed();
    }),
  );
  await restart();
}

export function deactivate(): Promise<void> | undefined {
  return client?.stop();
}

/** The text that a command is about: the one it was given (by a menu, or by a code lens of the server), or the one
 * that is written now. */
function about(given: unknown): vscode.Uri | null {
  if (given instanceof vscode.Uri) return given;
  if (typeof given === "string") return vscode.Uri.parse(given);
  const document = vscode.window.activeTextEditor?.document;
  return document && isSpec(document) ? document.uri : null;
}

/** The text is checked with each key: what was found is shown. */
async function check(uri: vscode.Uri): Promise<void> {
  const found = vscode.languages.getDiagnostics(uri).length;
  if (!found) return void vscode.window.showInformationMessage(`netc finds nothing in ${uri.path.split("/").at(-1) ?? ""}.`);
  await vscode.commands.executeCommand("workbench.actions.view.problems");
}

async function fixAll(uri: vscode.Uri): Promise<void> {
  await vscode.window.showTextDocument(uri);
  await vscode.commands.executeCommand("editor.action.codeAction", { kind: "source.fixAll.netc", apply: "first" });
}
