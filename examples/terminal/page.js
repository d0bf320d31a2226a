/* SPDX-License-Identifier: MIT
 *
 * The page: a terminal (xterm.js), and what is said about its connection. shell.js does the talking.
 *
 * Everything it needs stands behind the '#' of its address, which browsers send to nobody:
 *
 *   #server=https://localhost:4433/shell&hash=SHA-256 OF THE CERTIFICATE&token=WHAT shell.py PRINTED
 *
 * Without `hash` the certificate has to be from an authority that the browser trusts.
 */
import { FitAddon } from './node_modules/@xterm/addon-fit/lib/addon-fit.mjs';
import { Terminal } from './node_modules/@xterm/xterm/lib/xterm.mjs';
import { Shell } from './shell.js';

const at = (id) => document.getElementById(id);
const terminal = new Terminal({
  fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
  cursorBlink: true,
  theme: { background: '#0e1420', foreground: '#e8ecf6' },
});
const fit = new FitAddon();
let shell = null;

function state(text, kind = '') {
  at('state').textContent = text;
  at('state').className = kind;
  at('again').hidden = kind !== 'bad';
}

async function connect() {
  const place = new URLSearchParams(location.hash.slice(1));
  if (!place.has('server') || !place.has('token')) {
    state('Open this page with #server=…&hash=…&token=… behind its address: docs/guide/gateway.md says how.', 'bad');
    return;
  }
  state('Connecting …');
  terminal.reset();
  try {
    shell = await Shell.open(place.get('server'), place.get('hash'), place.get('token'), terminal);
    state(`Connected to ${place.get('server')}`, 'good');
    terminal.focus();
    // A page that shows slowly reads slowly: then QUIC's flow control holds the shell back.
    await shell.read((bytes) => new Promise((done) => terminal.write(bytes, done)));
    state('The shell has ended.', 'bad');
  } catch (error) {
    state(`No connection: ${error.message}`, 'bad');
  }
  shell?.close();
  shell = null;
}

terminal.loadAddon(fit);
terminal.open(at('terminal'));
fit.fit();
terminal.onData((text) => shell?.type(text));
terminal.onBinary((text) => shell?.type(Uint8Array.from(text, (char) => char.charCodeAt(0))));
terminal.onResize(({ cols, rows }) => shell?.resize(cols, rows));
new ResizeObserver(() => fit.fit()).observe(at('terminal'));
addEventListener('pagehide', () => shell?.close());
at('again').addEventListener('click', connect);
connect();
