/* SPDX-License-Identifier: MIT
 *
 * Streams of both kinds and datagrams that the page sends, and what comes back on a stream it opened.
 */
import { MAX_SINGLE_LINES, log } from './log.js';
import { state } from './state.js';
import {
  $, CHUNK, bytes, describeError, millis, number, preview, randomBytes, startsWith, streamError,
} from './util.js';

const MAX_PENDING = 2000;        // sent unidirectional streams that wait for their echo

function payloadOf(form) {
  if (form.payload.value === 'text') return new TextEncoder().encode($('text').value);
  return randomBytes($('size').valueAsNumber);
}

async function writeAll(writer, data) {
  for (let at = 0; at < data.length; at += CHUNK) {
    await writer.ready;
    writer.write(data.subarray(at, at + CHUNK)).catch(() => {});
  }
}

/** Reads to the end. `same` tells whether it was exactly `expected`. */
export async function readAll(readable, expected) {
  const reader = readable.getReader();
  const result = { length: 0, same: true, head: new Uint8Array(0) };
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    if (result.length === 0) result.head = value.slice(0, 161);
    result.same = result.same && startsWith(expected, value, result.length);
    result.length += value.length;
  }
  result.same = result.same && result.length === expected.length;
  return result;
}

export async function send(form) {
  const attempt = state.session;
  const kind = form.kind.value;
  const count = $('count').valueAsNumber;
  const data = payloadOf(form);
  const ending = { how: $('ending').value, code: $('ending-code').valueAsNumber };
  try {
    if (kind === 'datagram') await sendDatagrams(attempt, data, count);
    else if (kind === 'uni') await sendUni(attempt, data, count, ending);
    else await sendBidi(attempt, data, count, ending);
  } catch (error) {
    if (!attempt.over) log('event', kind, `Not sent: ${describeError(error)}`, '', true);
  }
}

function countStreams(attempt) {
  attempt.opened++;
  $('fact-streams').textContent = number(attempt.opened);
}

async function sendBidi(attempt, data, count, ending) {
  if (ending.how !== 'fin') {
    for (let i = 0; i < count; i++) await breakBidi(attempt, data, ending);
    return;
  }
  const many = count > MAX_SINGLE_LINES;
  const started = performance.now();
  const rewrite = many ? log('out', 'bidi', `${number(count)} streams of ${bytes(data.length)}…`) : null;
  let good = 0;
  await Promise.all(Array.from({ length: count }, async () => {
    const stream = await attempt.transport.createBidirectionalStream();
    countStreams(attempt);
    const began = performance.now();
    const writer = stream.writable.getWriter();
    if (!many) log('out', 'bidi', `${bytes(data.length)}, then FIN`, preview(data));
    const sending = writeAll(writer, data).then(() => writer.close()).catch(() => {});
    try {
      const back = await readAll(stream.readable, data);
      await sending;
      if (back.same) good++;
      if (!many) {
        log('in', 'bidi', `${bytes(back.length)} back in ${millis(performance.now() - began)}, ` +
            (back.same ? 'the same bytes' : 'NOT the bytes that were sent'), preview(back.head), !back.same);
      }
    } catch (error) {
      if (!many && !attempt.over) log('in', 'bidi', `Reset by the server: ${describeError(error)}`, '', true);
    }
  }));
  if (many) {
    rewrite(`${number(count)} streams of ${bytes(data.length)}: ${number(good)} echoed byte for byte in ` +
            millis(performance.now() - started), good !== count);
  }
}

/** Ends a stream against the rules of politeness; the echo server answers in kind, with the same code. */
async function breakBidi(attempt, data, { how, code }) {
  const stream = await attempt.transport.createBidirectionalStream();
  countStreams(attempt);
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  writer.closed.catch(() => {});
  await writeAll(writer, data);
  if (how === 'reset') {
    writer.abort(streamError(code)).catch(() => {});
    log('out', 'bidi', `Aborted our side with code ${code}`);
    try {
      while (!(await reader.read()).done);
      log('in', 'bidi', 'The server finished its side');
    } catch (error) {
      log('in', 'bidi', `Server aborted its side: ${describeError(error)}`);
    }
  } else {
    reader.cancel(streamError(code)).catch(() => {});
    log('out', 'bidi', `Stopped reading with code ${code}`);
    try {
      await writer.closed;
    } catch (error) {
      log('in', 'bidi', `Server stopped reading: ${describeError(error)}`);
    }
  }
}

async function sendUni(attempt, data, count, ending) {
  const many = count > MAX_SINGLE_LINES;
  const batch = { data, began: performance.now(), sent: count, back: 0, wrong: 0, many };
  if (many) {
    batch.show = (words, bad) => batch.rewrite(`${number(count)} streams of ${bytes(data.length)}: ${words}`, bad);
    batch.rewrite = log('out', 'uni', `${number(count)} streams of ${bytes(data.length)}…`);
  }
  await Promise.all(Array.from({ length: count }, async () => {
    const stream = await attempt.transport.createUnidirectionalStream();
    countStreams(attempt);
    const writer = stream.getWriter();
    writer.closed.catch(() => {});
    if (ending.how === 'reset') {
      await writeAll(writer, data);
      writer.abort(streamError(ending.code)).catch(() => {});
      log('out', 'uni', `Aborted with code ${ending.code}`);
      return;
    }
    attempt.pending.push(batch);
    if (attempt.pending.length > MAX_PENDING) attempt.pending.shift();
    if (!many) log('out', 'uni', `${bytes(data.length)}, then FIN`, preview(data));
    await writeAll(writer, data);
    await writer.close();
  }));
}

async function sendDatagrams(attempt, data, count) {
  const largest = attempt.transport.datagrams.maxDatagramSize;
  if (data.length > largest) {
    log('event', 'datagram', `Not sent: ${bytes(data.length)}, but the largest is ${number(largest)}; ` +
        'the browser would drop it without a word', '', true);
    return;
  }
  const batch = { data, count, began: performance.now(), back: 0, last: 0 };
  const head = `${number(count)} × ${bytes(data.length)}`;
  const rewrite = log('out', 'datagram', head, count === 1 ? preview(data) : '');
  batch.show = () => {
    const back = count === 1 ? 'back' : `${number(batch.back)} back`;
    rewrite(`${head}: ${back} after ${millis(batch.last - batch.began)}`);
  };
  attempt.batches.push(batch);
  if (attempt.batches.length > 8) attempt.batches.shift();
  for (let i = 0; i < count; i++) {
    await attempt.datagramWriter.ready;
    await attempt.datagramWriter.write(data);
  }
}
