/* SPDX-License-Identifier: MIT
 *
 * What the checks stand on: a server of their own, a browser with a fresh profile, and a list of results.
 *
 * Nothing here waits for a fixed time. What must happen is polled for until a deadline, and a check that takes longer
 * than its limit has failed. Only processes started here are ended, by their handle.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const CHROMIUM_FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  '--webtransport-developer-mode', // no growing delay after failed handshakes; says nothing about QUIC
];

/* ---- Time ------------------------------------------------------------------------------------ */

/** Rejects if `promise` has not settled within `ms`. */
export function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Calls `ask` until it returns something else than undefined. */
export async function poll(ms, what, ask) {
  const until = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > until) throw new Error(`${what}: not within ${ms} ms`);
    await pause(25);
  }
}

/* ---- Results --------------------------------------------------------------------------------- */

export class Results {
  passed = 0;
  failed = 0;

  /** Runs one check; what it returns is shown behind its name. */
  async check(name, run, limitMs = 30000) {
    const started = Date.now();
    try {
      const detail = await within(limitMs, name, run());
      this.passed++;
      console.log(`ok    ${name} (${Date.now() - started} ms)${detail === undefined ? '' : `: ${detail}`}`);
    } catch (error) {
      this.failed++;
      console.log(`FAIL  ${name} (${Date.now() - started} ms): ${error.stack ?? error}`);
    }
  }

  summary() {
    return `${this.passed} passed, ${this.failed} failed`;
  }
}

/* ---- The server ------------------------------------------------------------------------------ */

/** A `webtransport serve` on free ports, with what it says when it is ready and all that it logs. */
export class Server {
  static async start(binary, extra = []) {
    const server = new Server();
    const args = ['serve', '--listen', 'localhost:0', '--http', 'localhost:0', '--json', '--log', 'debug', ...extra];
    server.log = [];
    server.child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    server.exited = new Promise((resolve) => {
      server.child.once('exit', (code, signal) => resolve({ code, signal }));
      server.child.once('error', (error) => resolve({ error }));
    });
    createInterface({ input: server.child.stderr }).on('line', (line) => server.log.push(line));
    const first = new Promise((resolve) => createInterface({ input: server.child.stdout }).once('line', resolve));
    const early = server.exited.then((end) => {
      throw new Error(`${binary} did not start: ${JSON.stringify(end)}\n${server.tail()}`);
    });
    early.catch(() => {});
    try {
      Object.assign(server, JSON.parse(await within(15000, 'the ready line', Promise.race([first, early]))));
    } catch (error) {
      server.child.kill('SIGKILL');
      throw error;
    }
    server.port = Number(server.listen[0].split(':').pop());
    server.base = `https://localhost:${server.port}`;
    return server;
  }

  tail() {
    return this.log.slice(-15).join('\n');
  }

  async json(path) {
    const answer = await fetch(new URL(path, this.http));
    assert.equal(answer.status, 200, path);
    return answer.json();
  }

  /** The record of the session to `path` (unique in this run), once it has ended. */
  record(path) {
    return poll(10000, `the server's record of ${path}`, async () => {
      const { sessions } = await this.json('/sessions.json');
      return sessions.find((one) => one.path === path);
    });
  }

  /** Asks it to end in order; kills it if it does not. */
  async stop() {
    this.child.kill('SIGTERM');
    try {
      return await within(15000, 'the end of the server', this.exited);
    } catch (error) {
      this.child.kill('SIGKILL');
      throw error;
    }
  }
}

/** A page of another origin: an HTTP server that answers everything with an empty page. */
export async function startForeignSite() {
  const site = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!DOCTYPE html><link rel="icon" href="data:,"><title>elsewhere</title>');
  });
  await new Promise((resolve) => site.listen(0, 'localhost', resolve));
  return { origin: `http://localhost:${site.address().port}`, stop: () => site.close() };
}

/* ---- The browser ----------------------------------------------------------------------------- */

export async function startBrowser(...flags) {
  const { chromium } = createRequire(import.meta.url)('playwright-core');
  return chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_FLAGS, ...flags] });
}

/** A page that collects what must not happen: console errors, exceptions, violations, failed requests. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(10000);
  page.complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => page.complaints.push(`exception: ${error}`));
  page.on('response', (response) => {
    if (response.status() >= 400) page.complaints.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(url);
  return page;
}
