/* SPDX-License-Identifier: MIT
 *
 * What the checks stand on: a server of their own, a browser with a fresh profile, and a list of results.
 *
 * Nothing here waits for a fixed time. What must happen is polled for until a deadline, and a check that takes longer
 * than its limit has failed. Only processes started here are ended, by their handle.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { basename, extname, join } from 'node:path';
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

/** A program that serves, with all that it logs on standard error, and what it says on standard output meanwhile. */
export class Program {
  /** Starts it; resolves once `ready` finds something in a line of its output, and keeps that as `found`. */
  static async start(binary, args, ready) {
    const program = new this();
    program.log = [];
    program.child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    program.exited = new Promise((resolve) => {
      program.child.once('exit', (code, signal) => resolve({ code, signal }));
      program.child.once('error', (error) => resolve({ error }));
    });
    createInterface({ input: program.child.stderr }).on('line', (line) => program.log.push(line));
    const lines = createInterface({ input: program.child.stdout });
    const found = new Promise((resolve) => lines.on('line', (line) => {
      const it = ready(line);
      if (it) resolve(it);
    }));
    const early = program.exited.then((end) => {
      throw new Error(`${binary} did not start: ${JSON.stringify(end)}\n${program.tail()}`);
    });
    early.catch(() => {});
    try {
      program.found = await within(15000, 'the ready line', Promise.race([found, early]));
    } catch (error) {
      program.child.kill('SIGKILL');
      throw error;
    }
    return program;
  }

  tail() {
    return this.log.slice(-15).join('\n');
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

  /** Ends it whatever it does, if it still runs. */
  kill() {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
  }

  /** What sanitizers had to say. */
  findings() {
    return this.log.filter((line) => /Sanitizer|runtime error:/.test(line));
  }
}

/** A `webtransport serve` on free ports, with what it says when it is ready. */
export class Server extends Program {
  static async start(binary, extra = []) {
    const args = ['serve', '--listen', 'localhost:0', '--http', 'localhost:0', '--json', '--log', 'debug', ...extra];
    const server = await super.start(binary, args, JSON.parse);
    Object.assign(server, server.found);
    server.port = Number(server.listen[0].split(':').pop());
    server.base = `https://localhost:${server.port}`;
    return server;
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
}

async function startSite(answer) {
  const site = createServer(answer);
  await new Promise((resolve) => site.listen(0, 'localhost', resolve));
  return { origin: `http://localhost:${site.address().port}`, stop: () => site.close() };
}

/** A page of another origin: an HTTP server that answers everything with an empty page. */
export function startForeignSite() {
  return startSite((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!DOCTYPE html><link rel="icon" href="data:,"><title>elsewhere</title>');
  });
}

const MEDIA_TYPES = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' };

/** The files of a folder, for pages that come from any web server. */
export function startFolder(folder) {
  return startSite(async (request, response) => {
    const name = new URL(request.url, 'http://localhost').pathname.slice(1) || 'index.html';
    try {
      const body = await readFile(join(folder, basename(name)));
      response.writeHead(200, { 'content-type': MEDIA_TYPES[extname(name)] ?? 'application/octet-stream' });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
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
