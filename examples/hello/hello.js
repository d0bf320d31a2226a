/* SPDX-License-Identifier: MIT
 *
 * The page of the README: says hello to an echo server on a stream, and prints what comes back.
 */
export async function hello(hash) {
  const transport = new WebTransport('https://localhost:4433/webtransport', {
    serverCertificateHashes: [{ algorithm: 'sha-256', value: hash }], // not needed with a certificate from a known CA
  });
  await transport.ready;
  const stream = await transport.createBidirectionalStream();
  const writer = stream.writable.getWriter();
  await writer.write(new TextEncoder().encode('hello'));
  await writer.close();
  console.log(await new Response(stream.readable).text()); // hello
}
