// SPDX-License-Identifier: MIT
//
// HTTP/1.1 as no client sends it, for tests of the companion:
//
//   node raw_http.mjs PORT ask              sends each line of standard input (with \r, \n, \x00 as such) on a
//                                           connection of its own, and prints the status of its answer, or "closed"
//   node raw_http.mjs PORT hold COUNT TEXT  opens COUNT connections, sends TEXT on each and reads nothing; prints "held".
//                                           Each line of standard input sends a byte more; it ends with standard input.

import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [port, what, count, text] = process.argv.slice(2);

/** "\r\n" as two characters of a line becomes a line break. */
function bytesOf(line) {
  const codes = { r: '\r', n: '\n', t: '\t' };
  const plain = line.replace(/\\(?:x([0-9a-f]{2})|([rnt]))|(.)\*(\d+)\*/g, (all, hex, letter, one, times) => {
    if (one) return one.repeat(Number(times));
    return hex ? String.fromCharCode(parseInt(hex, 16)) : codes[letter];
  });
  return Buffer.from(plain, 'latin1');
}

function ask(line) {
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    let answer = '';
    socket.on('connect', () => socket.write(bytesOf(line)));
    socket.on('data', (data) => {
      answer += data.toString('latin1');
      const status = /^HTTP\/1\.1 (\d{3}) (?!Continue)/.exec(answer);
      if (!status) return;
      socket.destroy();
      resolve(status[1]);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve('closed'));
  });
}

function open() {
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.pause();
    socket.on('error', () => {});
    socket.on('connect', () => {
      socket.write(bytesOf(text), () => {});
      resolve(socket);
    });
    socket.on('close', () => resolve(socket));
  });
}

const lines = createInterface({ input: process.stdin });
if (what === 'ask') {
  for await (const line of lines) console.log(await ask(line));
} else {
  const sockets = await Promise.all(Array.from({ length: Number(count) }, open));
  console.log('held');
  for await (const line of lines) for (const socket of sockets) if (!socket.destroyed) socket.write(line.slice(0, 1) || 'a');
  process.exit(0);
}
