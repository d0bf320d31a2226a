/* SPDX-License-Identifier: MIT
 *
 * The one session of the connection card: its state, its options, how it began, and how it ended on both sides.
 */
import { explainFailure, explainSetup } from './failures.js';
import { log } from './log.js';
import { receiveBidiStreams, receiveDatagrams, receiveUniStreams } from './receive.js';
import { stopPings } from './roundtrips.js';
import { serverCursor, serverReport } from './server.js';
import { state } from './state.js';
import { $, bytes, describeError, millis, parseHash, plural, quoted } from './util.js';

export function setState(name, words) {
  $('state').dataset.state = name;
  $('state').textContent = words;
  const live = name === 'connected';
  $('send-controls').disabled = !live;
  $('close-controls').disabled = !live;
  $('ping').disabled = !live;
  $('facts').hidden = !live;
  $('connect').textContent = name === 'connected' ? 'Disconnect' : name === 'connecting' ? 'Cancel' : 'Connect';
  $('connect').classList.toggle('primary', name !== 'connected');
}

/** The constructor's options out of the form; throws an Error whose message is for people. */
export function transportOptions(hashText, protocolText) {
  const options = {};
  if (hashText.trim() !== '') {
    const value = parseHash(hashText);
    if (value === null) {
      throw new Error('The certificate hash is not a SHA-256: 64 hex digits, or 44 characters of base64.');
    }
    options.serverCertificateHashes = [{ algorithm: 'sha-256', value }];
  }
  const protocols = protocolText.split(',').map((name) => name.trim()).filter((name) => name !== '');
  if (protocols.length > 0) options.protocols = protocols;
  return options;
}

export async function connect(url) {
  const attempt = { url, transport: null, over: false, pending: [], batches: [], pings: null, opened: 0, wanted: true };
  $('trouble').hidden = true;
  const started = performance.now();
  let options = {};
  state.session = attempt;
  setState('connecting', 'Connecting…');
  attempt.cursor = await serverCursor();
  if (state.session !== attempt) return; // cancelled meanwhile
  try {
    if (typeof WebTransport === 'undefined') throw new Error('missing');
    options = transportOptions($('hash').value, $('protocols').value);
    attempt.transport = new WebTransport(url, options);
  } catch (error) {
    state.session = null;
    setState('failed', 'Not connected');
    explainSetup(error);
    return;
  }
  log('event', 'session', `Connecting to ${url}`);
  attempt.transport.closed.catch(() => {});
  try {
    await attempt.transport.ready;
  } catch (error) {
    if (state.session !== attempt) return;
    state.session = null;
    if (!attempt.wanted) {
      setState('closed', 'Not connected');
      return;
    }
    setState('failed', 'Connection failed');
    log('event', 'session', 'Connection failed', '', true);
    await explainFailure(url, options, error, performance.now() - started);
    return;
  }
  connected(attempt, performance.now() - started);
}

function connected(attempt, tookMs) {
  const { transport } = attempt;
  const protocol = transport.protocol;
  // By default a page that is busy for a moment loses datagrams that the network did not.
  transport.datagrams.incomingHighWaterMark = 1000;
  attempt.datagramWriter = (transport.datagrams.createWritable?.() ?? transport.datagrams.writable).getWriter();
  attempt.datagramWriter.closed.catch(() => {});
  $('fact-ready').textContent = millis(tookMs);
  $('fact-protocol').textContent = protocol || 'none';
  $('fact-datagram').textContent = bytes(transport.datagrams.maxDatagramSize);
  $('fact-streams').textContent = '0';
  setState('connected', 'Connected');
  log('event', 'session', `Connected in ${millis(tookMs)}${protocol ? `, subprotocol ${protocol}` : ''}`);
  watchEnd(attempt);
  receiveDatagrams(attempt);
  receiveUniStreams(attempt);
  receiveBidiStreams(attempt);
}

/** Waits for the session's end, whoever brings it about, and shows both sides' view of it. */
async function watchEnd(attempt) {
  let saw;
  try {
    const end = await attempt.transport.closed;
    saw = { code: end.closeCode ?? 0, reason: end.reason ?? '', clean: true };
  } catch (error) {
    saw = { text: describeError(error), clean: false };
  }
  attempt.over = true;
  stopPings(attempt);
  if (state.session === attempt) {
    state.session = null;
    setState('closed', 'Session ended');
  }
  const words = saw.clean ? `code ${saw.code}, ${quoted(saw.reason)}` : `lost: ${saw.text}`;
  log('event', 'session', `Session ended: ${words}`, '', !saw.clean);
  showEnd($('page-saw'), saw.clean ? `Code ${saw.code}` : 'Connection lost',
          saw.clean ? `${quoted(saw.reason)}, closed by ${attempt.closing ? 'this page' : 'the server'}` : saw.text);
  showEnd($('server-saw'), '…', 'asking the server');
  $('ended').hidden = false;
  $('ended-empty').hidden = true;
  state.ended = attempt;
  const report = await serverReport(attempt);
  if (state.ended === attempt) showServerView(report); // else a later session has ended meanwhile
}

function showEnd(target, head, rest) {
  const strong = document.createElement('strong');
  strong.textContent = head;
  target.replaceChildren(strong, document.createTextNode(rest));
}

function showServerView(report) {
  if (report === null) {
    showEnd($('server-saw'), 'Not known', 'The server has not reported this session.');
    return;
  }
  const who = { peer: 'the page', local: 'the server', transport: 'a lost connection' }[report.by] ?? report.by;
  showEnd($('server-saw'), `Code ${report.code}`,
          `${quoted(report.reason)}, closed by ${who}; ${bytes(report.bytes_in)} in, ${bytes(report.bytes_out)} out, ` +
          `${plural(report.streams, 'stream')}, ${plural(report.datagrams_in, 'datagram')} in`);
}

export function closeSession(code, reason) {
  const attempt = state.session;
  if (attempt === null) return;
  attempt.closing = true;
  attempt.wanted = false;
  if (attempt.transport !== null) {
    attempt.transport.close({ closeCode: code, reason });
  } else {
    state.session = null;
    setState('closed', 'Not connected');
  }
}
