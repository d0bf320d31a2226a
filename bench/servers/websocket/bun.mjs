// SPDX-License-Identifier: MIT
// Bun's WebSocket server as a server of the benchmark: every message goes back, or at /topic to all other
// clients. With --tls over TLS.
//
//   bun bun.mjs --port PORT [--tls --cert FILE --key FILE]

import { parseArgs } from 'node:util';

const { values } = parseArgs({
  args: Bun.argv.slice(2),
  options: {
    port: { type: 'string', default: '0' },
    tls: { type: 'boolean', default: false },
    cert: { type: 'string' },
    key: { type: 'string' },
  },
});
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(values.port),
  tls: values.tls ? { cert: Bun.file(values.cert), key: Bun.file(values.key) } : undefined,
  fetch(request, server) {
    const topic = new URL(request.url).pathname === '/topic';
    return server.upgrade(request, { data: { topic } }) ? undefined : new Response('a WebSocket is wanted\n', { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    open(socket) {
      if (socket.data.topic) socket.subscribe('topic');
    },
    message(socket, message) {
      if (socket.data.topic) socket.publish('topic', message);
      else socket.send(message);
    },
  },
});
console.log(`ready ${server.port}`);
