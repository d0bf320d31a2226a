// SPDX-License-Identifier: MIT
//
// Reads standard input as the page of the guide reads a stream (examples/topics/messages.js), and prints a line for each
// message; bytes come in pieces of each size from 1 to 50 in turn, and have to make the same messages.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { messages, listen } = await import(pathToFileURL(process.argv[2]));
const input = new Uint8Array(readFileSync(0));

const piecewise = (size) =>
  new ReadableStream({
    start(controller) {
      for (let at = 0; at < input.length; at += size) controller.enqueue(input.slice(at, at + size));
      controller.close();
    },
  });

const text = new TextDecoder();
let all, count;
for (let size = 1; size <= 50; size++) {
  const lines = [];
  for await (const message of messages(piecewise(size))) lines.push(text.decode(message));
  const joined = lines.join("\n");
  if (all !== undefined && all !== joined) throw new Error(`pieces of ${size} bytes make other messages`);
  all = joined;
  count = lines.length - 1; // without the name
}
console.log(all);

const heard = [];
const streams = new ReadableStream({
  start(controller) {
    controller.enqueue(piecewise(3));
    controller.close();
  },
});
await listen({ incomingUnidirectionalStreams: streams }, (topic, message) => heard.push(`${topic}: ${text.decode(message)}`));
while (heard.length < count) await new Promise((resolve) => setImmediate(resolve));
console.log(heard.join("\n"));
