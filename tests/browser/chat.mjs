/* SPDX-License-Identifier: MIT
 *
 * The chat of examples/: three people with a page each, in two rooms, by mouse and keyboard alone. Then two chats on two
 * ports with a redis-server of their own, which are one chat; left out where the chat was built without Redis.
 *
 *   node chat.mjs [PATH-OF-THE-CHAT] [BROWSER]      else build/examples/chat and "chromium"; "firefox" is the other
 *
 * Screenshots are left in artifacts/ of the build folder (WT_BUILD_DIR, else the one the program is in). The exit code
 * is 0 only if every check passed.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BROWSERS } from './browsers.mjs';
import { PATIENCE_MS, Program, Results, openPage, poll, startBrowser, startFolder } from './harness.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const binary = resolve(process.argv[2] ?? join(root, 'build/examples/chat'));
const which = process.argv[3] ?? 'chromium';
const artifacts = join(process.env.WT_BUILD_DIR ?? dirname(dirname(binary)), 'artifacts', ...(which === 'chromium' ? [] : [which]));
const SCREEN = { width: 1000, height: 760 };
const HISTORY_MAX = 50;
const TEXT_MAX = 1000;

const started = [];

/* ---- What a person does and sees ------------------------------------------------------------- */

async function open(browser, site, way, options = {}) {
  return openPage(browser, `${site.origin}/#${way}`, { viewport: SCREEN, ...options });
}

async function enter(page, name, room) {
  await page.fill('#name', name);
  await page.fill('#room', room);
  await page.click('#go');
}

async function say(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

const messages = (page) => page.locator('#messages .message').evaluateAll((items) =>
  items.map((item) => `${item.querySelector('.name').textContent}: ${item.querySelector('.text').textContent}`));
const notes = (page) => page.locator('#messages .note').allInnerTexts();
const members = (page) => page.locator('#members bdi').allInnerTexts();

/** Waits until `ask(page)` gives what is expected; says what it gave if it does not. */
async function shows(page, ask, expected) {
  let last;
  await poll(PATIENCE_MS, 'what the page shows', async () => {
    last = await ask(page);
    try {
      assert.deepEqual(last, expected);
      return true;
    } catch {
      return undefined;
    }
  }).catch(() => assert.deepEqual(last, expected));
}

const trouble = async (page, pattern) => page.locator('#trouble').filter({ hasText: pattern }).waitFor();

/* ---- The checks ------------------------------------------------------------------------------- */

async function peopleMeet({ ada, bob, eve }) {
  await enter(ada, 'Ada', 'lobby');
  await shows(ada, members, ['Ada']);
  await enter(bob, 'Bob', 'lobby');
  await shows(bob, members, ['Ada', 'Bob']);
  await shows(ada, members, ['Ada', 'Bob']);
  await shows(ada, notes, ['Bob came in']);
  await enter(eve, 'Ada', 'attic'); // another room: the name is free there
  await shows(eve, members, ['Ada']);
}

async function messagesStayInTheirRoom({ ada, bob, eve }) {
  await say(ada, 'Hello, is anybody here?');
  await shows(bob, messages, ['Ada: Hello, is anybody here?']);
  await say(bob, 'Yes! Grüße, Привет, 𝔸');
  await say(eve, 'It is quiet up here.');
  await say(bob, 'This is <b>not bold</b>, I hope.');
  const said = ['Ada: Hello, is anybody here?', 'Bob: Yes! Grüße, Привет, 𝔸', 'Bob: This is <b>not bold</b>, I hope.'];
  await shows(ada, messages, said);
  await shows(bob, messages, said);
  await shows(eve, messages, ['Ada: It is quiet up here.']);
}

async function typingIsSeen({ ada, bob, eve }) {
  // Datagrams may be lost: as someone who types on, and no more than once a second is sent.
  await poll(PATIENCE_MS, 'the sign that Ada is typing', async () => {
    await ada.locator('#text').pressSequentially('x');
    return (await bob.locator('#typing').innerText()) === 'Ada is typing …' ? true : undefined;
  });
  assert.equal(await eve.locator('#typing').innerText(), '');
  await ada.fill('#text', '');
  await shows(bob, (page) => page.locator('#typing').innerText(), ''); // a while later it goes
}

async function newcomersSeeTheLast({ ada, carol }) {
  const before = await messages(ada);
  const many = Array.from({ length: HISTORY_MAX }, (_, i) => `line ${i}`);
  for (const text of many) await say(ada, text);
  await shows(ada, messages, [...before, ...many.map((text) => `Ada: ${text}`)]);
  await enter(carol, 'Carol', 'lobby');
  await shows(carol, messages, many.map((text) => `Ada: ${text}`));
  await shows(carol, (page) => members(page).then((names) => names.sort()), ['Ada', 'Bob', 'Carol']);
}

async function namesAreUnique({ ada, mallory }) {
  await enter(mallory, 'Ada', 'lobby');
  await trouble(mallory, /somebody in this room has that name/);
  await enter(mallory, 'ä'.repeat(20), 'lobby'); // 40 bytes
  await trouble(mallory, /a name has 1 to 32 bytes/);
  await shows(ada, (page) => members(page).then((names) => names.length), 3);
}

async function longMessagesAreNotSent({ bob, ada }) {
  const before = await messages(ada);
  await say(bob, 'é'.repeat(TEXT_MAX / 2 + 1));
  assert.equal(await bob.$eval('#text', (input) => input.validationMessage), 'That is too long for one message.');
  await say(bob, 'é'.repeat(TEXT_MAX / 2));
  await shows(ada, messages, [...before, `Bob: ${'é'.repeat(TEXT_MAX / 2)}`]);
}

async function peopleLeave({ ada, bob, carol }) {
  await carol.click('#leave');
  await carol.locator('#door').waitFor();
  assert.equal(await carol.isVisible('#trouble'), false);
  await bob.context().close(); // as a tab that is closed
  await shows(ada, (page) => notes(page).then((all) => all.slice(-2)), ['Carol left', 'Bob left']);
  await shows(ada, members, ['Ada']);
}

async function roomsGoWithTheirLastMember({ ada }) {
  await ada.click('#leave');
  await ada.locator('#door').waitFor();
  await enter(ada, 'Ada', 'lobby');
  await shows(ada, members, ['Ada']);
  assert.deepEqual(await messages(ada), []);
}

async function otherOriginsAreRefused(browser, chat, folder, way) {
  const other = await startFolder(folder);
  const page = await open(browser, other, way);
  await enter(page, 'Mallory', 'lobby');
  await trouble(page, /refuses this page/);
  await poll(PATIENCE_MS, 'the log line', async () => chat.log.find((line) => line.includes('origin')));
  await page.context().close();
  other.stop();
}

async function theServerStops(chat, { ada }) {
  const [end] = await Promise.all([chat.stop(), trouble(ada, /the server stops/)]);
  assert.deepEqual(end, { code: 0, signal: null });
  assert.deepEqual(chat.findings(), []);
}

/* ---- Pictures --------------------------------------------------------------------------------- */

async function takePictures(people) {
  mkdirSync(artifacts, { recursive: true });
  const { ada, bob } = people;
  await bob.locator('#text').pressSequentially('and');
  await ada.screenshot({ path: join(artifacts, 'chat.png') });
  await bob.emulateMedia({ colorScheme: 'dark' });
  await bob.screenshot({ path: join(artifacts, 'chat-dark.png') });
  await bob.setViewportSize({ width: 360, height: 640 });
  await bob.screenshot({ path: join(artifacts, 'chat-narrow.png') });
  const { whole, seen } = await bob.evaluate(() =>
    ({ whole: document.documentElement.scrollWidth, seen: document.documentElement.clientWidth }));
  assert.ok(whole <= seen, `${whole} pixels wide on a screen of ${seen}`);
  await bob.setViewportSize(SCREEN);
  await bob.fill('#text', '');
  await people.mallory.screenshot({ path: join(artifacts, 'chat-door.png') });
}

/* ---- Two servers ------------------------------------------------------------------------------ */

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startRedis(port, folder) {
  const redis = await Program.start('redis-server',
    ['--bind', '127.0.0.1', '--port', port, '--dir', folder, '--save', '', '--appendonly', 'no'].map(String),
    (line) => line.includes('eady to accept connections'));
  started.push(redis);
  return redis;
}

/** Each says something when the last word of the other has come. */
async function theyTalk({ ann, ben }) {
  const said = [];
  await enter(ann, 'Ann', 'bridge');
  await shows(ann, members, ['Ann']);
  await enter(ben, 'Ben', 'bridge');
  await shows(ben, members, ['Ann', 'Ben']);
  await shows(ann, members, ['Ann', 'Ben']);
  await shows(ann, notes, ['Ben came in']);
  for (const [page, name, text] of [[ann, 'Ann', 'Which server are you on, Ben?'], [ben, 'Ben', 'The other one. And you?'],
    [ann, 'Ann', 'This one.'], [ann, 'Ann', 'And yet it is one room.'], [ben, 'Ben', 'Grüße von drüben, 𝔸']]) {
    await say(page, text);
    said.push(`${name}: ${text}`);
    await shows(ann, messages, said);
    await shows(ben, messages, said);
  }
  await poll(PATIENCE_MS, 'the sign that Ben is typing', async () => {
    await ben.locator('#text').pressSequentially('x');
    return (await ann.locator('#typing').innerText()) === 'Ben is typing …' ? true : undefined;
  });
  await ben.fill('#text', '');
}

/** Both pages side by side, as people at two screens see them. */
async function takeBoth(browser, { ann, ben }) {
  const shots = await Promise.all([ann, ben].map((page) => page.screenshot()));
  const page = await browser.newPage({ viewport: { width: 2 * SCREEN.width + 12, height: SCREEN.height } });
  await page.setContent(`<body style="margin:0;display:flex;gap:12px;background:#888">${shots.map((shot) =>
    `<img src="data:image/png;base64,${shot.toString('base64')}">`).join('')}`);
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await page.screenshot({ path: join(artifacts, 'chat-two-servers.png') });
  await page.close();
}

async function latecomersSeeTheLast({ ann, cat }) {
  const said = await messages(ann);
  await enter(cat, 'Ben', 'bridge');
  await trouble(cat, /somebody in this room has that name/); // on the other server
  await enter(cat, 'Cat', 'bridge');
  await shows(cat, messages, said);
  await shows(cat, (page) => members(page).then((names) => names.sort()), ['Ann', 'Ben', 'Cat']);
}

/** Without Redis each goes on alone; when it is back, what was said meanwhile arrives. */
async function redisGoesAndComes(redis, again, chats, { ann, ben }) {
  redis.kill();
  await redis.exited;
  const before = await messages(ben);
  await say(ann, 'Can you hear me?');
  await shows(ann, messages, [...before, 'Ann: Can you hear me?']);
  assert.deepEqual(await messages(ben), before);
  await again();
  await shows(ben, messages, [...before, 'Ann: Can you hear me?']);
  for (const chat of chats) assert.equal(chat.log.filter((line) => line.includes('not connected')).length, 1, chat.tail());
}

/** The room is empty on both servers, and Redis has it still. */
async function roomsStay({ ann, ben, cat }) {
  await say(ben, 'Good night.');
  await shows(ann, (page) => messages(page).then((all) => all.at(-1)), 'Ben: Good night.');
  for (const page of [ann, cat, ben]) {
    await page.click('#leave');
    await page.locator('#door').waitFor();
  }
  await enter(cat, 'Ann', 'bridge');
  await shows(cat, (page) => messages(page).then((all) => all.at(-1)), 'Ben: Good night.');
  await shows(cat, members, ['Ann']);
}

async function twoServers(results, browser, site) {
  const folder = mkdtempSync(join(tmpdir(), 'wt-chat-'));
  const port = await freePort();
  const redis = await startRedis(port, folder);
  const chats = [];
  try {
    for (let i = 0; i < 2; i++) {
      chats.push(await Program.start(binary, ['-l', 'localhost:0', '-o', site.origin, '-r', `redis://127.0.0.1:${port}`],
        (line) => line.match(/#(server=https:\/\/localhost:\d+&hash=[0-9a-f]{64})$/)?.[1]));
      started.push(chats[i]);
    }
    const people = {};
    for (const [i, name] of ['ann', 'ben', 'cat'].entries()) people[name] = await open(browser, site, chats[i % 2].found);
    const check = (name, what) => results.check(`two servers: ${name}`, () => what(people));
    await check('people meet, and hear each other in one order', theyTalk);
    await check('a picture of both pages', () => takeBoth(browser, people));
    await check('names are unique, and newcomers see the last messages', latecomersSeeTheLast);
    await check('Redis goes and comes', () => redisGoesAndComes(redis, () => startRedis(port, folder), chats, people));
    await check('a room stays in Redis', roomsStay);
    await check('they end in order', async () => {
      for (const chat of chats) assert.deepEqual([await chat.stop(), chat.findings()], [{ code: 0, signal: null }, []]);
    });
  } finally {
    if (results.failed > 0) for (const chat of chats) console.log(`a server's log ended with:\n${chat.tail()}`);
    for (const program of started) program.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether the chat knows Redis: it refuses a URL then, and not because it is one. */
async function knowsRedis() {
  return Program.start(binary, ['-l', 'localhost:0', '-r', 'x'], () => undefined)
    .then(() => false, (error) => !error.message.includes('without Redis'));
}

/* ---- All of them ------------------------------------------------------------------------------ */

async function run() {
  const kind = BROWSERS[which];
  if (!kind) throw new Error(`no browser is called ${which}`);
  const results = new Results();
  const folder = join(root, 'examples/chat');
  const site = await startFolder(folder);
  const chat = await Program.start(binary, ['-l', 'localhost:0', '-o', site.origin],
    (line) => line.match(/#(server=https:\/\/localhost:\d+&hash=[0-9a-f]{64})$/)?.[1]);
  started.push(chat);
  const browser = await startBrowser(kind);
  console.log(`${binary}; ${kind.name} ${browser.version()}`);
  try {
    const people = {};
    for (const name of ['ada', 'bob', 'eve', 'carol', 'mallory']) people[name] = await open(browser, site, chat.found);
    const check = (name, what) => results.check(name, () => what(people));
    await check('people meet in rooms', peopleMeet);
    await check('messages stay in their room, in order', messagesStayInTheirRoom);
    await check('pictures; it fits a screen of 360 pixels', takePictures);
    await check('who is typing is seen, for a while', typingIsSeen);
    await check(`newcomers see the last ${HISTORY_MAX} messages`, newcomersSeeTheLast);
    await check('names are bounded, and unique in a room', namesAreUnique);
    await check('a message of 1,000 bytes arrives, a longer one stays', longMessagesAreNotSent);
    await check('who leaves, or closes the tab, is gone', peopleLeave);
    await check('a room goes with its last member', roomsGoWithTheirLastMember);
    await results.check('pages of other origins are refused', () => otherOriginsAreRefused(browser, chat, folder, chat.found));
    await results.check('the server says that it stops, and ends in order', () => theServerStops(chat, people));
    await results.check('nothing was complained about', async () =>
      assert.deepEqual(Object.values(people).flatMap(({ complaints }) => complaints), []));
    if (await knowsRedis()) await twoServers(results, browser, site);
    else console.log('two servers: left out, the chat was built without Redis');
  } finally {
    await browser.close();
    site.stop();
  }
  if (results.failed > 0) console.log(`the server's log ended with:\n${chat.tail()}`);
  console.log(`screenshots: ${artifacts}`);
  console.log(results.summary());
  return results.failed === 0 ? 0 : 1;
}

let code = 1;
try {
  code = await run();
} catch (error) {
  console.log(`FAIL  the test itself: ${error.stack ?? error}`);
} finally {
  for (const program of started) program.kill();
}
process.exit(code);
