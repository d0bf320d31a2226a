/* SPDX-License-Identifier: MIT
 *
 * What comes from the server unasked: its streams, and datagrams. Echoes are found by comparing bytes.
 */
import { MAX_SINGLE_LINES, log } from './log.js';
import { receivePing } from './roundtrips.js';
import { readAll } from './send.js';
import { bytes, describeError, millis, number, preview, startsWith } from './util.js';

export async function receiveDatagrams(attempt) {
  const reader = attempt.transport.datagrams.readable.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      if (receivePing(attempt, value)) continue;
      receiveDatagram(attempt, value);
    }
  } catch {
    // The session's end, which watchEnd() reports.
  }
}

function receiveDatagram(attempt, value) {
  const batch = attempt.batches.find((one) => one.data.length === value.length && startsWith(one.data, value, 0));
  if (batch === undefined) {
    log('in', 'datagram', bytes(value.length), preview(value));
    return;
  }
  batch.back++;
  batch.last = performance.now();
  batch.show();
  if (batch.count <= MAX_SINGLE_LINES) {
    log('in', 'datagram', `${bytes(value.length)} back after ${millis(batch.last - batch.began)}`, preview(value));
  }
}

export async function receiveUniStreams(attempt) {
  const reader = attempt.transport.incomingUnidirectionalStreams.getReader();
  try {
    for (;;) {
      const { value: stream, done } = await reader.read();
      if (done) return;
      receiveUni(attempt, stream);
    }
  } catch {
    // As above.
  }
}

/** Reads a stream of the server and finds what it echoes: candidates that differ drop out on the way. */
async function receiveUni(attempt, stream) {
  let candidates = [...new Set(attempt.pending)];
  let length = 0;
  let head = new Uint8Array(0);
  try {
    const reader = stream.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      if (length === 0) head = value.slice(0, 161);
      candidates = candidates.filter((batch) => startsWith(batch.data, value, length));
      length += value.length;
    }
  } catch (error) {
    if (!attempt.over) log('in', 'uni', `Reset by the server: ${describeError(error)}`);
    return;
  }
  const batch = candidates.find((one) => one.data.length === length);
  if (batch === undefined) {
    log('in', 'uni', `${bytes(length)} on a stream of the server`, preview(head));
    return;
  }
  attempt.pending.splice(attempt.pending.indexOf(batch), 1);
  batch.back++;
  const took = millis(performance.now() - batch.began);
  if (batch.many) batch.show(`${number(batch.back)} echoed byte for byte in ${took}`);
  else log('in', 'uni', `${bytes(length)} back on a new stream in ${took}, the same bytes`, preview(head));
}

export async function receiveBidiStreams(attempt) {
  const reader = attempt.transport.incomingBidirectionalStreams.getReader();
  try {
    for (;;) {
      const { value: stream, done } = await reader.read();
      if (done) return;
      log('in', 'bidi', 'The server opened a stream');
      stream.writable.getWriter().close().catch(() => {});
      readAll(stream.readable, new Uint8Array(0)).then((got) => log('in', 'bidi', bytes(got.length), preview(got.head)))
          .catch(() => {});
    }
  } catch {
    // As above.
  }
}
