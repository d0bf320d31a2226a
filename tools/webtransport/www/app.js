/* SPDX-License-Identifier: MIT
 *
 * The playground: one WebTransport session to the server, things to send on it, and what came back. This file ties
 * the controls to the rest; read on in session.js, send.js and receive.js.
 */
import { explainSetup } from './failures.js';
import { clearLog } from './log.js';
import { startPings, stopPings } from './roundtrips.js';
import { send } from './send.js';
import { companion } from './server.js';
import { closeSession, connect, setState } from './session.js';
import { state } from './state.js';
import { download, toggleMeter, upload } from './throughput.js';
import { $ } from './util.js';

function useServerInfo() {
  $('url').value = `https://${location.hostname}:${state.info.webtransport_port}/echo`;
  $('hash').value = state.info.self_signed ? state.info.certificate_sha256 : '';
  $('server-version').textContent = `libwebtransport ${state.info.version}, UDP port ${state.info.webtransport_port}`;
}

function showSendFields() {
  const form = $('send-form');
  const datagram = form.kind.value === 'datagram';
  const bySize = form.payload.value === 'size';
  $('text-field').hidden = bySize;
  $('size-field').hidden = !bySize;
  $('ending-field').hidden = datagram;
  // Who only writes has nothing to stop reading.
  const stop = $('ending').querySelector('[value="stop"]');
  stop.disabled = stop.hidden = form.kind.value === 'uni';
  if (stop.disabled && $('ending').value === 'stop') $('ending').value = 'fin';
  $('ending-code-field').hidden = datagram || $('ending').value === 'fin';
}

function toggleConnection() {
  if (state.session === null) {
    connect($('url').value.trim());
    return;
  }
  const connecting = $('state').dataset.state === 'connecting';
  closeSession(0, connecting ? '' : 'disconnected');
}

function wire() {
  const onSubmit = (id, action) => $(id).addEventListener('submit', (event) => {
    event.preventDefault();
    action(event.target);
  });
  onSubmit('connect-form', toggleConnection);
  onSubmit('send-form', send);
  onSubmit('close-form', () => closeSession($('close-code').valueAsNumber || 0, $('close-reason').value));
  $('send-form').addEventListener('change', showSendFields);
  $('clear').addEventListener('click', clearLog);
  $('ping').addEventListener('click', () => {
    const attempt = state.session;
    if (attempt.pings === null) startPings(attempt);
    else stopPings(attempt);
  });
  $('download').addEventListener('click', () => toggleMeter(download));
  $('upload').addEventListener('click', () => toggleMeter(upload));
  $('server-close').addEventListener('click', () => {
    if (state.session !== null) closeSession(0, 'on to the next');
    connect($('url').value.replace(/^(https:\/\/[^/]*).*$/, '$1/close?code=1337&reason=foobar'));
  });
  $('trouble-fix').addEventListener('click', () => {
    $('hash').value = state.info.certificate_sha256;
    $('trouble').hidden = true;
    $('connect').focus();
  });
}

async function start() {
  wire();
  showSendFields();
  setState('closed', 'Not connected');
  if (typeof WebTransport === 'undefined') explainSetup(new Error('missing'));
  try {
    state.info = await companion('/info.json');
    useServerInfo();
  } catch {
    // Served by something else than the tool: the fields are then the user's to fill in.
    $('url').value = `https://${location.host}/echo`;
  }
}

start();
