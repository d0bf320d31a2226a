/* SPDX-License-Identifier: MIT
 *
 * The list of what happened, bounded: older lines leave the page.
 */
import { $, plural } from './util.js';

const MAX_LOG_LINES = 300;
export const MAX_SINGLE_LINES = 16; // a batch of more than this gets one summing line

const TAGS = { bidi: 'bidi', uni: 'uni', datagram: 'datagram', session: 'session' };

/** Adds a line and returns a function that rewrites its text. */
export function log(direction, kind, what, data = '', bad = false) {
  const list = $('log');
  const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 40;
  const line = document.createElement('li');
  line.className = direction + (bad ? ' bad' : '');
  line.dataset.kind = kind;
  const time = document.createElement('time');
  time.textContent = new Date().toISOString().slice(11, 23);
  const arrow = document.createElement('span');
  arrow.className = 'arrow';
  arrow.textContent = direction === 'out' ? '↑' : direction === 'in' ? '↓' : '•';
  arrow.title = direction === 'out' ? 'sent' : direction === 'in' ? 'received' : 'event';
  const tag = document.createElement('span');
  tag.className = 'tag';
  tag.textContent = TAGS[kind];
  const text = document.createElement('span');
  text.className = 'what';
  text.textContent = what;
  line.append(time, arrow, tag, text);
  if (data !== '') {
    const shown = document.createElement('span');
    shown.className = 'data';
    shown.textContent = data;
    text.append(shown);
  }
  list.append(line);
  while (list.children.length > MAX_LOG_LINES) list.firstChild.remove();
  $('log-count').textContent = plural(list.children.length, 'line');
  if (atEnd) list.scrollTop = list.scrollHeight;
  return (rewritten, isBad = false) => {
    text.textContent = rewritten;
    line.classList.toggle('bad', isBad);
  };
}

export function clearLog() {
  $('log').replaceChildren();
  $('log-count').textContent = '0 lines';
}
