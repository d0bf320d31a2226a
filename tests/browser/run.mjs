/* SPDX-License-Identifier: MIT
 *
 * The browser test: Chromium, with no flag that touches QUIC and the certificate known by its hash alone, against
 * `webtransport serve`. transport.mjs checks the protocol, playground.mjs the page.
 *
 *   node run.mjs [PATH-OF-THE-TOOL]      else WEBTRANSPORT_BIN, else build/webtransport
 *
 * Screenshots of the page are left in artifacts/ of the build folder (WT_BUILD_DIR, else the tool's folder). The exit
 * code is 0 only if every check passed.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Results, Server, startBrowser } from './harness.mjs';
import { checkPlayground } from './playground.mjs';
import { checkTransport } from './transport.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const binary = resolve(process.argv[2] ?? process.env.WEBTRANSPORT_BIN ?? join(root, 'build/webtransport'));
const artifacts = join(process.env.WT_BUILD_DIR ?? dirname(binary), 'artifacts');

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

/** Chromium's other dialect, behind a flag, against a server that leaves out what the first one needs. */
async function runDraft07(results) {
  const server = await startServer(['--protocol', 'chat.v2', '--protocol', 'chat.v1', '--drafts', '7,13,15']);
  const browser = await startBrowser('--enable-features=EnableWebTransportDraft07');
  const named = { check: (name, run) => results.check(`draft 07: ${name}`, run) };
  try {
    await checkTransport(named, browser, server, startServer);
  } finally {
    await browser.close();
  }
  await results.check('draft 07: that is what was spoken', async () => {
    const { sessions } = await server.json('/sessions.json');
    assert.deepEqual([...new Set(sessions.map(({ draft }) => draft))], [7]);
  });
}

async function run() {
  if (!existsSync(binary)) throw new Error(`${binary} does not exist: run "make build" first`);
  const results = new Results();
  const server = await startServer(['--protocol', 'chat.v2', '--protocol', 'chat.v1']);
  const browser = await startBrowser();
  console.log(`${binary} on UDP port ${server.port}; Chromium ${browser.version()}`);
  try {
    await checkPlayground(results, browser, server, startServer, artifacts);
    await Promise.all([checkTransport(results, browser, server, startServer), runDraft07(results)]);
  } finally {
    await browser.close();
  }
  await results.check('the servers end in order, without findings of sanitizers', () => endsInOrder(server));
  console.log(`screenshots: ${artifacts}`);
  console.log(results.summary());
  return results.failed === 0 ? 0 : 1;
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
