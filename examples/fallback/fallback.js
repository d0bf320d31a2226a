/* SPDX-License-Identifier: MIT
 *
 * Two ways to one service on TCP: a stream of a WebTransport session, through `webtransport gateway`, or a WebSocket,
 * through websockify or a like program, where UDP does not pass. docs/guide/certificates.md explains it.
 */

/** Opens the session, or the WebSocket if there is no session within `patience` milliseconds. Gives streams of bytes. */
export async function open(sessionUrl, socketUrl, { patience = 3000, options = {} } = {}) {
  try {
    return await openSession(sessionUrl, patience, options);
  } catch {
    return openSocket(socketUrl);
  }
}

async function openSession(url, patience, options) {
  const transport = new WebTransport(url, options); // throws where the browser has none
  transport.closed.catch(() => {}); // `ready` tells
  const timer = setTimeout(() => transport.close(), patience); // a network that drops UDP says nothing
  try {
    await transport.ready;
    const { readable, writable } = await transport.createBidirectionalStream();
    return { way: 'WebTransport', readable, writable, close: () => transport.close() };
  } finally {
    clearTimeout(timer);
  }
}

async function openSocket(url) {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onclose = () => reject(new Error(`no connection to ${url}`));
  });
  const readable = new ReadableStream({
    start(controller) {
      socket.onmessage = ({ data }) => controller.enqueue(new Uint8Array(data));
      socket.onclose = () => controller.close();
    },
    cancel() {
      socket.onclose = null;
      socket.close();
    },
  });
  const writable = new WritableStream({
    write: (bytes) => socket.send(bytes),
    close: () => socket.close(),
  });
  return { way: 'WebSocket', readable, writable, close: () => socket.close() };
}
