/** The process of `netc lsp`: how it is started, and what there is to say where it cannot be. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

const KEPT = 4000; // characters of what it said last
const WAIT = 3000; // ms in which a process that has closed its output ends

export const INSTALL = 'pip install "netc[lsp]"';

export class Process {
  private said = "";
  private ended: Promise<number | null> | null = null;
  private missing = "";

  constructor(private readonly command: readonly string[]) {}

  /** Start it. It runs where VS Code does: a program of the folder that is open is never taken for netc. */
  start(): Promise<ChildProcessWithoutNullStreams> {
    const [program = "", ...first] = this.command;
    return new Promise((resolve, reject) => {
      if (!program) {
        this.missing = "the setting netc.command is empty";
        reject(new Error(this.missing));
        return;
      }
      const child = spawn(program, [...first, "lsp"], { stdio: "pipe", windowsHide: true });
      child.stderr.on("data", (data: Buffer) => (this.said = (this.said + data.toString()).slice(-KEPT)));
      child.stdin.on("error", () => undefined); // its end says more
      this.ended = new Promise((end) => child.once("close", end));
      child.once("spawn", () => resolve(child));
      child.once("error", (error: NodeJS.ErrnoException) => {
        const gone = error.code === "ENOENT";
        this.missing = gone ? `there is no program \`${program}\` here` : `\`${program}\` does not start: ${error.message}`;
        reject(error);
      });
    });
  }

  /** Why it does not answer, and what to do. */
  async why(): Promise<string> {
    const mend = `Install it (${INSTALL}), or say in the setting netc.command where it is.`;
    if (this.missing) return `netc was not started: ${this.missing}. ${mend}`;
    const code = await Promise.race([this.ended, new Promise<undefined>((done) => setTimeout(() => done(undefined), WAIT))]);
    const last = this.said.trim().split("\n").at(-1)?.trim();
    const how = typeof code === "number" ? `\`${this.command.join(" ")} lsp\` ended with ${code}` : "netc lsp does not answer";
    return `${how}${last ? `: ${last}` : ""}${last?.includes("pip install") ? "" : `. ${mend}`}`;
  }
}

/** The command of the setting, for a folder. */
export function filled(command: unknown, folder: string | undefined): string[] {
  if (!Array.isArray(command)) return [];
  return command.filter((part) => typeof part === "string").map((part) => part.replaceAll("${workspaceFolder}", folder ?? "."));
}
