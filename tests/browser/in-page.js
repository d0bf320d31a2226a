/* SPDX-License-Identifier: MIT
 *
 * Helpers that the transport checks use inside the browser, as `kit`. Only the browser's own interface is used here,
 * nothing of the playground, so that a fault in either does not hide one in the other.
 */
'use strict';

window.kit = {
  server: null, // {base, hash}, set by the test
  attempts: 1, // likewise
  again: 0, // sessions that were refused, and accepted when asked for again

  async open(path, options = {}) {
    for (let attempt = 1; ; attempt++) {
      try {
        const transport = await kit.ask(path, options);
        kit.again += attempt - 1;
        return transport;
      } catch (error) {
        if (attempt >= kit.attempts) throw error;
      }
    }
  },

  async ask(path, options) {
    const value = Uint8Array.from(kit.server.hash.match(/../g), (pair) => parseInt(pair, 16));
    const transport = new WebTransport(kit.server.base + path, {
      serverCertificateHashes: [{ algorithm: 'sha-256', value }], ...options,
    });
    transport.closed.catch(() => {});
    transport.datagrams.incomingHighWaterMark = 1000; // else a busy page loses what the network did not
    await transport.ready;
    return transport;
  },

  /** Opens a session, runs `use`, closes it; returns what `use` did. */
  async visit(path, use, end = { closeCode: 0, reason: '' }) {
    const transport = await kit.open(path);
    try {
      return await use(transport);
    } finally {
      transport.close(end);
    }
  },

  random(length) {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at += 65536) crypto.getRandomValues(out.subarray(at, at + 65536));
    return out;
  },

  async readAll(readable) {
    const parts = [];
    const reader = readable.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      parts.push(value);
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  },

  /** Reads until `length` bytes are there; the stream stays open. */
  async readSome(reader, length) {
    let got = 0;
    while (got < length) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`ended after ${got} bytes`);
      got += value.length;
    }
  },

  async writeAll(writable, data) {
    const writer = writable.getWriter();
    for (let at = 0; at < data.length; at += 65536) {
      await writer.ready;
      await writer.write(data.subarray(at, at + 65536));
    }
    await writer.close();
  },

  same(a, b) {
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  },

  error(code) {
    try {
      return new WebTransportError('', { streamErrorCode: code });
    } catch {
      return new WebTransportError({ streamErrorCode: code });
    }
  },

  /** What a promise rejected with, as plain values. */
  async rejection(promise) {
    try {
      await promise;
    } catch (error) {
      return { name: error.name, source: error.source, streamErrorCode: error.streamErrorCode, message: error.message };
    }
    return null;
  },
};
