// SPDX-License-Identifier: MIT
// Node's ws as a server of the benchmark: every message goes back. With --tls over TLS, which WebTransport always is.
//
//   node node.mjs --port PORT [--tls --cert FILE --key FILE]

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';

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
sockets.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on('error', () => socket.terminate());
});
server.listen(Number(values.port), '127.0.0.1', () => console.log(`ready ${server.address().port}`));
