/** The scope of each character of texts, as VS Code finds it: a list of texts comes in as JSON, one of scopes goes out. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const wasm = readFileSync(createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm"));
await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
const grammar = new URL("../syntaxes/net.tmLanguage.json", import.meta.url);
const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (sources) => new oniguruma.OnigScanner(sources),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: () => Promise.resolve(textmate.parseRawGrammar(readFileSync(grammar, "utf8"), "net.tmLanguage.json")),
});
const net = await registry.loadGrammar("source.netc");

function scopes(text) {
  const found = [];
  let state = textmate.INITIAL;
  for (const line of text.split("\n")) {
    const { tokens, ruleStack } = net.tokenizeLine(line, state);
    state = ruleStack;
    for (const { startIndex, endIndex, scopes } of tokens) {
      for (let at = startIndex; at < Math.min(endIndex, line.length); at++) found.push(scopes[1] ?? "");
    }
    found.push("");
  }
  return found.slice(0, -1);
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(scopes)));
