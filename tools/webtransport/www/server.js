/* SPDX-License-Identifier: MIT
 *
 * What can be asked of the HTTP side of the server that served this page: about itself, and about sessions that
 * have ended there. Without it (the page came from elsewhere) the playground works, but knows less.
 */
import { state } from './state.js';
import { later } from './util.js';

const SERVER_REPORT_TRIES = 50;  // times 100 ms

export async function companion(path) {
  const answer = await fetch(path, { cache: 'no-store' });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** Where the server's list of ended sessions stands now; null if there is none to ask. */
export async function serverCursor() {
  if (state.info === null) return null;
  try {
    return (await companion('/sessions.json')).next;
  } catch {
    return null;
  }
}

/** What the server recorded about `attempt`, or null. */
export async function serverReport(attempt) {
  const path = attempt.url.replace(/^https:\/\/[^/]*/, '') || '/';
  if (attempt.cursor === null) return null;
  for (let tries = 0; tries < SERVER_REPORT_TRIES; tries++) {
    try {
      const { sessions } = await companion(`/sessions.json?after=${attempt.cursor}`);
      const found = sessions.find((one) => one.path === path || one.path === path.split('?')[0]);
      if (found) return found;
    } catch {
      return null;
    }
    await later(100);
  }
  return null;
}
