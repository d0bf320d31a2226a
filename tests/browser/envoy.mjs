/* SPDX-License-Identifier: MIT
 *
 * Three Chromium clients at once behind Envoy, in front of `webtransport serve`: each has a connection of its own to the
 * proxy, which puts their sessions on one connection to the server. Streams that clients open and datagrams come back.
 *
 *   node envoy.mjs PATH-OF-THE-TOOL PATH-OF-ENVOY
 *
 * The configuration is examples/envoy.yaml, with the ports and files of the run in it. The certificate is of the kind that
 * a page may know by its hash: ECDSA, valid for at most 14 days. How sessions end is not asked: Envoy 1.40 does not pass
 * on that a page has closed one. The exit code is 0 only if every check passed.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BROWSERS } from './browsers.mjs';
import { PATIENCE_MS, Results, Server, openPage, poll, startBrowser } from './harness.mjs';

const KIT = readFileSync(new URL('in-page.js', import.meta.url), 'utf8');
const CONFIG = new URL('../../examples/envoy.yaml', import.meta.url);
const CLIENTS = 3;
const [tool, program] = process.argv.slice(2).map((path) => resolve(path));
const folder = mkdtempSync(join(tmpdir(), 'envoy-'));

/** The guide's configuration for this run. Each place must be found, or the guide would not be what is tested. */
function configure(backend) {
  let text = readFileSync(CONFIG, 'utf8');
  for (const [old, now] of [
    ['port_value: 8443 }', 'port_value: 0 }'],
    ['port_value: 4433 }', `port_value: ${backend} }`],
    ['filename: cert.pem', 'filename: dev.pem'],
    ['filename: key.pem', 'filename: dev.key'],
    ['filename: backend.pem', 'filename: dev.pem'],
  ]) {
    assert.equal(text.split(old).length, 2, old);
    text = text.replace(old, now);
  }
  return `${text}admin:\n  address:\n    socket_address: { address: 127.0.0.1, port_value: 0 }\n`;
}

/** What Envoy's administration says; undefined as long as it says nothing. */
async function ask(path) {
  try {
    return await (await fetch(`http://${readFileSync(join(folder, 'admin'), 'ascii')}/${path}`)).json();
  } catch {
    return undefined;
  }
}

function startEnvoy(backend) {
  writeFileSync(join(folder, 'envoy.yaml'), configure(backend));
  return spawn(program, ['-c', 'envoy.yaml', '--admin-address-path', 'admin', '--disable-hot-restart', '--concurrency', '1',
    '--log-level', 'critical'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

const portOfEnvoy = () => poll(PATIENCE_MS, 'Envoy\'s port', async () =>
  (await ask('listeners?format=json'))?.listener_statuses?.[0]?.local_address.socket_address.port_value);

async function active(connections) {
  const { stats } = await ask(`stats?format=json&filter=^${connections}$`);
  return stats.find((stat) => 'value' in stat)?.value;
}

async function openPages(browser, server, base) {
  return Promise.all(Array.from({ length: CLIENTS }, async () => {
    const page = await openPage(browser, server.http);
    await page.evaluate(KIT);
    await page.evaluate((it) => Object.assign(kit, { server: it }), { base, hash: server.certificate_sha256 });
    return page;
  }));
}

const openSession = (page, index) => page.evaluate(async (i) => {
  window.session = await kit.open(`/echo?client=${i}`);
}, index);

const echoStreams = (page) => page.evaluate(async () => {
  const same = await Promise.all(Array.from({ length: 5 }, async (_, i) => {
    const sent = kit.random(50000 + i);
    const stream = await session.createBidirectionalStream();
    const [back] = await Promise.all([kit.readAll(stream.readable), kit.writeAll(stream.writable, sent)]);
    return kit.same(sent, back);
  }));
  return same.filter(Boolean).length;
});

/** Until one comes back: a datagram may be lost. */
const echoDatagram = (page, index) => page.evaluate(async (i) => {
  const writer = session.datagrams.writable.getWriter();
  const again = setInterval(() => writer.write(new Uint8Array([i, i + 1])), 100);
  const { value } = await session.datagrams.readable.getReader().read();
  clearInterval(again);
  return [...value];
}, index);

async function run(results, server, envoy) {
  const browser = await startBrowser(BROWSERS.chromium);
  try {
    const base = `https://127.0.0.1:${await portOfEnvoy()}`;
    const pages = await openPages(browser, server, base);
    const each = (ask) => Promise.all(pages.map(ask));
    await results.check('three clients have a session at once', async () => {
      await each(openSession);
    });
    await results.check('the proxy has a connection from each, and one to the server', async () => {
      assert.equal(await active('http.public.downstream_cx_active'), CLIENTS);
      assert.equal(await active('cluster.backend.upstream_cx_active'), 1);
    });
    await results.check('five streams of each come back', async () =>
      assert.deepEqual(await each(echoStreams), [5, 5, 5]));
    await results.check('a datagram of each comes back', async () =>
      assert.deepEqual(await each(echoDatagram), [[0, 1], [1, 2], [2, 3]]));
  } finally {
    await browser.close();
  }
  await results.check('Envoy still runs', async () => assert.equal(envoy.exitCode ?? envoy.signalCode, null));
}

let server, envoy;
const results = new Results();
try {
  execFileSync(tool, ['cert', '--out', join(folder, 'dev')], { stdio: 'ignore' });
  server = await Server.start(tool, ['--listen', '127.0.0.1:0', '--cert', join(folder, 'dev.pem'),
    '--key', join(folder, 'dev.key')]);
  envoy = startEnvoy(server.listen.at(-1).split(':').pop());
  await run(results, server, envoy);
  envoy.kill();
  await results.check('the server ends in order, without findings of sanitizers', async () => {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.deepEqual(server.findings(), []);
  });
} catch (error) {
  results.failed++;
  console.log(`FAIL  the test itself: ${error.stack ?? error}`);
} finally {
  envoy?.kill();
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
}
if (results.failed > 0 && server) console.log(`the server's log ended with:\n${server.tail()}`);
console.log(results.summary());
process.exit(results.failed === 0 && results.passed > 0 ? 0 : 1);
