/** The client of `netc lsp`. */
import * as vscode from "vscode";
import { CloseAction, ErrorAction, LanguageClient, type ErrorHandler } from "vscode-languageclient/node";
import type { Ask } from "./messages";
import { filled, Process } from "./server";

const SETTINGS = "Open Settings";
const OUTPUT = "Show Output";
const RESTARTS = 4; // of a server that ends by itself
const SPECS = ["file", "untitled"].map((scheme) => ({ language: "netc", scheme }));

/** Whether the server knows a text: not an old version of one beside it, for example. */
export function isSpec(document: vscode.TextDocument): boolean {
  return vscode.languages.match(SPECS, document) > 0;
}

/** Why a server does not start is told once, in words of our own (`Process.why`); what the client would say besides is
 * in its output. */
class QuietUntilItRuns extends LanguageClient {
  override error(message: string, data?: unknown, show?: boolean | "force"): void {
    super.error(message, data, this.isRunning() ? show : false);
  }
}

export class Client {
  private client: LanguageClient | null = null;
  private turn = Promise.resolve();

  constructor(
    private readonly output: vscode.OutputChannel,
    /** The findings of a text are there: the server has read it, or what it uses. */
    private readonly found: (uri: vscode.Uri) => void,
  ) {}

  /** Start the server, anew where it runs. */
  restart(): Promise<void> {
    return this.next(async () => {
      await this.end();
      await this.begin();
    });
  }

  stop(): Promise<void> {
    return this.next(() => this.end());
  }

  readonly ask: Ask = (name, uri, more) => {
    if (!this.client?.isRunning()) return Promise.reject(new Error(`netc lsp does not run: the command "netc: Restart the Language Server" starts it`));
    return this.client.sendRequest(name, { textDocument: { uri }, ...more });
  };

  /** One after the other: a client that starts cannot be stopped. */
  private next(act: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(act, act);
    return this.turn;
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = null;
    if (client?.isRunning()) await client.stop();
    await client?.dispose().catch(() => undefined); // of one that never ran
  }

  private async begin(): Promise<void> {
    const command = filled(
      vscode.workspace.getConfiguration("netc").get("command"),
      vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
    );
    let process = new Process(command);
    let [ran, restarts] = [false, 0];
    const errorHandler: ErrorHandler = {
      error: () => ({ action: ErrorAction.Continue }),
      closed: () => {
        if (ran && restarts++ < RESTARTS) return { action: CloseAction.Restart };
        if (ran) void this.tell(process);
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    };
    const client = new QuietUntilItRuns(
      "netc",
      "netc",
      () => {
        process = new Process(command);
        return process.start();
      },
      {
        documentSelector: SPECS,
        outputChannel: this.output,
        // `netc.draw` is the server's own: it writes a file. Here "draw" shows the figure beside the text.
        initializationOptions: { drawCommand: "netc.figure" },
        initializationFailedHandler: () => false,
        errorHandler,
        synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/{*.net,pyproject.toml}") },
        middleware: {
          handleDiagnostics: (uri, diagnostics, next) => {
            next(uri, diagnostics);
            this.found(uri);
          },
        },
      },
    );
    this.client = client;
    try {
      await client.start();
      ran = true;
    } catch {
      await this.tell(process);
    }
  }

  private async tell(process: Process): Promise<void> {
    const why = await process.why();
    this.output.appendLine(why);
    void vscode.window.showErrorMessage(why, SETTINGS, OUTPUT).then((chosen) => {
      // Of a window on another machine, the program is that machine's setting.
      const kind = vscode.env.remoteName ? "Remote" : "";
      if (chosen === SETTINGS) void vscode.commands.executeCommand(`workbench.action.open${kind}Settings`, { query: "netc.command" });
      else if (chosen === OUTPUT) this.output.show();
    });
  }
}
