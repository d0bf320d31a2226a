/* SPDX-License-Identifier: MIT
 *
 * The checks of the page that the tool serves, by mouse and keyboard alone, as someone who tries it would. What it
 * claims is compared with the server's own record.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPage } from './harness.mjs';

const SCREEN = { width: 1240, height: 900 };

const textOf = (page, selector) => page.locator(selector).innerText();

/** Waits until the element's text matches, and returns the match. */
async function shows(page, selector, pattern) {
  const found = page.locator(selector).filter({ hasText: pattern });
  await found.first().waitFor();
  return (await found.first().innerText()).match(pattern);
}

async function logShows(page, kind, pattern) {
  return shows(page, `#log li[data-kind=${kind}]`, pattern);
}

async function isFilledIn(page, server) {
  await page.waitForFunction(() => document.getElementById('hash').value !== '');
  assert.equal(await page.inputValue('#url'), `${server.base}/echo`);
  assert.equal(await page.inputValue('#hash'), server.certificate_sha256);
  assert.equal(await textOf(page, '#state'), 'Not connected');
  assert.equal(await page.isDisabled('#send'), true);
}

async function connects(page) {
  await page.fill('#protocols', 'chat.v2, chat.v1');
  await page.click('#connect');
  await shows(page, '#state', /^Connected$/);
  assert.equal(await textOf(page, '#fact-protocol'), page.kind.protocols ? 'chat.v2' : 'none');
  assert.match(await textOf(page, '#fact-datagram'), /^1,\d\d\d bytes$/);
}

async function sendsText(page) {
  for (const kind of ['bidi', 'uni', 'datagram']) {
    await page.check(`[name=kind][value=${kind}]`);
    await page.fill('#text', `hello on ${kind}`);
    await page.click('#send');
    await page.locator(`#log li.in[data-kind=${kind}]`).filter({ hasText: `hello on ${kind}` }).waitFor();
  }
}

async function sendsBytes(page) {
  await page.check('[name=payload][value=size]');
  await page.check('[name=kind][value=bidi]');
  await page.fill('#size', '1048576');
  await page.click('#send');
  await logShows(page, 'bidi', /1,048,576 bytes back in .*, the same bytes/);
  await page.fill('#size', '20000');
  await page.fill('#count', '100');
  await page.click('#send');
  await logShows(page, 'bidi', /100 streams of 20,000 bytes: 100 echoed byte for byte/);
  await page.check('[name=kind][value=uni]');
  await page.click('#send');
  await logShows(page, 'uni', /100 streams of 20,000 bytes: 100 echoed byte for byte/);
  await page.check('[name=kind][value=datagram]');
  await page.fill('#size', '1000');
  await page.click('#send');
  // The page sends them in one go.
  await logShows(page, 'datagram', page.kind.datagramsAtOnce >= 100
    ? /100 × 1,000 bytes: (9[5-9]|100) back/ : /100 × 1,000 bytes: [1-9]\d* back/);
  await page.fill('#size', '5000');
  await page.click('#send');
  await logShows(page, 'datagram', /Not sent: 5,000 bytes, but the largest is 1,\d\d\d/);
  await page.fill('#count', '1');
}

async function abortsStreams(page) {
  await page.check('[name=kind][value=bidi]');
  await page.fill('#size', '1000');
  await page.selectOption('#ending', 'reset');
  await page.click('#send');
  await logShows(page, 'bidi', page.kind.resetCodes ? /Server aborted its side: code 42/ : /Server aborted its side/);
  await page.selectOption('#ending', 'stop');
  await page.click('#send');
  // Chromium does not always tell the code, see stopSendingGoesBothWays().
  await logShows(page, 'bidi', page.kind.stopSending
    ? /Server stopped reading: (code 42|The stream was aborted by the remote server)/
    : /Stopped reading with code 42/);
  await page.selectOption('#ending', 'fin');
}

/** How many colours a canvas shows: read from a copy, since reading the canvas itself would slow its drawing. */
const drawn = (page, selector) => page.$eval(selector, (canvas) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let i = 0; i < data.length; i += 4) colours.add(data.slice(i, i + 4).join());
  return colours.size;
});

async function chartsRoundTrips(page) {
  await page.fill('#ping-rate', '100');
  await page.click('#ping');
  await shows(page, '#rtt-sent', /^[5-9]\d$/);
  for (const figure of ['min', 'median', 'p95']) await shows(page, `#rtt-${figure}`, /^[\d.]+ ms$/);
  assert.ok(await drawn(page, '#rtt-chart') > 5, 'the chart is drawn');
  await page.click('#ping');
  await shows(page, '#ping', /^Start$/);
  assert.equal(await textOf(page, '#rtt-loss'), '0.0 %');
  const figures = {};
  for (const figure of ['min', 'median', 'p95']) figures[figure] = parseFloat(await textOf(page, `#rtt-${figure}`));
  assert.ok(figures.min <= figures.median && figures.median <= figures.p95, JSON.stringify(figures));
  return `median ${figures.median} ms`;
}

async function measures(page, button, name) {
  await page.fill('#speed-size', '32');
  await page.click(button);
  await shows(page, '#speed-note', new RegExp(`^${name}: 32,000,000 bytes in`));
  await shows(page, '#speed-server', /^32,000,000$/);
  const rate = await textOf(page, '#speed-average');
  assert.ok(parseFloat(rate) > 0, rate);
  assert.ok(await drawn(page, '#speed-chart') > 5, 'the chart is drawn');
  return rate;
}

async function closes(page) {
  await page.fill('#close-code', '4711');
  await page.fill('#close-reason', 'that will do');
  await page.click('#close');
  await shows(page, '#server-saw', /Code 4711/);
  assert.match(await textOf(page, '#page-saw'), /Code 4711\s*“that will do”, closed by this page/);
  assert.match(await textOf(page, '#server-saw'), /Code 4711\s*“that will do”, closed by the page; [\d,]+ bytes in/);
  assert.equal(await textOf(page, '#state'), 'Session ended');
}

async function letsTheServerClose(page) {
  await page.click('#server-close');
  await shows(page, '#page-saw', /Code 1337\s*“foobar”, closed by the server/);
  await shows(page, '#server-saw', /Code 1337\s*“foobar”, closed by the server/);
}

async function worksByKeyboard(page, server) {
  await page.fill('#url', `${server.base}/echo`);
  await page.focus('#url');
  await page.keyboard.press('Enter');
  await shows(page, '#state', /^Connected$/);
  await page.focus('[name=kind]:checked');
  const before = await page.inputValue('[name=kind]:checked');
  await page.keyboard.press('ArrowRight');
  assert.notEqual(await page.inputValue('[name=kind]:checked'), before);
  await page.focus('#connect');
  await page.keyboard.press('Space');
  await shows(page, '#state', /^Session ended$/);
}

async function isNamedForAll(page) {
  const nameless = await page.$$eval('input, select, textarea, button, canvas', (list) => list
    .filter((one) => !(one.labels?.length || one.textContent.trim() || one.getAttribute('aria-label')))
    .map((one) => one.outerHTML));
  assert.deepEqual(nameless, []);
}

async function fitsSmallScreens(page, artifacts) {
  await page.setViewportSize({ width: 360, height: 740 });
  const { whole, seen } = await page.evaluate(() =>
    ({ whole: document.documentElement.scrollWidth, seen: document.documentElement.clientWidth }));
  await page.screenshot({ path: join(artifacts, 'page-narrow.png'), fullPage: true });
  await page.setViewportSize(SCREEN);
  assert.ok(whole <= seen, `${whole} pixels wide on a screen of ${seen}`);
}

/* ---- What it says when things fail ----------------------------------------------------------- */

async function tryToConnect(page, url) {
  await page.fill('#url', url);
  await page.click('#connect');
}

async function explainsFailures(browser, server, startServer) {
  const page = await openPage(browser, server.http, { viewport: SCREEN });
  await page.waitForFunction(() => document.getElementById('hash').value !== '');
  await page.fill('#hash', 'ab'.repeat(32));
  await page.click('#connect');
  await shows(page, '#trouble-title', /^The certificate hash does not match$/);
  await page.click('#trouble-fix');
  await page.click('#connect');
  await shows(page, '#state', /^Connected$/);
  await page.click('#connect');
  await shows(page, '#state', /^Session ended$/);
  await tryToConnect(page, `${server.base}/nowhere`);
  await shows(page, '#trouble-title', /^The server refused this path$/);
  await tryToConnect(page, `http://localhost:${server.port}/echo`);
  await shows(page, '#trouble-title', /^The URL does not work for WebTransport$/);
  await page.fill('#hash', '12345');
  await tryToConnect(page, `${server.base}/echo`);
  await shows(page, '#trouble-text', /not a SHA-256/);
  await page.context().close();

  const closed = await startServer(['--origin', 'https://example.com']);
  const refused = await openPage(browser, closed.http, { viewport: SCREEN });
  await refused.waitForFunction(() => document.getElementById('hash').value !== '');
  await refused.click('#connect');
  await shows(refused, '#trouble-list', /403: the server may not allow pages from http:\/\/localhost:\d+/);
  await closed.stop();
  await refused.click('#connect');
  await shows(refused, '#trouble-title', /^The server is gone$/);
  await refused.context().close();
}

/* ---- All of them ----------------------------------------------------------------------------- */

export async function checkPlayground(results, browser, server, startServer, artifacts) {
  mkdirSync(artifacts, { recursive: true });
  const page = await openPage(browser, server.http, { viewport: SCREEN });
  const check = (name, run) => results.check(`page: ${name}`, () => run(page, server));
  await check('URL and hash are filled in', isFilledIn);
  await check('connects and shows the protocol', connects);
  await check('text goes out and comes back on streams and in datagrams', sendsText);
  await check('bytes go out and come back, one and a hundred at once', sendsBytes);
  await check('aborts and stops streams, and shows the server\'s codes', abortsStreams);
  await check('round-trip times are charted', chartsRoundTrips);
  await check('download is measured, and the server agrees', () => measures(page, '#download', 'Download'));
  await check('upload is measured, and the server agrees', () => measures(page, '#upload', 'Upload'));
  await check('closes with code and reason; the server saw the same', closes);
  await page.screenshot({ path: join(artifacts, 'page.png'), fullPage: true });
  await check('the server\'s close is shown', letsTheServerClose);
  await check('works by keyboard', worksByKeyboard);
  await check('each control has a name', isNamedForAll);
  await check('fits a screen of 360 pixels', () => fitsSmallScreens(page, artifacts));
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.screenshot({ path: join(artifacts, 'page-dark.png'), fullPage: true });
  await check('nothing was complained about in the console', async () => assert.deepEqual(page.complaints, []));
  await page.context().close();
  await results.check('page: says what went wrong', () => explainsFailures(browser, server, startServer), 60000);
}
