// SPDX-License-Identifier: MIT
//
// Reads the stream of a subscription with WT_DELIVERY_STREAM: docs/guide/topics.md.

// Gives the messages of a stream, each a Uint8Array. The first one is the name of the topic.
export async function* messages(stream) {
  const reader = stream.getReader();
  let bytes = new Uint8Array(0);
  const fill = async (count) => {
    while (bytes.length < count) {
      const { value, done } = await reader.read();
      if (done) return false;
      const both = new Uint8Array(bytes.length + value.length);
      both.set(bytes);
      both.set(value, bytes.length);
      bytes = both;
    }
    return true;
  };
  while (await fill(4)) {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    if (!(await fill(4 + length))) return;
    yield bytes.slice(4, 4 + length);
    bytes = bytes.subarray(4 + length);
  }
}

// Calls `on(topic, message)` for each message of each stream that the session's server opens.
export async function listen(session, on) {
  const text = new TextDecoder();
  const follow = async (stream) => {
    const all = messages(stream);
    const topic = text.decode((await all.next()).value);
    for await (const message of all) on(topic, message);
  };
  const streams = session.incomingUnidirectionalStreams.getReader();
  for (let next = await streams.read(); !next.done; next = await streams.read()) follow(next.value);
}
