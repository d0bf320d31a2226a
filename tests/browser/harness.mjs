/* SPDX-License-Identifier: MIT
 *
 * What the checks stand on: a server of their own, a browser with a fresh profile, and a list of results.
 *
 * Nothing here waits for a fixed time. What must happen is polled for until a deadline, and a check that takes longer
 * than its limit has failed. Only processes started here are ended, by their handle.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

export { startBrowser } from './browsers.mjs';

/* ---- Time ------------------------------------------------------------------------------------ */

/** How long a check waits for what has to come: on a machine with nothing else to do it comes in a second. */
export const PATIENCE_MS = 60000;

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
  lines = []; // as tests/interop/suites.py reads them

  /** Runs one check; what it returns is shown behind its name. */
  async check(name, run, limitMs = 2 * PATIENCE_MS, { peer, prefix = '' } = {}) {
    const started = Date.now();
    try {
      const detail = await within(limitMs, name, run());
      this.passed++;
      console.log(`ok    ${prefix}${name} (${Date.now() - started} ms)${detail === undefined ? '' : `: ${detail}`}`);
      const why = peer?.limitations[name];
      this.lines.push(why ? ['cannot', peer.name, name, why.limitation, why.source] : ['pass', peer?.name, name]);
    } catch (error) {
      this.failed++;
      console.log(`FAIL  ${prefix}${name} (${Date.now() - started} ms): ${error.stack ?? error}`);
      this.lines.push(['fail', peer?.name, name, String(error.message ?? error).split('\n')[0]]);
    }
  }

  /** The same results, for the checks of one peer; `prefix` is shown before their names. */
  of(peer, prefix) {
    return { check: (name, run, limitMs) => this.check(name, run, limitMs, { peer, prefix }) };
  }

  version(peer, version) {
    this.lines.push(['version', peer.name, version]);
  }

  /** Leaves them for the table of docs/interop.md, where that is asked for. */
  save(name) {
    const folder = process.env.WT_RESULTS_DIR;
    const fields = (line) => line.map((field) => String(field ?? '').replace(/\s+/g, ' ')).join('\t');
    if (folder) writeFileSync(join(folder, `${name}.tsv`), `${this.lines.map(fields).join('\n')}\n`);
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
      program.found = await within(PATIENCE_MS, 'the ready line', Promise.race([found, early]));
    } catch (error) {
      program.child.kill('SIGKILL');
      throw error;
    }
    return program;
  }

  tail() {
    return this.log.slice(-30).join('\n');
  }

  /** Asks it to end in order; kills it if it does not. */
  async stop() {
    this.child.kill('SIGTERM');
    try {
      return await within(PATIENCE_MS, 'the end of the server', this.exited);
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
    const args = ['serve', '--listen', 'localhost:0', '--http', 'localhost:0', '--json', '--log', 'debug',
      '--access-log-query', ...extra];
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
    return poll(PATIENCE_MS, `the server's record of ${path}`, async () => {
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

const MEDIA_TYPES = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.mjs': 'text/javascript' };

/** The files of a folder and those below it, for pages that come from any web server. */
export function startFolder(folder) {
  return startSite(async (request, response) => {
    // A URL's path has no ".." in it any more.
    const name = new URL(request.url, 'http://localhost').pathname.slice(1) || 'index.html';
    try {
      const body = await readFile(join(folder, name));
      response.writeHead(200, { 'content-type': MEDIA_TYPES[extname(name)] ?? 'application/octet-stream' });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
}

/* ---- The browser ----------------------------------------------------------------------------- */

/** A page that collects what must not happen: console errors, exceptions, violations, failed requests. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.kind = browser.kind;
  page.complaints = [];
  const complain = (text) => {
    if (!page.kind.ignored.some((pattern) => pattern.test(text))) page.complaints.push(text);
  };
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complain(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complain(`exception: ${error}`));
  page.on('response', (response) => {
    if (response.status() >= 400) complain(`${response.status()} ${response.url()}`);
  });
  await page.goto(url);
  return page;
}
