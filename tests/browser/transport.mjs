/* SPDX-License-Identifier: MIT
 *
 * The checks of the protocol: a browser's WebTransport, driven from a page of the server's own origin, against the
 * built-in endpoints. Each session asks for a path of its own (a query the server ignores), so that its record can
 * be found among the ended ones. What a browser is known to do otherwise is in browsers.mjs.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { PATIENCE_MS, openPage, poll, startForeignSite } from './harness.mjs';

const KIT = readFileSync(new URL('in-page.js', import.meta.url), 'utf8');
const BAD_CERTIFICATE = /code 0x12a, before the handshake was done/; // TLS's alert 42 from the client
const NO_REQUEST_TIMEOUT_MS = 10000; // of the server: a connection without a session is closed after this
const MARGIN_MS = 10000;
const QUIET_MS = 300; // longer than any probe timeout on loopback
const STOP_VISITS = 40;
const STOP_STREAMS = 10; // the server keeps the first 16 codes of a session

async function openKit(browser, url, server) {
  const page = await openPage(browser, url);
  await page.evaluate(KIT);
  await page.evaluate(([it, attempts]) => Object.assign(kit, { server: it, attempts }),
    [{ base: server.base, hash: server.certificate_sha256 }, page.kind.attempts]);
  return page;
}

/* ---- Streams and datagrams ------------------------------------------------------------------- */

async function echoesOneMebibyte(page) {
  const result = await page.evaluate(() => kit.visit('/echo?check=mebibyte', async (transport) => {
    const sent = kit.random(1 << 20);
    const stream = await transport.createBidirectionalStream();
    const [back] = await Promise.all([kit.readAll(stream.readable), kit.writeAll(stream.writable, sent)]);
    return { length: back.length, same: kit.same(sent, back) };
  }));
  assert.deepEqual(result, { length: 1 << 20, same: true });
}

async function echoesParallelStreams(page, server) {
  const path = '/echo?check=parallel';
  const result = await page.evaluate((path) => kit.visit(path, async (transport) => {
    const streams = await Promise.all(Array.from({ length: 100 }, () => transport.createBidirectionalStream()));
    const checked = await Promise.all(streams.map(async (stream, i) => {
      const sent = kit.random(5000 + 37 * i);
      const [back] = await Promise.all([kit.readAll(stream.readable), kit.writeAll(stream.writable, sent)]);
      return kit.same(sent, back);
    }));
    return checked.filter(Boolean).length;
  }), path);
  assert.equal(result, 100);
  assert.equal((await server.record(path)).streams, 100);
}

async function echoesEmptyStream(page) {
  const length = await page.evaluate(() => kit.visit('/echo?check=empty', async (transport) => {
    const stream = await transport.createBidirectionalStream();
    const [back] = await Promise.all([kit.readAll(stream.readable), stream.writable.close()]);
    return back.length;
  }));
  assert.equal(length, 0);
}

async function echoesUnidirectionalStreams(page) {
  const result = await page.evaluate(() => kit.visit('/echo?check=uni', async (transport) => {
    const sent = Array.from({ length: 20 }, (_, i) => kit.random(10240 + i));
    const incoming = transport.incomingUnidirectionalStreams.getReader();
    const receive = async () => {
      const back = new Map();
      for (let i = 0; i < sent.length; i++) {
        const { value } = await incoming.read();
        const data = await kit.readAll(value);
        back.set(data.length, data);
      }
      return back;
    };
    const transmit = (data) => transport.createUnidirectionalStream().then((stream) => kit.writeAll(stream, data));
    const [back] = await Promise.all([receive(), ...sent.map(transmit)]);
    return sent.filter((data) => kit.same(data, back.get(data.length) ?? [])).length;
  }));
  assert.equal(result, 20);
}

async function sourceSendsItsPattern(page) {
  const result = await page.evaluate(() => kit.visit('/source?bytes=300000&streams=5', async (transport) => {
    const incoming = transport.incomingUnidirectionalStreams.getReader();
    const right = [];
    for (let i = 0; i < 5; i++) {
      const data = await kit.readAll((await incoming.read()).value);
      right.push(data.length === 300000 && data.every((byte, at) => byte === ((at * 31 + (at >> 8)) & 255)));
    }
    return right;
  }));
  assert.deepEqual(result, [true, true, true, true, true]);
}

/** Waits until no packet comes any more: all that the page has sent is there. */
function quiet(server) {
  let last = -1;
  return poll(PATIENCE_MS, 'the end of the packets', async () => {
    const { packets_received: now } = await server.json('/stats.json');
    if (now === last) return now;
    last = now;
    await pause(QUIET_MS);
    return undefined;
  });
}

async function sinkCountsAll(page, server) {
  const path = '/sink?check=sink';
  await page.evaluate(async (path) => {
    kit.sink = await kit.open(path);
    await Promise.all([1, 2, 3].map(async (i) => {
      await kit.writeAll(await kit.sink.createUnidirectionalStream(), kit.random(i * 100000));
    }));
  }, path);
  if (!page.kind.closeFlushes) await quiet(server);
  await page.evaluate(() => kit.sink.close());
  const record = await server.record(path);
  assert.equal(record.bytes_in, 600000);
  assert.equal(record.streams, 3);
}

async function echoesDatagrams(page) {
  const result = await page.evaluate((atOnce) => kit.visit('/echo?check=datagrams', async (transport) => {
    const sent = Array.from({ length: 100 }, (_, i) => {
      const data = kit.random(1000);
      data[0] = i;
      return data;
    });
    const back = new Set();
    let damaged = 0;
    let answered = () => {};
    const reader = transport.datagrams.readable.getReader();
    const receive = (async () => {
      while (back.size < sent.length) {
        const { value, done } = await reader.read();
        if (done) return;
        if (kit.same(value, sent[value[0]] ?? [])) back.add(value[0]);
        else damaged++;
        answered();
      }
    })();
    const writer = (transport.datagrams.createWritable?.() ?? transport.datagrams.writable).getWriter();
    // Datagrams may be lost: what has not come back by then will not.
    const late = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    let lost = 0;
    for (let i = 0; i < sent.length; i++) {
      while (i - back.size - lost >= atOnce) {
        const before = back.size;
        await Promise.race([new Promise((resolve) => { answered = resolve; }), late(1000)]);
        if (back.size === before) lost++;
      }
      await writer.write(sent[i]);
    }
    await Promise.race([receive, late(3000)]);
    return { back: back.size, damaged };
  }), page.kind.datagramsAtOnce);
  assert.equal(result.damaged, 0);
  assert.ok(result.back >= 95, `${result.back} of 100 datagrams came back`);
  return `${result.back} of 100`;
}

/** The largest that the browser names comes back; a larger one is dropped and does no harm. */
async function echoesLargestDatagram(page) {
  const { first, largest, back } = await page.evaluate(() => kit.visit('/echo?check=largest', async (transport) => {
    const { datagrams } = transport;
    const first = datagrams.maxDatagramSize;
    const reader = datagrams.readable.getReader();
    const writer = (datagrams.createWritable?.() ?? datagrams.writable).getWriter();
    const sizes = new Set();
    const receive = (async () => {
      while (!sizes.has(datagrams.maxDatagramSize)) sizes.add((await reader.read()).value.length);
    })();
    // Datagrams may be lost, and how large they may be grows while the path is tried out.
    for (let tries = 0; tries < 20 && !sizes.has(datagrams.maxDatagramSize); tries++) {
      writer.write(kit.random(5000)).catch(() => {});
      writer.write(kit.random(datagrams.maxDatagramSize)).catch(() => {});
      await Promise.race([receive, new Promise((resolve) => setTimeout(resolve, 100))]);
    }
    return { first, largest: datagrams.maxDatagramSize, back: [...sizes] };
  }));
  assert.ok(first >= 1000 && largest >= first && largest < 1500, `${first}, then ${largest}`);
  assert.ok(back.includes(largest), `${back} came back of ${largest}`);
  assert.ok(Math.max(...back) <= largest, `${back} came back of ${largest}`);
  return first === largest ? `${largest} bytes` : `${first}, then ${largest} bytes`;
}

/* ---- How sessions and streams end ------------------------------------------------------------ */

async function serverCloses(page) {
  const end = await page.evaluate(async () => {
    const transport = await kit.open('/close?code=1337&reason=foobar');
    const { closeCode, reason } = await transport.closed;
    return { closeCode, reason };
  });
  assert.deepEqual(end, { closeCode: 1337, reason: 'foobar' });
}

/** A page with a session at a server of its own; `closed` is what the page makes of its end. */
async function openToBeEnded(browser, startServer) {
  const server = await startServer([]);
  const page = await openKit(browser, server.http, server);
  const closed = page.evaluate(async () => {
    const transport = await kit.open('/echo');
    window.opened = true;
    return transport.closed.then(({ closeCode, reason }) => ({ closeCode, reason }), (error) => error.name);
  });
  await page.waitForFunction(() => window.opened);
  return { server, page, closed };
}

/** A server that ends closes the sessions that are still there, before their connections. */
async function shutdownIsToldWithAReason(browser, startServer) {
  const { server, page, closed } = await openToBeEnded(browser, startServer);
  const stopped = server.stop();
  assert.deepEqual(await closed, { closeCode: 0, reason: 'the server is shutting down' });
  await stopped;
  await page.context().close();
}

/** One that ends at once has no time to wait for pages: whether they hear the reason depends on the browser. */
async function endAtOnceIsSeen(browser, startServer) {
  const { server, page, closed } = await openToBeEnded(browser, startServer);
  const stopped = server.stop();
  server.child.kill('SIGTERM');
  const end = await closed;
  if (end !== 'WebTransportError') assert.deepEqual(end, { closeCode: 0, reason: 'the server is shutting down' });
  await stopped;
  await page.context().close();
  return typeof end === 'string' ? end : 'with the reason';
}

async function pageCloses(page, server) {
  const path = '/echo?check=close';
  const reason = 'enough for today – 再见';
  await page.evaluate(([path, reason]) => kit.visit(path, () => {}, { closeCode: 4294967295, reason }), [path, reason]);
  const record = await server.record(path);
  assert.equal(record.code, 4294967295);
  assert.equal(record.reason, reason);
  assert.equal(record.by, 'peer');
  assert.equal(record.clean, true);
}

async function resetGoesBothWays(page, server) {
  const path = '/echo?check=reset';
  const error = await page.evaluate((path) => kit.visit(path, async (transport) => {
    const stream = await transport.createBidirectionalStream();
    const writer = stream.writable.getWriter();
    const reader = stream.readable.getReader();
    await writer.write(kit.random(100));
    await kit.readSome(reader, 100);
    writer.abort(kit.error(42)).catch(() => {});
    return kit.rejection(reader.read());
  }), path);
  if (page.kind.resetCodes || error?.name === 'WebTransportError') {
    assert.equal(error?.streamErrorCode, 42, 'the page gets the code of the server\'s reset');
    assert.equal(error.source, 'stream');
  } else {
    assert.equal(error?.name, 'TypeError', 'the page is told of the server\'s reset');
  }
  assert.deepEqual((await server.record(path)).resets, [{ code: 42 }], 'the server gets the code of the page\'s reset');
}

/**
 * The server's side is exact. On the page's side Chromium has a race of its own: it closes the pipe of the stream's
 * bytes and tells the code by another way, and if the former is noticed first, the writer fails with a bare
 * NetworkError. How often depends on the load, from rarely to nearly always. So streams are tried until one shows
 * the code; a wrong code, or none at all in so many tries, fails.
 */
async function stopSendingGoesBothWays(page, server) {
  const path = '/echo?check=stop';
  if (!page.kind.stopSending) return cancelHarmsNobody(page, server, path);
  let tries = 0;
  let told = 0;
  for (let visit = 0; visit < STOP_VISITS && told === 0; visit++) {
    const errors = await page.evaluate(([path, count]) => kit.visit(path, async (transport) => {
      const errors = [];
      for (let i = 0; i < count; i++) {
        const stream = await transport.createBidirectionalStream();
        const writer = stream.writable.getWriter();
        const reader = stream.readable.getReader();
        await writer.write(kit.random(100));
        await kit.readSome(reader, 100);
        reader.cancel(kit.error(42)).catch(() => {});
        errors.push(await kit.rejection(writer.closed));
      }
      return errors;
    }), [`${path}-${visit}`, STOP_STREAMS]);
    for (const error of errors) {
      tries++;
      if (error?.name === 'WebTransportError') {
        assert.equal(error.streamErrorCode, 42, 'the page gets the code of the server\'s STOP_SENDING');
        told++;
      } else {
        assert.equal(error?.name, 'NetworkError');
      }
    }
    const record = await server.record(`${path}-${visit}`);
    assert.deepEqual(record.stop_sendings, Array(STOP_STREAMS).fill({ code: 42 }), 'the server gets the page\'s codes');
  }
  assert.ok(told > 0, `none of ${tries} writers told the code`);
  return `${told} of ${tries} writers told the code`;
}

/** What is left of it where a page's cancel() is told to nobody: the stream's writer and its session go on. */
async function cancelHarmsNobody(page, server, path) {
  const same = await page.evaluate((path) => kit.visit(path, async (transport) => {
    const stream = await transport.createBidirectionalStream();
    const writer = stream.writable.getWriter();
    const reader = stream.readable.getReader();
    await writer.write(kit.random(100));
    await kit.readSome(reader, 100);
    await reader.cancel(kit.error(42));
    await writer.write(kit.random(100));
    const sent = kit.random(1000);
    const other = await transport.createBidirectionalStream();
    const [back] = await Promise.all([kit.readAll(other.readable), kit.writeAll(other.writable, sent)]);
    return kit.same(sent, back);
  }), path);
  assert.equal(same, true);
  const record = await server.record(path);
  assert.ok(record.stop_sendings.every(({ code }) => code === null), JSON.stringify(record.stop_sendings));
  return 'the browser told nothing';
}

/** Aborts a unidirectional stream with a code; both sides have to see `seen`. */
async function abortIsEchoed(page, server, path, code, seen) {
  const error = await page.evaluate(([path, code]) => kit.visit(path, async (transport) => {
    const incoming = transport.incomingUnidirectionalStreams.getReader();
    const writer = (await transport.createUnidirectionalStream()).getWriter();
    await writer.write(kit.random(100));
    const reader = (await incoming.read()).value.getReader();
    await kit.readSome(reader, 100);
    writer.abort(kit.error(code)).catch(() => {});
    return kit.rejection(reader.read());
  }), [path, code]);
  assert.equal(error?.streamErrorCode, seen);
  assert.deepEqual((await server.record(path)).resets, [{ code: seen }]);
}

const unidirectionalResetIsEchoed = (page, server) => abortIsEchoed(page, server, '/echo?check=uni-reset', 42, 42);

/** The browsers' interface has codes of eight bits, and cuts what is larger. */
const largeCodesAreClamped = (page, server) => abortIsEchoed(page, server, '/echo?check=clamp', 300, 255);

async function closeEndsStreams(page) {
  const result = await page.evaluate(() => kit.visit('/echo?check=close-streams', async (transport) => {
    const stream = await transport.createBidirectionalStream();
    const reader = stream.readable.getReader();
    const writer = stream.writable.getWriter();
    await writer.write(kit.random(100));
    await kit.readSome(reader, 100);
    const read = kit.rejection(reader.read());
    const write = kit.rejection(writer.closed);
    transport.close({ closeCode: 7, reason: 'gone' });
    return [(await read)?.source, (await write)?.source];
  }));
  assert.deepEqual(result, ['session', 'session']);
}

/* ---- Who may come in ------------------------------------------------------------------------- */

/** Opens /echo from a page of another origin; returns how `ready` rejected, or null if it did not. */
async function comeFromElsewhere(browser, origin, server, path) {
  const page = await openKit(browser, `${origin}/`, server);
  try {
    return await page.evaluate((path) => kit.rejection(kit.open(path).then((transport) => transport.close())), path);
  } finally {
    await page.context().close();
  }
}

async function otherOriginIsRefused(browser, server, allowedServer, site) {
  const path = '/echo?check=foreign';
  const error = await comeFromElsewhere(browser, site.origin, server, path);
  assert.ok(error !== null, 'ready must reject');
  assert.equal(error.name, 'WebTransportError');
  const line = await poll(PATIENCE_MS, `a log line with 403 and ${path}`, () =>
    server.log.find((text) => text.includes('/echo') && /\b403\b/.test(text)));
  const { sessions } = await server.json('/sessions.json');
  assert.equal(sessions.find((one) => one.path === path), undefined, 'no session may have been opened');
  // The same page is let in by a server that was told so: it was the origin, nothing else.
  const allowed = await comeFromElsewhere(browser, site.origin, allowedServer, path);
  assert.equal(allowed, null);
  return line.trim();
}

async function unknownPathIsRefused(page) {
  const error = await page.evaluate(() => kit.rejection(kit.open('/no-such-endpoint')));
  assert.equal(error?.name, 'WebTransportError');
}

async function protocolIsChosen(page, server) {
  const { protocols: can } = page.kind;
  const ask = (path, protocols) => page.evaluate(async ([path, protocols]) => {
    const transport = await kit.open(path, { protocols });
    const { protocol } = transport;
    transport.close();
    return protocol;
  }, [path, protocols]);
  // The server was started with chat.v2 and chat.v1; the client's order decides.
  assert.equal(await ask('/echo?check=protocol', ['chat.v9', 'chat.v1', 'chat.v2']), can ? 'chat.v1' : undefined);
  assert.equal((await server.record('/echo?check=protocol')).protocol, can ? 'chat.v1' : '');
  assert.equal(await ask('/echo?check=no-overlap', ['chat.v9']), can ? '' : undefined);
}

/* ---- Nothing stays behind -------------------------------------------------------------------- */

async function sessionsLeaveNothing(page, server) {
  const before = await server.json('/stats.json');
  const done = await page.evaluate(async () => {
    let good = 0;
    for (let i = 0; i < 200; i++) {
      good += await kit.visit(`/echo?check=many-${i}`, async (transport) => {
        const sent = kit.random(100);
        const stream = await transport.createBidirectionalStream();
        const [back] = await Promise.all([kit.readAll(stream.readable), kit.writeAll(stream.writable, sent)]);
        return kit.same(sent, back) ? 1 : 0;
      }).catch((error) => { throw new Error(`session ${i}: ${error}`, { cause: error }); });
    }
    return good;
  });
  assert.equal(done, 200);
  const after = await poll(NO_REQUEST_TIMEOUT_MS + MARGIN_MS, 'no connection left', async () => {
    const stats = await server.json('/stats.json');
    return stats.connections_open === 0 && stats.sessions_open === 0 ? stats : undefined;
  });
  assert.ok(after.sessions_total - before.sessions_total >= 200);
  // What had to be asked for twice was refused by the browser, and by nothing here.
  const refused = server.log.filter((line) => BAD_CERTIFICATE.test(line)).length;
  assert.equal(await page.evaluate(() => kit.again), refused);
  return `${after.connections_total - before.connections_total} connections came and went, ${refused} were refused`;
}

/* ---- All of them ----------------------------------------------------------------------------- */

/** What one session has, in one page, which is returned. */
export async function checkSessions(results, browser, server) {
  const page = await openKit(browser, server.http, server);
  const check = (name, run) => results.check(name, () => run(page, server));
  await check('a bidirectional stream of 1 MiB comes back byte for byte', echoesOneMebibyte);
  await check('100 parallel bidirectional streams come back byte for byte', echoesParallelStreams);
  await check('a stream without data comes back as one', echoesEmptyStream);
  await check('20 unidirectional streams come back on streams of the server', echoesUnidirectionalStreams);
  await check('/source sends 5 streams of 300,000 bytes, each byte right', sourceSendsItsPattern);
  await check('/sink has counted each byte', sinkCountsAll);
  await check('100 datagrams of 1,000 bytes: at least 95 come back', echoesDatagrams);
  await check('the largest datagram comes back, a larger one is dropped', echoesLargestDatagram);
  await check('the server\'s close (1337, "foobar") arrives with code and reason', serverCloses);
  await check('the page\'s close arrives with code and reason', pageCloses);
  await check('a reset with code 42 arrives, each way', resetGoesBothWays);
  await check('STOP_SENDING with code 42 arrives, each way', stopSendingGoesBothWays);
  await check('a reset unidirectional stream is answered by one, code 42', unidirectionalResetIsEchoed);
  await check('a code beyond 255 is sent as 255', largeCodesAreClamped);
  await check('the session\'s close ends its streams', closeEndsStreams);
  await check('of the offered protocols one is agreed on', protocolIsChosen);
  await results.check('nothing was complained about so far', async () => assert.deepEqual(page.complaints, []));
  await check('a path without an endpoint is refused', unknownPathIsRefused);
  return page;
}

export async function checkTransport(results, browser, server, startServer) {
  const page = await checkSessions(results, browser, server);
  const site = await startForeignSite();
  const allowedServer = await startServer(['--origin', site.origin]);
  await results.check('a page from another origin is refused with 403',
    () => otherOriginIsRefused(browser, server, allowedServer, site));
  await allowedServer.stop();
  site.stop();
  await results.check('a server that shuts down closes its sessions, with a reason',
    () => shutdownIsToldWithAReason(browser, startServer));
  await results.check('a server that ends at once is seen to end', () => endAtOnceIsSeen(browser, startServer));

  await results.check('200 sessions one after the other leave no connection behind',
    () => sessionsLeaveNothing(page, server), 60000 + NO_REQUEST_TIMEOUT_MS + MARGIN_MS);
  await page.context().close();
}
