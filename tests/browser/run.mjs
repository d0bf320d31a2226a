/* SPDX-License-Identifier: MIT
 *
 * The browser test: a browser, with nothing set that touches QUIC but a timeout, and the certificate known by its hash
 * alone, against `webtransport serve`. transport.mjs checks the protocol, playground.mjs the page, browsers.mjs says
 * where browsers differ.
 *
 *   node run.mjs [PATH-OF-THE-TOOL] [BROWSER]      else build/webtransport and "chromium"; "firefox" is the other
 *
 * Screenshots of the page are left in artifacts/ of the build folder (WT_BUILD_DIR, else the tool's folder), and in
 * WT_RESULTS_DIR, if it is set, the results for the table of docs/interop.md. The exit code is 0 only if every check
 * passed.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BROWSERS } from './browsers.mjs';
import { Results, Server, startBrowser } from './harness.mjs';
import { checkPlayground } from './playground.mjs';
import { checkTransport } from './transport.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const binary = resolve(process.argv[2] ?? process.env.WEBTRANSPORT_BIN ?? join(root, 'build/webtransport'));
const which = process.argv[3] ?? 'chromium';
const artifacts = join(process.env.WT_BUILD_DIR ?? dirname(binary), 'artifacts', ...(which === 'chromium' ? [] : [which]));

const servers = [];
async function startServer(extra) {
  const server = await Server.start(binary, extra);
  servers.push(server);
  return server;
}

async function endsInOrder(server) {
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  assert.deepEqual(servers.flatMap((one) => one.findings()), []);
}

/** Each session that the server accepted was counted for this browser. */
async function countsBrowser(server, family, draft) {
  const metrics = await (await fetch(new URL('/metrics', server.http))).text();
  const counted = [...metrics.matchAll(/^webtransport_sessions_accepted_total\{draft="(\d+)",browser="(\w+)"\} (\d+)$/gm)]
    .filter(([, , , count]) => count > 0);
  assert.deepEqual(counted.map((one) => one.slice(1, 3)), [[draft, family]]);
  return `${counted[0][3]} sessions`;
}

/** Chromium's other dialect, behind a flag, against a server that leaves out what the first one needs. */
async function runDraft07(all) {
  const server = await startServer(['--protocol', 'chat.v2', '--protocol', 'chat.v1', '--drafts', '7,13,15']);
  const browser = await startBrowser(BROWSERS.chromium, '--enable-features=EnableWebTransportDraft07');
  const peer = { ...BROWSERS.chromium, name: 'Chromium, draft 07' };
  const results = all.of(peer, 'draft 07: ');
  all.version(peer, browser.version());
  try {
    await checkTransport(results, browser, server, startServer);
  } finally {
    await browser.close();
  }
  await results.check('that is what was spoken', async () => {
    const { sessions } = await server.json('/sessions.json');
    assert.deepEqual([...new Set(sessions.map(({ draft }) => draft))], [7]);
  });
  await results.check('the metrics name the browser', () => countsBrowser(server, 'chromium', '07'));
}

/** A page of a name that somebody else bound to this machine's address: the browser counts the companion as its own. */
async function checkRebinding(results, server) {
  const browser = await startBrowser(BROWSERS.chromium, '--host-resolver-rules=MAP rebound.test 127.0.0.1');
  try {
    await results.check('a page of a name bound to this address reads nothing', async () => {
      const page = await browser.newPage();
      const port = new URL(server.http).port;
      const answer = await page.goto(`http://rebound.test:${port}/`);
      assert.equal(answer.status(), 421);
      const [status, text] = await page.evaluate(async () => {
        const info = await fetch('/info.json');
        return [info.status, await info.text()];
      });
      assert.equal(status, 421);
      assert.doesNotMatch(text, /[0-9a-f]{64}/);
    });
  } finally {
    await browser.close();
  }
}

async function run() {
  const kind = BROWSERS[which];
  if (!kind) throw new Error(`no browser is called ${which}`);
  if (!existsSync(binary)) throw new Error(`${binary} does not exist: run "make build" first`);
  const all = new Results();
  const results = all.of(kind, '');
  const server = await startServer(['--protocol', 'chat.v2', '--protocol', 'chat.v1']);
  const browser = await startBrowser(kind);
  console.log(`${binary} on UDP port ${server.port}; ${kind.name} ${browser.version()}`);
  all.version(kind, browser.version());
  try {
    await checkPlayground(results, browser, server, startServer, artifacts);
    const dialects = [checkTransport(results, browser, server, startServer)];
    if (which === 'chromium') dialects.push(runDraft07(all));
    await Promise.all(dialects);
    if (which === 'chromium') await checkRebinding(results, server);
    await results.check('the metrics name the browser', () => countsBrowser(server, which, '02'));
  } finally {
    await browser.close();
  }
  await results.check('the servers end in order, without findings of sanitizers', () => endsInOrder(server));
  all.save(`browser-${which}`);
  if (all.failed > 0) console.log(`the server's log ended with:\n${server.tail()}`);
  console.log(`screenshots: ${artifacts}`);
  console.log(all.summary());
  return all.failed === 0 ? 0 : 1;
}

let code = 1;
try {
  code = await run();
} catch (error) {
  console.log(`FAIL  the test itself: ${error.stack ?? error}`);
} finally {
  for (const server of servers) server.kill(); // those that a failed check left running
}
process.exit(code);
