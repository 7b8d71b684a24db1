/**
 * The state of the page as a part of its URL that no server sees. `#resnet32` is an example as it is shipped; `#z=...`
 * is a text: JSON, deflated without a header (RFC 1951), in base64url (RFC 4648).
 */

export interface Shared {
  name: string;
  text: string;
  style: string;
  /** Values in place of those of `param`s. */
  overrides: Record<string, string>;
}

const MOST = 2_000_000; // bytes of a text

export async function encode(shared: Shared): Promise<string> {
  const packed = await through(new TextEncoder().encode(JSON.stringify(shared)), new CompressionStream("deflate-raw"));
  const binary = Array.from(packed, (byte) => String.fromCharCode(byte)).join("");
  return `z=${btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")}`;
}

/** The text of a link. Raises an error in words where there is none in it. */
export async function decode(hash: string): Promise<Shared> {
  try {
    const binary = atob(hash.replace(/^z=/, "").replace(/-/g, "+").replace(/_/g, "/"));
    const packed = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true }).decode(
      await through(packed, new DecompressionStream("deflate-raw")),
    );
    const found = JSON.parse(text) as Partial<Record<keyof Shared, unknown>>;
    if (typeof found.text !== "string") throw new Error("no text");
    const name = typeof found.name === "string" && /^[\w.-]{1,100}$/.test(found.name) ? found.name : "net.net";
    const style = typeof found.style === "string" ? found.style : "auto";
    const overrides = Object.entries(found.overrides ?? {}).filter((pair): pair is [string, string] => typeof pair[1] === "string");
    return { name, text: found.text, style, overrides: Object.fromEntries(overrides) };
  } catch (error) {
    const why = error instanceof TooLong ? "its text is too long" : "it is cut off or altered";
    throw new Error(`This link cannot be read: ${why}.`, { cause: error });
  }
}

class TooLong extends Error {}

/** Bytes through a stream, and no more of them than a text may have: a small link can be made that becomes huge. */
async function through(bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    size += part.value.byteLength;
    if (size > MOST) {
      await reader.cancel();
      throw new TooLong();
    }
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
