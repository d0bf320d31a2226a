/* SPDX-License-Identifier: MIT
 *
 * Chromium through `webtransport gateway`, in front of `webtransport serve`: the checks of transport.mjs about sessions, as
 * without it. What the server has recorded about a session is what came through.
 *
 *   node through_gateway.mjs PATH-OF-THE-TOOL
 *
 * The gateway passes the page's origin on; the server lets its own page in. The exit code is 0 only if every check passed.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BROWSERS } from './browsers.mjs';
import { Program, Results, Server, startBrowser } from './harness.mjs';
import { checkSessions } from './transport.mjs';

const tool = resolve(process.argv[2] ?? 'build/webtransport');
const folder = mkdtempSync(join(tmpdir(), 'gateway-'));

/** A gateway with one route for all paths; its `through` is the server as a page has to see it. */
async function startGateway(server) {
  const gateway = await Program.start(tool, ['gateway', '--json', '--listen', 'localhost:0', '--host', 'any', '--access-log',
    'none', '--cert', join(folder, 'dev.pem'), '--key', join(folder, 'dev.key'), '--route', `/=${server.base}`,
    '--default', `backend-insecure-hash=${server.certificate_sha256}`, '--default', 'origin=any'], JSON.parse);
  const base = `https://localhost:${gateway.found.listen[0].split(':').pop()}`;
  gateway.through = Object.assign(Object.create(server), { base, certificate_sha256: gateway.found.certificate_sha256 });
  return gateway;
}

async function run(results, server, gateway) {
  const browser = await startBrowser(BROWSERS.chromium);
  try {
    await checkSessions(results, browser, gateway.through);
  } finally {
    await browser.close();
  }
}

let server, gateway;
const results = new Results();
try {
  execFileSync(tool, ['cert', '--out', join(folder, 'dev')], { stdio: 'ignore' });
  server = await Server.start(tool, ['--protocol', 'chat.v2', '--protocol', 'chat.v1']);
  gateway = await startGateway(server);
  await run(results, server, gateway);
  await results.check('both end in order, without findings of sanitizers', async () => {
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.deepEqual([...gateway.findings(), ...server.findings()], []);
  });
} catch (error) {
  results.failed++;
  console.log(`FAIL  the test itself: ${error.stack ?? error}`);
} finally {
  gateway?.kill();
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
}
if (results.failed > 0 && gateway) console.log(`the gateway's log ended with:\n${gateway.tail()}`);
console.log(results.summary());
process.exit(results.failed === 0 && results.passed > 0 ? 0 : 1);
