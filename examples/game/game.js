/* SPDX-License-Identifier: MIT
 *
 * A game of dots: yours follows the pointer, the others follow theirs. server.py has the format of the datagrams. Open it with
 * #server=https://localhost:4433/game&hash=SHA-256 OF THE CERTIFICATE behind its address; without `hash` the certificate has to be
 * from an authority that the browser trusts.
 */
const FULL = 65535;
const MOVES_HZ = 30;
const at = (id) => document.getElementById(id);
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

const mine = { number: 0, x: FULL / 2, y: FULL / 2 };
let tick = -1;

/** Where we are, as often as the pointer may have moved: also without moves, since silence means that we have gone. */
async function tell(transport) {
  const writer = transport.datagrams.writable.getWriter();
  for (;;) {
    const view = new DataView(new ArrayBuffer(8));
    view.setUint32(0, mine.number++);
    view.setUint16(4, mine.x);
    view.setUint16(6, mine.y);
    await writer.write(new Uint8Array(view.buffer));
    await new Promise((done) => setTimeout(done, 1000 / MOVES_HZ));
  }
}

function draw(own, players) {
  const field = at('field');
  const brush = field.getContext('2d');
  field.width = field.clientWidth;
  field.height = field.clientHeight;
  for (const { id, x, y } of players) {
    brush.fillStyle = `hsl(${(id * 137) % 360} 70% 62%)`;
    brush.beginPath();
    brush.arc((x / FULL) * field.width, (y / FULL) * field.height, id === own ? 14 : 10, 0, 2 * Math.PI);
    brush.fill();
    if (id !== own) continue;
    brush.strokeStyle = '#e8ecf6';
    brush.lineWidth = 3;
    brush.stroke();
  }
}

function hear(view) {
  if (view.getUint32(0) <= tick) return; // it came late: what is newer has been drawn
  tick = view.getUint32(0);
  const own = view.getUint8(4);
  const players = Array.from({ length: view.getUint8(5) }, (_, i) => {
    const from = 6 + 5 * i;
    return { id: view.getUint8(from), x: view.getUint16(from + 1), y: view.getUint16(from + 3) };
  });
  draw(own, players);
  at('state').textContent = `${players.length} ${players.length === 1 ? 'player' : 'players'}`;
  at('field').players = players; // for whoever wants to look: the tests
}

async function play() {
  const place = new URLSearchParams(location.hash.slice(1));
  const hash = place.get('hash');
  const options = hash ? { serverCertificateHashes: [{ algorithm: 'sha-256', value: bytesOf(hash) }] } : {};
  const transport = new WebTransport(place.get('server') ?? 'https://localhost:4433/game', options);
  transport.closed.catch(() => {});
  await transport.ready;
  tell(transport).catch(() => {}); // the reader tells of the end, too
  for await (const datagram of transport.datagrams.readable)
    hear(new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength));
  throw new Error('the session has ended');
}

at('field').addEventListener('pointermove', (event) => {
  mine.x = Math.round((event.offsetX / at('field').clientWidth) * FULL);
  mine.y = Math.round((event.offsetY / at('field').clientHeight) * FULL);
});
play().catch((error) => { at('state').textContent = `No connection: ${error.message}`; });
