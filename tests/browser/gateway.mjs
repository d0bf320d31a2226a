/* SPDX-License-Identifier: MIT
 *
 * The pages of docs/guide/gateway.md, through `webtransport gateway`: a terminal (examples/terminal) by keyboard, and a game on UDP
 * (examples/game) by mouse.
 *
 *   node gateway.mjs [PATH-OF-THE-TOOL] [BROWSER]      else build/webtransport and "chromium"; "firefox" is the other
 *
 * Screenshots are left in artifacts/ of the build folder (WT_BUILD_DIR, else the tool's folder). The exit code is 0 only if every
 * check passed.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BROWSERS } from './browsers.mjs';
import { PATIENCE_MS, Program, Results, openPage, poll, startBrowser, startFolder } from './harness.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const binary = resolve(process.argv[2] ?? join(root, 'build/webtransport'));
const which = process.argv[3] ?? 'chromium';
const artifacts = join(process.env.WT_BUILD_DIR ?? dirname(binary), 'artifacts', ...(which === 'chromium' ? [] : [which]));
const scratch = mkdtempSync(join(tmpdir(), 'gateway-'));
const SCREEN = { width: 900, height: 560 };
const FULL = 65535;

const programs = [];
async function start(...command) {
  const program = await Program.start(...command);
  programs.push(program);
  return program;
}

const python = (file, args, ready) => start('python3', ['-B', join(root, 'examples', file), ...args], (line) => line.match(ready));

async function startGateway(origins, routes) {
  const gateway = await start(binary, ['gateway', '--json', '--listen', 'localhost:0', '--access-log', 'none', '--log', 'debug',
    ...origins.flatMap((origin) => ['--default', `origin=${origin}`]),
    ...Object.entries(routes).flatMap(([path, url]) => ['--route', `${path}=${url}`])], JSON.parse);
  gateway.port = gateway.found.listen.at(-1).split(':').pop();
  return gateway;
}

const address = (site, gateway, path, rest = '') =>
  `${site.origin}/#server=https://localhost:${gateway.port}${path}&hash=${gateway.found.certificate_sha256}${rest}`;

/* ---- The terminal ----------------------------------------------------------------------------- */

const screen = async (page) => (await page.locator('.xterm-rows > div').allInnerTexts()).join('\n').replaceAll('\u00a0', ' ');

/** Waits until the terminal shows something. */
async function shows(page, pattern) {
  let last = '';
  const found = poll(PATIENCE_MS, `${pattern} in the terminal`, async () => {
    last = await screen(page);
    return last.match(pattern) ?? undefined;
  });
  return found.catch((error) => { throw new Error(`${error.message}; it shows:\n${last.trimEnd()}`); });
}

async function type(page, text) {
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type(text);
}

async function command(page, text) {
  await type(page, text);
  await page.keyboard.press('Enter');
}

const state = (page, pattern) => page.locator('#state').filter({ hasText: pattern }).waitFor();

async function commandsAreAnswered(page) {
  await state(page, /Connected to/);
  await shows(page, /\$ /);
  await command(page, 'echo $((6 * 7)) is what $(echo came | tr a-z A-Z)');
  await shows(page, /^42 is what CAME/m);
  await command(page, "printf '%s\\n' 'Grüße, Привет, 你好'");
  await shows(page, /^Grüße, Привет, 你好/m);
}

async function sizesAreTheSame(page) {
  const ask = async (mark) => {
    await command(page, `echo "${mark}: $(stty size)"`);
    const [, rows, columns] = await shows(page, new RegExp(`^${mark}: (\\d+) (\\d+)`, 'm'));
    return [Number(rows), Number(columns)];
  };
  const rowsShown = () => page.locator('.xterm-rows > div').count();
  const [rows, columns] = await ask('before');
  assert.equal(rows, await rowsShown());
  await page.setViewportSize({ width: 640, height: 400 });
  await poll(PATIENCE_MS, 'fewer rows', async () => ((await rowsShown()) < rows ? true : undefined));
  const [fewer, narrower] = await ask('small');
  assert.equal(fewer, await rowsShown());
  assert.ok(narrower < columns, `${narrower} columns after ${columns}`);
  await page.setViewportSize(SCREEN);
  await poll(PATIENCE_MS, 'the rows of before', async () => ((await rowsShown()) === rows ? true : undefined));
  assert.deepEqual(await ask('after'), [rows, columns]);
}

async function muchOutputIsStopped(page) {
  await command(page, 'seq 100000');
  await shows(page, /^99999\s*\n100000\s*\n/m);
  await command(page, 'yes this has no end');
  await shows(page, /this has no end\s*\nthis has no end/);
  await type(page, '');
  await page.keyboard.press('Control+C');
  await shows(page, /\^C/);
  await command(page, 'echo still $((40 + 2))');
  await shows(page, /^still 42/m);
}

async function aPictureIsTaken(page) {
  mkdirSync(artifacts, { recursive: true });
  await command(page, 'clear');
  await command(page, 'ls --color=always --group-directories-first');
  await command(page, 'grep -n --color=always tcp:// examples/gateway.yaml');
  await shows(page, /\/ssh: tcp:\/\/127/);
  await page.screenshot({ path: join(artifacts, 'terminal.png') });
}

async function theShellEnds(page) {
  await command(page, 'exit');
  await state(page, /shell has ended/);
  await page.click('#again');
  await state(page, /Connected to/);
  await shows(page, /\$ /);
}

/** A tab that is closed takes its shell with it. */
async function aClosedTabEndsItsShell(page) {
  await command(page, 'echo "pid=$$"');
  const pid = Number((await shows(page, /^pid=(\d+)/m))[1]);
  assert.doesNotThrow(() => process.kill(pid, 0));
  await page.context().close();
  await poll(PATIENCE_MS, 'the end of the shell', async () => {
    try {
      process.kill(pid, 0);
      return undefined;
    } catch {
      return true;
    }
  });
}

async function strangersAreKeptOut(browser, site, gateway, shell) {
  assert.equal(statSync(shell.path).mode & 0o077, 0);
  const wrong = await openPage(browser, address(site, gateway, '/shell', `&token=${'0'.repeat(32)}`), { viewport: SCREEN });
  await shows(wrong, /the token is not the one of this run/);
  await state(wrong, /has ended/);
  const elsewhere = await startFolder(join(root, 'examples/terminal'));
  const other = await openPage(browser, address(elsewhere, gateway, '/shell', `&token=${shell.found[1]}`), { viewport: SCREEN });
  await state(other, /No connection/);
  await poll(PATIENCE_MS, 'the log line', async () => gateway.log.find((line) => /403/.test(line)));
  await Promise.all([wrong, other].map((page) => page.context().close()));
  elsewhere.stop();
}

async function checkTerminal(results, browser) {
  const site = await startFolder(join(root, 'examples/terminal'));
  const path = join(scratch, 'shell.sock');
  const start = join(scratch, 'bashrc'); // not the user's own
  writeFileSync(start, `PS1='you@server:\\W$ '\ncd '${root}'\n`);
  const shell = await python('terminal/shell.py', [path, 'bash', '--rcfile', start], /^token=([0-9a-f]{32})$/);
  shell.path = path;
  const gateway = await startGateway([site.origin], { '/shell': `unix:${path}` });
  const page = await openPage(browser, address(site, gateway, '/shell', `&token=${shell.found[1]}`), { viewport: SCREEN });
  const check = (name, what) => results.check(`terminal: ${name}`, () => what(page));
  await check('what is typed is answered', commandsAreAnswered);
  await check('it is as large as the page', sizesAreTheSame);
  await check('much output comes, and Ctrl-C stops what has no end', muchOutputIsStopped);
  await check('a picture', aPictureIsTaken);
  await check('the end of the shell is shown, and there is another one', theShellEnds);
  await check('a closed tab ends its shell', aClosedTabEndsItsShell);
  await results.check('terminal: nothing was complained about', async () => assert.deepEqual(page.complaints, []));
  await results.check('terminal: other pages, and who does not know the token, are kept out', () =>
    strangersAreKeptOut(browser, site, gateway, shell));
  site.stop();
  return gateway;
}

/* ---- The game --------------------------------------------------------------------------------- */

const players = (page) => page.evaluate(() => document.getElementById('field').players ?? []);

async function sees(page, what, wanted) {
  return poll(PATIENCE_MS, what, async () => {
    const found = await players(page);
    return wanted(found) ? found : undefined;
  });
}

async function moveTo(page, x, y) {
  const box = await page.locator('#field').boundingBox();
  await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
}

const near = (player, x, y) => Math.abs(player.x / FULL - x) < 0.02 && Math.abs(player.y / FULL - y) < 0.02;

async function playersSeeEachOther([one, two]) {
  await sees(one, 'two players', (found) => found.length === 2);
  await moveTo(one, 0.2, 0.3);
  await moveTo(two, 0.7, 0.6);
  const both = (found) => found.some((player) => near(player, 0.2, 0.3)) && found.some((player) => near(player, 0.7, 0.6));
  await sees(one, 'both where they are', both);
  await sees(two, 'both where they are', both);
  await one.screenshot({ path: join(artifacts, 'game.png') });
}

async function whoGoesIsGone([one, two]) {
  await two.context().close();
  await sees(one, 'one player', (found) => found.length === 1);
  await one.locator('#state').filter({ hasText: '1 player' }).waitFor();
}

async function checkGame(results, browser) {
  const site = await startFolder(join(root, 'examples/game'));
  const server = await python('game/server.py', ['0'], /^listening on (\S+)$/);
  const gateway = await startGateway([site.origin], { '/game': `udp://${server.found[1]}` });
  const pages = [];
  for (let i = 0; i < 2; i++) pages.push(await openPage(browser, address(site, gateway, '/game'), { viewport: { width: 480, height: 360 } }));
  await results.check('game: players see each other move', () => playersSeeEachOther(pages));
  await results.check('game: who closes the tab is gone', () => whoGoesIsGone(pages));
  await results.check('game: nothing was complained about', async () =>
    assert.deepEqual(pages.flatMap(({ complaints }) => complaints), []));
  await pages[0].context().close();
  site.stop();
  return gateway;
}

/* ---- All of them ------------------------------------------------------------------------------ */

async function run() {
  const kind = BROWSERS[which];
  if (!kind) throw new Error(`no browser is called ${which}`);
  const results = new Results();
  const browser = await startBrowser(kind);
  console.log(`${binary}; ${kind.name} ${browser.version()}`);
  const gateways = [];
  try {
    mkdirSync(artifacts, { recursive: true });
    gateways.push(...await Promise.all([checkTerminal(results, browser), checkGame(results, browser)]));
  } finally {
    await browser.close();
  }
  for (const gateway of gateways)
    await results.check('a gateway ends in order, without findings of sanitizers', async () => {
      assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
      assert.deepEqual(gateway.findings(), []);
    });
  if (results.failed > 0) console.log(gateways.map((gateway) => `a gateway's log ended with:\n${gateway.tail()}`).join('\n'));
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
  for (const program of programs) program.kill();
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(code);
