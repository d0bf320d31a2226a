/* SPDX-License-Identifier: MIT
 *
 * The browsers that the checks run in: how each is started, and where it is known to differ from what a check asks.
 *
 * A difference is the browser's own and was measured; the check then asserts what the browser does instead, so that it
 * fails once the browser learns better. In docs/interop.md it stands as a limitation, with a link to the browser's code.
 *
 * Firefox is the one of the distribution, driven by WebDriver BiDi: playwright-core speaks it to the "moz-firefox"
 * channel. (Its ordinary way needs a Firefox that was patched for it.)
 */
import { createRequire } from 'node:module';

const GECKO = 'https://github.com/mozilla/gecko-dev/blob';
const GECKO_PARENT = `${GECKO}/b951cc25a42d4e405c3af9c55e84e50a04561ad4/dom/webtransport/parent/WebTransportParent.cpp`;
const GECKO_TRANSPORT = `${GECKO}/a49ffe981418e9265757580e0fd0a79494b7d5ad/dom/webtransport/api/WebTransport.cpp`;

const CHROMIUM_FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  '--webtransport-developer-mode', // no growing delay after failed handshakes; says nothing about QUIC
];

const FIREFOX_PREFERENCES = {
  // A handshake that nobody answers ends after this many seconds, 30 else; the page's checks wait for that once.
  'network.http.http3.idle_timeout': 5,
};

const NO_PROTOCOLS = {
  limitation: 'offers no subprotocols: its WebTransport has neither the option nor the attribute',
  source: GECKO_TRANSPORT,
};
const NO_CODE_OF_RESETS = {
  limitation: 'tells a page that a bidirectional stream was reset, but not with which code (of a unidirectional one it ' +
      'does): the pipe to the page breaks before the message with the code arrives',
  source: GECKO_PARENT,
};
const NO_STOP_SENDING = {
  limitation: 'sends no STOP_SENDING when a page cancels a reader, as long as the session lasts',
  source: GECKO_PARENT,
};
const NO_STREAM_ENDINGS = {
  limitation: `${NO_CODE_OF_RESETS.limitation}; ${NO_STOP_SENDING.limitation}`,
  source: GECKO_PARENT,
};

export const BROWSERS = {
  chromium: {
    name: 'Chromium',
    launch: (playwright, flags) => playwright.chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: [...CHROMIUM_FLAGS, ...flags],
    }),
    protocols: true, // a page can offer some
    stopSending: true, // what a page stops reading is told to the server
    resetCodes: true, // a page learns with which code a bidirectional stream was reset
    datagramsAtOnce: 100, // that it sends without dropping some itself
    closeFlushes: true, // streams that a page has ended arrive although it closes the session right after
    attempts: 1, // to open a session, before it is told that it cannot be
    ignored: [],
    limitations: {},
  },
  firefox: {
    name: 'Firefox ESR',
    launch: (playwright) => playwright.firefox.launch({
      executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr', channel: 'moz-firefox',
      firefoxUserPrefs: FIREFOX_PREFERENCES,
    }),
    protocols: false,
    stopSending: false,
    resetCodes: false,
    datagramsAtOnce: 8,
    closeFlushes: false, // it sends CONNECTION_CLOSE at once
    // Of some three thousand sessions it refuses the certificate of one (alert bad_certificate), and takes it when asked
    // again. It keeps the hashes in its record of a host's connections, which it drops now and then when it is empty.
    attempts: 3,
    // What playwright adds to a page for each screenshot, against the page's policy.
    ignored: [/^exception: Content-Security-Policy: .* blocked an inline style \(style-src-elem\)/],
    limitations: {
      'page: connects and shows the protocol': NO_PROTOCOLS,
      'of the offered protocols one is agreed on': NO_PROTOCOLS,
      'a reset with code 42 arrives, each way': NO_CODE_OF_RESETS,
      'STOP_SENDING with code 42 arrives, each way': NO_STOP_SENDING,
      'page: aborts and stops streams, and shows the server\'s codes': NO_STREAM_ENDINGS,
    },
  },
};

/** Starts one, with a fresh profile. */
export async function startBrowser(kind = BROWSERS.chromium, ...flags) {
  const browser = await kind.launch(createRequire(import.meta.url)('playwright-core'), flags);
  browser.kind = kind;
  return browser;
}
