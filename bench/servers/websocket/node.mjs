// SPDX-License-Identifier: MIT
// Node's ws as a server of the benchmark: every message goes back, or at /topic to all other clients. With --tls over TLS, which WebTransport always is.
//
//   node node.mjs --port PORT [--tls --cert FILE --key FILE]

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { parseArgs } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    tls: { type: 'boolean', default: false },
    cert: { type: 'string' },
    key: { type: 'string' },
  },
});
const server = values.tls
  ? createSecureServer({ cert: readFileSync(values.cert), key: readFileSync(values.key) })
  : createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
const broadcast = (from, data, binary) => {
  for (const client of sockets.clients) {
    if (client !== from && client.readyState === WebSocket.OPEN) client.send(data, { binary });
  }
};
sockets.on('connection', (socket, request) => {
  socket.on('message', (data, binary) =>
    request.url === '/topic' ? broadcast(socket, data, binary) : socket.send(data, { binary }),
  );
  socket.on('error', () => socket.terminate());
});
server.listen(Number(values.port), '127.0.0.1', () => console.log(`ready ${server.address().port}`));
