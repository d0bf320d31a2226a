/* SPDX-License-Identifier: MIT
 *
 * What README.md and docs/guide/certificates.md say to authors of pages: the first page, a page whose network drops UDP
 * (examples/fallback), and what a Content Security Policy does to sessions.
 *
 *   node pages.mjs [PATH-OF-THE-TOOL] [BROWSER]      else build/webtransport and "chromium"; "firefox" is the other
 *
 * The exit code is 0 only if every check passed.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createHttp } from 'node:http';
import { createServer as createTcp, connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BROWSERS } from './browsers.mjs';
import { Program, Results, Server, openPage, startBrowser } from './harness.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const binary = resolve(process.argv[2] ?? join(root, 'build/webtransport'));
const which = process.argv[3] ?? 'chromium';
const ends = [];

async function listening(server, ...where) {
  server.listen(...where);
  await once(server, 'listening');
  ends.push(() => server.close());
  return server.address().port;
}

/* ---- Servers --------------------------------------------------------------------------------- */

/** A service on TCP that sends back what it gets. */
const startService = () => listening(createTcp((socket) => socket.on('error', () => {}).pipe(socket)), 0, '127.0.0.1');

/** The whole frames at the beginning of `bytes`, as clients send them, short and masked (RFC 6455, section 5.2). */
function* frames(bytes) {
  while (bytes.length >= 6 && bytes.length >= 6 + (bytes[1] & 127)) {
    const length = bytes[1] & 127;
    const mask = bytes.subarray(2, 6);
    yield { opcode: bytes[0] & 15, data: bytes.subarray(6, 6 + length).map((byte, at) => byte ^ mask[at % 4]), used: 6 + length };
    bytes = bytes.subarray(6 + length);
  }
}

function relay(socket, back) {
  let rest = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (const { opcode, data, used } of frames(rest)) {
      rest = rest.subarray(used);
      if (opcode === 8) back.end();
      else back.write(data);
    }
  });
  back.on('data', (data) => socket.write(Buffer.concat([Buffer.from([0x82, data.length]), data])));
  back.on('end', () => socket.end(Buffer.from([0x88, 0])));
  for (const one of [socket, back]) one.on('error', () => {});
}

/** What websockify is: a WebSocket becomes a connection to the service. For messages of up to 125 bytes. */
function startWebsockify(service) {
  const site = createHttp();
  site.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n' +
        `sec-websocket-accept: ${accept.digest('base64')}\r\n\r\n`);
    relay(socket, connect(service, '127.0.0.1'));
  });
  return listening(site, 0, 'localhost');
}

/** A port that takes packets and never answers, as a firewall does that drops them. */
async function startSilence() {
  const socket = createSocket('udp6');
  socket.bind(0, '::1');
  await once(socket, 'listening');
  ends.push(() => socket.close());
  return socket.address().port;
}

async function startGateway(service, origin) {
  const gateway = await Program.start(binary, ['gateway', '--json', '--listen', 'localhost:0', '--access-log', 'none',
    '--default', `origin=${origin}`, '--route', `/app=tcp://127.0.0.1:${service}`], JSON.parse);
  ends.push(() => gateway.kill());
  return { port: gateway.found.listen.at(-1).split(':').pop(), hash: gateway.found.certificate_sha256 };
}

/** A site with the scripts of examples/, whose page is empty and has the policy that stands behind the '?'. */
async function startSite() {
  const port = await listening(createHttp(async (request, response) => {
    const { pathname, search } = new URL(request.url, 'http://localhost');
    if (pathname.endsWith('.js')) {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(await readFile(join(root, 'examples', pathname)));
      return;
    }
    const policy = decodeURIComponent(search.slice(1));
    response.writeHead(200, { 'content-type': 'text/html', ...(policy && { 'content-security-policy': policy }) });
    response.end('<!DOCTYPE html><link rel="icon" href="data:,"><title>A page</title>');
  }), 0, 'localhost');
  return `http://localhost:${port}`;
}

/* ---- The checks ------------------------------------------------------------------------------ */

async function theFirstPage(browser, site, server) {
  const page = await openPage(browser, site);
  const said = page.waitForEvent('console');
  await page.evaluate(async ({ url, hash }) => {
    const { hello } = await import('/hello/hello.js');
    const Real = globalThis.WebTransport;
    globalThis.WebTransport = function elsewhere(_, options) { return new Real(url, options); };
    await hello(Uint8Array.from(hash.match(/../g), (hex) => parseInt(hex, 16)));
  }, { url: `${server.base}/echo`, hash: server.certificate_sha256 });
  assert.equal((await said).text(), 'hello');
  await page.context().close();
}

/** Opens either way, sends and reads; returns which way it was and what came back. */
async function either(browser, site, port, hash, socketPort, patience) {
  const page = await openPage(browser, site);
  const result = await page.evaluate(async ({ session, socket, hex, wait }) => {
    const { open } = await import('/fallback/fallback.js');
    const value = Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16));
    const options = { serverCertificateHashes: [{ algorithm: 'sha-256', value }] };
    const began = performance.now();
    const it = await open(session, socket, { patience: wait, options });
    const took = performance.now() - began;
    const writer = it.writable.getWriter();
    await writer.write(new TextEncoder().encode('is anybody there?'));
    const reader = it.readable.getReader();
    let text = '';
    while (text.length < 17) text += new TextDecoder().decode((await reader.read()).value);
    await writer.close();
    const { done } = await reader.read();
    it.close();
    return { way: it.way, text, done, took };
  }, { session: `https://localhost:${port}/app`, socket: `ws://localhost:${socketPort}/`, hex: hash, wait: patience });
  await page.context().close();
  return result;
}

async function udpPasses(browser, site, gateway, socketPort) {
  const { way, text, done } = await either(browser, site, gateway.port, gateway.hash, socketPort, 20000);
  assert.deepEqual([way, text, done], ['WebTransport', 'is anybody there?', true]);
}

async function udpIsDropped(browser, site, gateway, socketPort) {
  const { way, text, done, took } = await either(browser, site, await startSilence(), gateway.hash, socketPort, 500);
  assert.deepEqual([way, text, done], ['WebSocket', 'is anybody there?', true]);
  return `after ${Math.round(took)} ms`;
}

async function underPolicy(page, site, server, policy) {
  await page.goto(`${site}/?${encodeURIComponent(policy.replace('SERVER', server.base))}`);
  return page.evaluate(async ({ url, hex }) => {
    const value = Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16));
    try {
      const transport = new WebTransport(url, { serverCertificateHashes: [{ algorithm: 'sha-256', value }] });
      transport.closed.catch(() => {});
      await transport.ready;
      transport.close();
      return 'open';
    } catch (error) {
      return error.name;
    }
  }, { url: `${server.base}/echo`, hex: server.certificate_sha256 });
}

async function policiesCount(browser, site, server) {
  const page = await openPage(browser, site);
  const ask = (policy) => underPolicy(page, site, server, policy);
  assert.equal(await ask(''), 'open');
  assert.equal(await ask("connect-src 'self'"), 'WebTransportError');
  assert.equal(await ask("default-src 'self'"), 'WebTransportError');
  assert.equal(await ask("connect-src SERVER 'unsafe-webtransport-hashes'"), 'open');
  return `without the keyword: ${await ask('connect-src SERVER')}`;
}

/* ---- All of it ------------------------------------------------------------------------------- */

async function main() {
  const results = new Results();
  const site = await startSite();
  const server = await Server.start(binary, ['--origin', 'any']);
  ends.push(() => server.kill());
  const service = await startService();
  const socketPort = await startWebsockify(service);
  const gateway = await startGateway(service, site);
  const browser = await startBrowser(BROWSERS[which]);
  try {
    await results.check('the page of the README', () => theFirstPage(browser, site, server));
    await results.check('a session where UDP passes', () => udpPasses(browser, site, gateway, socketPort));
    await results.check('a WebSocket where UDP is dropped', () => udpIsDropped(browser, site, gateway, socketPort));
    await results.check('a Content Security Policy', () => policiesCount(browser, site, server), 60000);
  } finally {
    await browser.close();
    for (const end of ends.reverse()) end();
  }
  console.log(results.summary());
  process.exit(results.failed ? 1 : 0);
}

main();
