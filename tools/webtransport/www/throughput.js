/* SPDX-License-Identifier: MIT
 *
 * How fast bytes move: a session to /source or /sink of its own, for as long as the measurement takes.
 */
import { Chart } from './chart.js';
import { serverCursor, serverReport } from './server.js';
import { transportOptions } from './session.js';
import { $, CHUNK, bytes, describeError, number, plural, randomBytes } from './util.js';

const speedChart = new Chart($('speed-chart'), 'MB/s');
let meter = null;  // the measurement under way

const rateText = (perSecond) => `${(perSecond / 1e6).toFixed(1)} MB/s`;

function showMeter(now) {
  const seconds = (now - meter.began) / 1000;
  const span = (now - meter.lastAt) / 1000;
  // A rest of a moment says nothing about speed, unless it is all there is.
  if (span > 0.05 || meter.rates.length === 0) {
    meter.rates.push((meter.moved - meter.lastMoved) / Math.max(span, 1e-3) / 1e6);
  }
  // Halving keeps the picture and the bound: each value then stands for twice the time.
  if (meter.rates.length > 400) meter.rates = meter.rates.filter((_, i) => i % 2 === 0);
  $('speed-now').textContent = meter.over ? '–' : rateText((meter.moved - meter.lastMoved) / Math.max(span, 1e-3));
  const average = rateText(meter.moved / Math.max(seconds, 1e-3));
  $('speed-average').textContent = average;
  $('speed-bytes').textContent = number(meter.moved);
  $('speed-progress').value = (100 * meter.moved) / meter.total;
  speedChart.show(meter.rates, Math.max(20, meter.rates.length), ['', `${seconds.toFixed(1)} s`]);
  $('speed-chart').setAttribute('aria-label',
    `${meter.name}: ${number(meter.moved)} bytes in ${seconds.toFixed(1)} seconds, ${average} on average`);
  meter.lastAt = now;
  meter.lastMoved = meter.moved;
}

function speedNote(words, bad = false) {
  $('speed-note').textContent = words;
  $('speed-note').classList.toggle('bad', bad);
}

async function measure(name, path, total, run) {
  const base = $('url').value.replace(/^(https:\/\/[^/]*).*$/, '$1');
  const url = base + path;
  const attempt = { url };
  let transport;
  try {
    if (typeof WebTransport === 'undefined') throw new Error('this browser has no WebTransport');
    const options = transportOptions($('hash').value, '');
    attempt.cursor = await serverCursor();
    transport = new WebTransport(url, options);
    transport.closed.catch(() => {});
    meter = { name, transport, total, moved: 0, rates: [], over: false, began: performance.now(), lastMoved: 0 };
    showMeterButtons();
    speedNote(`${name}: connecting to ${url}`);
    await transport.ready;
    speedNote(`${name} under way, on ${plural($('speed-streams').valueAsNumber, 'stream')}.`);
    meter.began = meter.lastAt = performance.now();
    meter.timer = setInterval(() => showMeter(performance.now()), 100);
    await run(transport);
    meter.over = true;
    const seconds = (performance.now() - meter.began) / 1000;
    showMeter(performance.now());
    speedNote(`${name}: ${bytes(meter.moved)} in ${seconds.toFixed(2)} s.`);
  } catch (error) {
    const why = meter?.stopped ? 'stopped' : describeError(error);
    speedNote(`${name}: ${why}.${meter?.stopped ? '' : ' Does the server answer above?'}`, !meter?.stopped);
    if (meter !== null) meter.over = true;
  }
  clearInterval(meter?.timer);
  transport?.close({ closeCode: 0, reason: 'measured' });
  meter = null;
  showMeterButtons();
  $('speed-server').textContent = '…';
  const report = transport ? await serverReport(attempt) : null;
  const counted = name === 'Upload' ? report?.bytes_in : report?.bytes_out;
  $('speed-server').textContent = counted === undefined ? '–' : number(counted);
}

/** Cuts `total` into as many streams as asked, of equal size; the last may be shorter by less than one byte each. */
function speedPlan() {
  const streams = Math.min(Math.max($('speed-streams').valueAsNumber || 1, 1), 64);
  const each = Math.max(1, Math.floor((($('speed-size').valueAsNumber || 1) * 1e6) / streams));
  return { streams, each, total: streams * each };
}

export function download() {
  const { streams, each, total } = speedPlan();
  $('speed-now-label').textContent = 'Download now';
  return measure('Download', `/source?bytes=${each}&streams=${streams}`, total, async (transport) => {
    const incoming = transport.incomingUnidirectionalStreams.getReader();
    const readers = [];
    for (let i = 0; i < streams; i++) {
      const { value: stream, done } = await incoming.read();
      if (done) throw new Error('the server ended the session early');
      readers.push(drain(stream.getReader()));
    }
    await Promise.all(readers);
    if (meter.moved !== total) throw new Error(`${number(meter.moved)} bytes came, ${number(total)} were asked for`);
  });
}

async function drain(reader) {
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    meter.moved += value.length;
  }
}

export function upload() {
  const { streams, each, total } = speedPlan();
  const chunk = randomBytes(CHUNK);
  $('speed-now-label').textContent = 'Upload now';
  return measure('Upload', '/sink', total, (transport) => Promise.all(Array.from({ length: streams }, async () => {
    const { readable, writable } = await transport.createBidirectionalStream();
    const writer = writable.getWriter();
    for (let left = each; left > 0; left -= CHUNK) {
      await writer.ready;
      const part = left < CHUNK ? chunk.subarray(0, left) : chunk;
      await writer.write(part);
      meter.moved += part.length;
    }
    writer.close().catch(() => {});
    // What is written need not have been sent, and some browsers drop the rest when a session closes: the server answers
    // once it has read the last byte.
    const reader = readable.getReader();
    while (!(await reader.read()).done);
  })));
}

function showMeterButtons() {
  const busy = meter !== null;
  $('download').textContent = busy && meter.name === 'Download' ? 'Stop' : 'Download';
  $('upload').textContent = busy && meter.name === 'Upload' ? 'Stop' : 'Upload';
  $('download').disabled = busy && meter.name !== 'Download';
  $('upload').disabled = busy && meter.name !== 'Upload';
}

export function toggleMeter(start) {
  if (meter === null) {
    start();
    return;
  }
  meter.stopped = true;
  meter.transport.close();
}
