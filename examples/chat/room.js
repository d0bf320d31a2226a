/* SPDX-License-Identifier: MIT
 *
 * A room as the server of chat.c sees it: one session, one bidirectional stream with a line a message, and datagrams
 * for what may be lost. Knows nothing of the page.
 */
const TEXT_MAX = 1000; // bytes
const encoder = new TextEncoder();

/** Whether the server would take `text` as a message. */
export const fits = (text) => encoder.encode(text).length <= TEXT_MAX;

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

export class Room {
  #transport;
  #writer;
  #datagrams;
  #told; // functions: here(name), join(name), left(name), say(time, name, text), typing(name), closed(code, reason)

  /** Enters; rejects if there is no session. What happens in the room, and its end, is told to `told`. */
  static async enter({ server, hash, room, name }, told) {
    const url = new URL(`/chat/${room}?name=${encodeURIComponent(name)}`, server);
    const options = hash ? { serverCertificateHashes: [{ algorithm: 'sha-256', value: bytesOf(hash) }] } : {};
    const it = new Room();
    it.#told = told;
    it.#transport = new WebTransport(url.href, options);
    it.#transport.closed.catch(() => {});
    await it.#transport.ready;
    it.#transport.closed.then(
      ({ closeCode, reason }) => told.closed(closeCode ?? 0, reason ?? ''),
      () => told.closed(null, 'the connection was lost'),
    );
    await it.#open().catch(() => {}); // from here on, `closed` says what was wrong
    return it;
  }

  async #open() {
    const stream = await this.#transport.createBidirectionalStream();
    this.#writer = stream.writable.getWriter();
    this.#datagrams = this.#transport.datagrams.writable.getWriter();
    this.#readLines(stream.readable).catch(() => {});
    this.#readDatagrams().catch(() => {});
    await this.say(''); // browsers tell of a stream with its first bytes, and an empty line says nothing
  }

  say(text) {
    return this.#writer.write(encoder.encode(`${text}\n`));
  }

  typing() {
    this.#datagrams.write(encoder.encode('typing')).catch(() => {});
  }

  leave() {
    this.#transport.close({ closeCode: 0, reason: 'bye' });
  }

  /** Chunks end anywhere, also inside a line or a character. */
  async #readLines(readable) {
    let rest = '';
    for await (const chunk of readable.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines) this.#tell(line);
    }
  }

  async #readDatagrams() {
    const decoder = new TextDecoder();
    for await (const datagram of this.#transport.datagrams.readable) this.#tell(decoder.decode(datagram));
  }

  #tell(line) {
    const [what, ...fields] = line.split('\t');
    if (what === 'say') this.#told.say(new Date(1000 * Number(fields[0])), fields[1], fields[2]);
    else if (['here', 'join', 'left', 'typing'].includes(what)) this.#told[what](fields[0]);
  }
}
