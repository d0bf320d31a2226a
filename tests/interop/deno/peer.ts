// SPDX-License-Identifier: MIT
// Deno as a peer of ../run.py; ../README.md says what it is to do. What Deno cannot do is in peer.json.
//
//   peer.ts client --url https://127.0.0.1:PORT --case NAME --hash HEX
//   peer.ts server --port PORT --cert PEM --key PEM

const DEADLINE_MS = 28_000;
const LOST_MS = 1_000;
const MESSAGES = 10;
const MESSAGE_BYTES = 1_000;

type Options = Map<string, string>;

function pattern(length: number, from = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i + from) * 31 + ((i + from) >> 8));
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function need(options: Options, name: string): string {
  const value = options.get(name);
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
}

// --- Client ---

async function session(options: Options, path: string): Promise<WebTransport> {
  const value = Uint8Array.from(need(options, "hash").match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const transport = new WebTransport(need(options, "url") + path, {
    serverCertificateHashes: [{ algorithm: "sha-256", value }],
  });
  await transport.ready;
  return transport;
}

/** Why it failed is told with the status, in words. */
async function rejection(options: Options) {
  try {
    await session(options, "/nowhere");
  } catch (error) {
    if (String(error).includes("404")) return;
    throw error;
  }
  throw new Error("/nowhere was accepted");
}

async function datagrams(options: Options) {
  const { readable, writable } = (await session(options, "/echo")).datagrams;
  const reader = readable.getReader(), writer = writable.getWriter();
  const waiting = new Set<string>();
  let sent = 0, good = 0;
  let next = reader.read();
  while (sent < 100 || waiting.size > 0) {
    while (sent < 100 && waiting.size < 8) {
      const data = Uint8Array.from([sent >> 8, sent & 255, ...pattern(62)]);
      await writer.write(data);
      waiting.add(String(data));
      sent++;
    }
    let timer = 0;
    const late = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), LOST_MS));
    const result = await Promise.race([next, late]);
    clearTimeout(timer);
    if (!result) {
      waiting.clear();
      continue;
    }
    if (waiting.delete(String(result.value))) good++;
    next = reader.read();
  }
  if (good < 95) throw new Error(`${good} of 100 datagrams came back`);
}

async function live(options: Options) {
  const stream = await (await session(options, "/echo")).createBidirectionalStream();
  const writer = stream.writable.getWriter(), reader = stream.readable.getReader();
  for (let from = 0; from < MESSAGES * MESSAGE_BYTES; from += MESSAGE_BYTES) {
    const message = pattern(MESSAGE_BYTES, from);
    await writer.write(message);
    for (let at = 0; at < message.length;) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the stream ended");
      if (!equal(value, message.subarray(at, at + value.length))) throw new Error("other bytes came back");
      at += value.length;
    }
  }
}

const cases: Record<string, (options: Options) => Promise<void>> = { rejection, datagrams, live };

async function client(options: Options) {
  const play = cases[need(options, "case")];
  if (!play) throw new Error("no such case");
  setTimeout(() => {
    console.error(`not done after ${DEADLINE_MS} ms`);
    Deno.exit(1);
  }, DEADLINE_MS);
  await play(options);
}

// --- Server: it accepts every session, and does the same in each ---

async function echo(transport: WebTransport) {
  const { readable, writable } = transport.datagrams;
  readable.pipeTo(writable).catch(() => {});
  for await (const stream of transport.incomingBidirectionalStreams) {
    stream.readable.pipeTo(stream.writable).catch(() => {});
  }
}

async function serve(incoming: Deno.QuicIncoming) {
  const transport = await Deno.upgradeWebTransport(await incoming.accept());
  await transport.ready;
  echo(transport).catch(() => {});
  await transport.closed.catch(() => {});
  const { pathname, search } = new URL(transport.url);
  console.log(`closed ${pathname}${search} 0 `);
}

async function server(options: Options) {
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: Number(need(options, "port")) });
  const cert = Deno.readTextFileSync(need(options, "cert")), key = Deno.readTextFileSync(need(options, "key"));
  const listener = endpoint.listen({ cert, key, alpnProtocols: ["h3"] });
  Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
  console.log(`ready ${endpoint.addr.port}`);
  for await (const incoming of listener) serve(incoming).catch((error) => console.error(String(error)));
}

const [role, ...rest] = Deno.args;
const options: Options = new Map();
for (let i = 0; i + 1 < rest.length; i += 2) options.set(rest[i].replace(/^--/, ""), rest[i + 1]);
try {
  if (role === "client") await client(options);
  else if (role === "server") await server(options);
  else throw new Error("usage: peer.ts client --url URL --case NAME --hash HEX | server --port PORT --cert PEM --key PEM");
  Deno.exit(0);
} catch (error) {
  console.error(String(error));
  Deno.exit(1);
}
