/* SPDX-License-Identifier: MIT
 *
 * One session of a page of Chromium with a server that echoes, of any program: a stream and a datagram come back.
 *
 *   node echo.mjs URL HASH                       HASH: SHA-256 of the server's certificate, in hexadecimal
 *   node echo.mjs --start PATH HASH COMMAND...   starts COMMAND, and takes the port from its log
 *
 * Prints how long the browser took to start, and from then on to the session, the stream and the datagram. The page has the
 * origin of the server, though the server has no pages: the browser gets it from here.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { BROWSERS, startBrowser } from './browsers.mjs';
import { within } from './harness.mjs';

/** Starts a server whose log names the port: `{ child, port }`. */
async function startServer([binary, ...args]) {
  const child = spawn(binary, args, { stdio: ['ignore', 'inherit', 'pipe'] });
  const log = [];
  const listening = new Promise((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      log.push(line);
      const found = /listening on \S+:(\d+)/.exec(line);
      if (found) resolve(Number(found[1]));
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${log.join('\n')}`)));
    child.once('error', reject);
  });
  return { child, port: await within(15000, 'the port of the server', listening) };
}

/** In the page: what comes back, and when. */
async function echo({ url, hash }) {
  const bytes = new Uint8Array(hash.match(/../g).map((pair) => parseInt(pair, 16)));
  const times = { begin: performance.now() };
  const session = new WebTransport(url, { serverCertificateHashes: [{ algorithm: 'sha-256', value: bytes }] });
  await session.ready;
  times.ready = performance.now();
  const stream = await session.createBidirectionalStream();
  const writer = stream.writable.getWriter();
  await writer.write(new TextEncoder().encode('hello on a stream'));
  await writer.close();
  const onStream = await new Response(stream.readable).text();
  times.stream = performance.now();
  const datagrams = session.datagrams.readable.getReader();
  await session.datagrams.writable.getWriter().write(new TextEncoder().encode('and in a datagram'));
  const inDatagram = new TextDecoder().decode((await datagrams.read()).value);
  times.datagram = performance.now();
  session.close();
  return { onStream, inDatagram, times };
}

async function visit(url, hash) {
  const started = Date.now();
  const browser = await startBrowser(BROWSERS.chromium);
  try {
    const page = await browser.newPage();
    await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '<!DOCTYPE html><title>echo</title>' }));
    await page.goto(new URL('/', url).href);
    const opened = Date.now();
    const { onStream, inDatagram, times } = await within(20000, 'the session', page.evaluate(echo, { url, hash }));
    assert.equal(onStream, 'hello on a stream');
    assert.equal(inDatagram, 'and in a datagram');
    const ms = (from, to) => `${Math.round(to - from)} ms`;
    console.log(`Chromium ${browser.version()}: started in ${ms(started, opened)}, session ${ms(times.begin, times.ready)}, ` +
        `stream ${ms(times.ready, times.stream)}, datagram ${ms(times.stream, times.datagram)}`);
  } finally {
    await browser.close();
  }
}

async function run(args) {
  if (args[0] !== '--start') return visit(args[0], args[1]);
  const [, path, hash, ...command] = args;
  const { child, port } = await startServer(command);
  try {
    await visit(`https://localhost:${port}${path}`, hash);
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGTERM');
  }
}

run(process.argv.slice(2)).catch((error) => {
  console.error(`echo: ${error.message}`);
  process.exit(1);
});
