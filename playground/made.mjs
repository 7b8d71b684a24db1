/**
 * What is netc's, made of this checkout by its Python (PYTHON, else `python3`), which needs what netc is installed with.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const [root, made] = ["..", "made"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
const command = process.env.PYTHON ?? "python3";
const env = { ...process.env, PYTHONHASHSEED: "0" }; // the same checkout makes the same files
const run = spawnSync(command, ["-m", "tools.playground", made], { cwd: root, env, stdio: "inherit" });
if (run.error) console.error(`${command} did not run (${run.error.message}): PYTHON names another one`);
process.exitCode = run.status ?? 1;
