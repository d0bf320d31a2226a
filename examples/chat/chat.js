/* SPDX-License-Identifier: MIT
 *
 * The page: a door, and the inside of one room. room.js does the talking.
 */
import { Room, fits } from './room.js';

const TYPING_SHOWN_MS = 3000;
const TYPING_SENT_MS = 1000;
const MESSAGES_MAX = 500;

const at = (id) => document.getElementById(id);
const fields = ['server', 'hash', 'room', 'name'];

let room = null;
let me = '';
let greeted = false; // our own name came: what comes now is new
let typingSent = 0;
const typists = new Map(); // name to timer

/* ---- What is shown ---------------------------------------------------------------------------- */

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

/** A name's own colour, the same on every screen. */
const hueOf = (name) => [...name].reduce((sum, char) => (sum * 31 + char.codePointAt(0)) % 360, 7);

function avatar(name) {
  const made = element('span', 'avatar', [...name][0].toUpperCase());
  made.style.setProperty('--hue', hueOf(name));
  made.setAttribute('aria-hidden', 'true');
  return made;
}

/** Adds to the messages, and scrolls on if the end was in sight. */
function show(item) {
  const list = at('messages');
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(item);
  while (list.children.length > MESSAGES_MAX) list.firstChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

const note = (text) => show(element('li', 'note', text));

function message(time, name, text) {
  const when = element('time', '', time.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
  when.dateTime = time.toISOString();
  const previous = at('messages').lastElementChild;
  const item = element('li', name === me ? 'message mine' : 'message');
  if (previous?.dataset.name === name) item.classList.add('more');
  item.dataset.name = name;
  item.append(avatar(name), element('div', 'bubble',
    element('p', 'by', element('bdi', 'name', name), ' ', when), element('p', 'text', text)));
  show(item);
}

function addMember(name) {
  const item = element('li', name === me ? 'me' : '', avatar(name), element('bdi', '', name));
  item.dataset.name = name;
  at('members').append(item);
  countMembers();
}

function removeMember(name) {
  [...at('members').children].find((item) => item.dataset.name === name)?.remove();
  stopTyping(name);
  countMembers();
}

function countMembers() {
  const count = at('members').children.length;
  at('count').textContent = count === 1 ? 'Nobody else is here yet' : `${count} people here`;
}

function showTypists() {
  const names = [...typists.keys()];
  at('typing').textContent = names.length === 0 ? '' :
    names.length === 1 ? `${names[0]} is typing …` : `${names.slice(0, 3).join(', ')} are typing …`;
}

function stopTyping(name) {
  clearTimeout(typists.get(name));
  if (typists.delete(name)) showTypists();
}

function showTyping(name) {
  clearTimeout(typists.get(name));
  typists.set(name, setTimeout(() => stopTyping(name), TYPING_SHOWN_MS));
  showTypists();
}

/* ---- What happens in the room ------------------------------------------------------------------ */

const told = {
  here(name) {
    addMember(name);
    if (name === me) greeted = true;
  },
  join(name) {
    addMember(name);
    note(`${name} came in`);
  },
  left(name) {
    removeMember(name);
    note(`${name} left`);
  },
  say(time, name, text) {
    stopTyping(name);
    message(time, name, text);
  },
  typing(name) {
    if (greeted) showTyping(name);
  },
  closed(code, reason) {
    const what = greeted ? 'You are no longer in the room' : 'You were not let in';
    if (room !== null) goOut(code === 0 ? '' : `${what}: ${reason}.`);
  },
};

/* ---- In and out -------------------------------------------------------------------------------- */

function goIn(wish) {
  at('title').textContent = wish.room;
  at('door').hidden = true;
  at('inside').hidden = false;
  document.title = `${wish.room} · Rooms`;
  at('text').focus();
}

function goOut(why) {
  room = null;
  greeted = false;
  for (const name of [...typists.keys()]) stopTyping(name);
  at('inside').hidden = true;
  at('door').hidden = false;
  at('go').disabled = false;
  at('trouble').textContent = why;
  at('trouble').hidden = why === '';
  document.title = 'Rooms';
}

async function enter(event) {
  event.preventDefault();
  const wish = Object.fromEntries(fields.map((field) => [field, at(field).value.trim()]));
  me = wish.name;
  at('go').disabled = true;
  at('trouble').hidden = true;
  at('messages').replaceChildren();
  at('members').replaceChildren();
  history.replaceState(null, '', `#${new URLSearchParams({ server: wish.server, hash: wish.hash, room: wish.room })}`);
  try {
    room = {}; // its end is told from now on, also if that is at once
    const entered = await Room.enter(wish, told);
    if (room === null) return;
    room = entered;
    goIn(wish);
  } catch {
    if (room !== null) goOut('The server cannot be reached, or it refuses this page. Are the address and the hash right?');
  }
}

async function say(event) {
  event.preventDefault();
  const text = at('text').value.trim();
  if (text === '') return;
  at('text').setCustomValidity(fits(text) ? '' : 'That is too long for one message.');
  if (!at('text').reportValidity()) return;
  at('text').value = '';
  typingSent = 0;
  await room.say(text).catch(() => {}); // the end of the session is told
}

function type() {
  at('text').setCustomValidity('');
  if (at('text').value === '' || Date.now() - typingSent < TYPING_SENT_MS) return;
  typingSent = Date.now();
  room.typing();
}

/* The server's address and hash come in the link that it printed, behind the '#'. */
for (const [field, value] of new URLSearchParams(location.hash.slice(1)))
  if (fields.includes(field)) at(field).value = value;
at('where').open = at('hash').value === '';
at('enter').addEventListener('submit', enter);
at('say').addEventListener('submit', say);
at('text').addEventListener('input', type);
at('leave').addEventListener('click', () => room.leave());
addEventListener('pagehide', () => room?.leave?.());
