/* SPDX-License-Identifier: MIT
 *
 * The page's end of shell.py: one session, and one bidirectional stream, which the gateway connects to it. To it go frames, a
 * letter, the length in two bytes, and so many bytes; from it comes what the terminal shows. Knows nothing of the page.
 */
const FRAME_MAX = 65535;
const encoder = new TextEncoder();
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

function frame(letter, payload) {
  const made = new Uint8Array(3 + payload.length);
  made.set([letter.charCodeAt(0), payload.length >> 8, payload.length & 255]);
  made.set(payload, 3);
  return made;
}

const size = (columns, rows) => new Uint8Array([columns >> 8, columns & 255, rows >> 8, rows & 255]);

export class Shell {
  #transport;
  #writer;
  #readable;

  /** Connects, and says who it is and how large. Rejects if there is no session. */
  static async open(url, hash, token, { cols, rows }) {
    const options = hash ? { serverCertificateHashes: [{ algorithm: 'sha-256', value: bytesOf(hash) }] } : {};
    const it = new Shell();
    it.#transport = new WebTransport(url, options);
    it.#transport.closed.catch(() => {}); // the stream's end tells
    await it.#transport.ready;
    const stream = await it.#transport.createBidirectionalStream();
    it.#readable = stream.readable;
    it.#writer = stream.writable.getWriter();
    it.#writer.closed.catch(() => {});
    it.#send('t', encoder.encode(token));
    it.resize(cols, rows);
    return it;
  }

  /** Gives what comes to `show`, piece by piece, and waits for it each time. Ends with the shell. */
  async read(show) {
    for await (const bytes of this.#readable) await show(bytes);
  }

  type(input) {
    const bytes = typeof input === 'string' ? encoder.encode(input) : input;
    for (let i = 0; i < bytes.length; i += FRAME_MAX) this.#send('d', bytes.subarray(i, i + FRAME_MAX));
  }

  resize(columns, rows) {
    this.#send('s', size(columns, rows));
  }

  close() {
    this.#transport.close({ closeCode: 0, reason: 'bye' });
  }

  #send(letter, payload) {
    this.#writer.write(frame(letter, payload)).catch(() => {}); // as above
  }
}
