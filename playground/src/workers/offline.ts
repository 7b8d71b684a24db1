/**
 * The page without a network, after its first visit: all that is needed to check and draw is kept, and examples and
 * what writes Keras code when they were asked for. Names of files hold the hash of their content, so that what is kept
 * under one stays right; the page itself is asked for first, as it may be newer.
 */
const scope = self as unknown as ServiceWorkerGlobalScope;

declare const KEPT: readonly string[]; // what a visit needs, given by the build
declare const VERSION: string;

const CACHE = `netc-playground-${VERSION}`;

scope.addEventListener("install", (event) => {
  const keep = async (): Promise<void> => {
    await (await caches.open(CACHE)).addAll(KEPT);
    await scope.skipWaiting();
  };
  event.waitUntil(keep());
});

scope.addEventListener("activate", (event) => {
  const settle = async (): Promise<void> => {
    const old = (await caches.keys()).filter((name) => name.startsWith("netc-playground-") && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await scope.clients.claim();
  };
  event.waitUntil(settle());
});

async function page(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put("./", response.clone());
    return response;
  } catch {
    return (await cache.match("./")) ?? Response.error();
  }
}

async function file(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) await cache.put(request, response.clone());
  return response;
}

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(scope.registration.scope)) return;
  event.respondWith(request.mode === "navigate" ? page(request) : file(request));
});
