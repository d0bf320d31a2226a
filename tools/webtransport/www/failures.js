/* SPDX-License-Identifier: MIT
 *
 * Why there is no session. A browser tells a page next to nothing about a failed handshake, on purpose; so this finds
 * out by elimination what a page can: it asks the HTTP side of the server, compares hashes, and tries the path that is
 * known to work. It says what was observed, and what to check.
 */
import { log } from './log.js';
import { companion } from './server.js';
import { state } from './state.js';
import { $, hexOf, millis, parseHash } from './util.js';

function trouble(title, text, checks = [], raw = '', fix = false) {
  $('trouble-title').textContent = title;
  $('trouble-text').textContent = text;
  $('trouble-list').replaceChildren(...checks.map((words) => {
    const item = document.createElement('li');
    item.textContent = words;
    return item;
  }));
  $('trouble-list').hidden = checks.length === 0;
  $('trouble-raw').textContent = raw === '' ? '' : `The browser said: ${raw}`;
  $('trouble-raw').hidden = raw === '';
  $('trouble-fix').hidden = !fix;
  $('trouble').hidden = false;
}

/** The attempt did not even start. */
export function explainSetup(error) {
  if (!window.isSecureContext) {
    trouble('This page is not in a secure context', 'Browsers offer WebTransport to secure pages only.',
            [`Open the page as http://localhost:${location.port || 80}/ or over HTTPS, not as ${location.origin}/.`]);
  } else if (typeof WebTransport === 'undefined') {
    trouble('This browser has no WebTransport', 'The page cannot connect with it.',
            ['Use a current Chrome, Edge, Firefox or Safari.',
             'A policy of your organisation may have switched it off.']);
  } else if (error.name === 'SyntaxError') {
    trouble('The URL does not work for WebTransport', 'It must begin with https:// and have no #fragment.', [],
            error.message);
  } else {
    trouble('The connection could not be started', error.message);
  }
}

/** The same host and port as the server that belongs to this page. */
function isOwnServer(url) {
  const { info } = state;
  return info !== null && Number(url.port || 443) === info.webtransport_port && url.hostname === location.hostname;
}

/** Whether a session to the page's own /echo, with the hash the server gives out now, opens. */
async function probe(base) {
  const value = parseHash(state.info.certificate_sha256);
  const options = state.info.self_signed ? { serverCertificateHashes: [{ algorithm: 'sha-256', value }] } : {};
  try {
    const transport = new WebTransport(`${base}/echo`, options);
    transport.closed.catch(() => {});
    await transport.ready;
    transport.close({ closeCode: 0, reason: 'probe' });
    return true;
  } catch {
    return false;
  }
}

const UDP_CHECKS = [
  'WebTransport runs over UDP: a firewall, VPN or proxy that passes only TCP stops it. Is the UDP port open, on the ' +
      'machine and on the way?',
  'The name must lead to an address the server listens on. For “localhost” browsers may try only [::1].',
];

/** Says why `ready` rejected, by elimination. */
export async function explainFailure(urlText, options, error, tookMs) {
  const url = new URL(urlText);
  const raw = `${error.message || error.name} (after ${millis(tookMs)})`;
  const udp = `Is the server running, and does it listen on UDP port ${url.port || 443}?`;
  if (state.info === null || !isOwnServer(url)) {
    trouble(`No session with ${url.host}`,
            'That is not the server this page came from, so no more can be found out from here.',
            [udp, ...UDP_CHECKS,
             'The certificate: by hash it must be ECDSA P-256 and valid for at most 14 days, and be the one the ' +
                 'server uses now. Without a hash it must be trusted by the browser.',
             `The server may have refused: 404 for an unknown path (${url.pathname}), 403 for this page’s origin ` +
                 `(${location.origin}).`], raw);
    return;
  }
  let fresh;
  try {
    fresh = await companion('/info.json');
  } catch {
    trouble('The server is gone', 'Its HTTP side, which served this page, does not answer any more either.',
            ['Start it again, then reload this page: it makes a new certificate at each start.'], raw);
    return;
  }
  const newHash = fresh.certificate_sha256.toLowerCase();
  state.info = fresh;
  const given = options.serverCertificateHashes?.[0].value;
  if (fresh.self_signed && given === undefined) {
    trouble('The certificate is not trusted',
            'The server made its own certificate. The browser accepts it only by its hash, and that field is empty.',
            [], raw, true);
  } else if (given !== undefined && hexOf(given) !== newHash) {
    trouble('The certificate hash does not match',
            'The server uses another certificate than the hash above names. ' +
                (fresh.self_signed ? 'It makes a new one at each start, and each lasts 13 days.' : ''), [], raw, true);
  } else {
    await explainMatching(url, raw, udp);
  }
}

/** The server is up and the hash is right: what remains is the path, the origin, or UDP. */
async function explainMatching(url, raw, udp) {
  const known = (state.info.endpoints ?? []).map((path) => path.split('?')[0]);
  trouble('Looking into it…', 'Trying the server’s /echo for comparison.', [], raw);
  if (url.pathname !== '/echo' && await probe(url.origin)) {
    trouble('The server refused this path',
            'It accepts a session at /echo, so the network, the certificate and this page’s origin are fine. ' +
                `It must have answered ${url.pathname} with an error, probably 404.`,
            [`It has ${known.join(', ')}.`], raw);
    return;
  }
  const ranOut = state.info.certificate_expires_at * 1000 < Date.now();
  trouble('No session, although the server is running',
          'Its HTTP side answers and the certificate hash is right. ' +
              (ranOut ? 'But the certificate has run out.' : 'The browser does not tell pages which of these it is:'),
          ranOut ? ['Restart the server: it then makes a new certificate. Those it makes last 13 days.'] :
            [`403: the server may not allow pages from ${location.origin}. Start it with ` +
                 `--origin ${location.origin}; its log names the refused origin.`,
             udp, ...UDP_CHECKS], raw);
}
