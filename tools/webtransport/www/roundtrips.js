/* SPDX-License-Identifier: MIT
 *
 * Datagram round-trip times. Each measuring datagram carries its number and the time it left; the echo brings both
 * back. One that is not back after two seconds counts as lost.
 */
import { Chart } from './chart.js';
import { log } from './log.js';
import { $, bytes, millis, number } from './util.js';

const MAX_SAMPLES = 300;         // round trips in the chart and in the figures
const PING_LOST_AFTER_MS = 2000;
const PING_HEADER = 20;          // magic 4, run 4, number 4, time 8
const PING_MAGIC = 0x7774_7067;  // "wtpg"

const rttChart = new Chart($('rtt-chart'), 'ms');

export function startPings(attempt) {
  const size = Math.min($('ping-size').valueAsNumber || 100, attempt.transport.datagrams.maxDatagramSize);
  const run = crypto.getRandomValues(new Uint32Array(1))[0];
  const rate = Math.min(Math.max($('ping-rate').valueAsNumber || 20, 1), 200);
  attempt.pings = {
    run, size: Math.max(size, PING_HEADER), sent: 0, back: 0, lost: 0, samples: [], waiting: new Map(),
  };
  attempt.pings.timer = setInterval(() => sendPing(attempt), 1000 / rate);
  $('ping').textContent = 'Stop';
  log('event', 'datagram', `Measuring: ${number(rate)} datagrams a second, ${bytes(attempt.pings.size)} each`);
}

export function stopPings(attempt) {
  if (attempt.pings === null) return;
  clearInterval(attempt.pings.timer);
  const { sent, back } = attempt.pings;
  attempt.pings = null;
  $('ping').textContent = 'Start';
  log('event', 'datagram', `Measured: ${number(sent)} sent, ${number(back)} back`);
}

function sendPing(attempt) {
  const { pings } = attempt;
  const data = new Uint8Array(pings.size);
  const view = new DataView(data.buffer);
  const now = performance.now();
  view.setUint32(0, PING_MAGIC);
  view.setUint32(4, pings.run);
  view.setUint32(8, pings.sent);
  view.setFloat64(12, now);
  pings.waiting.set(pings.sent++, now);
  attempt.datagramWriter.write(data).catch(() => {});
  for (const [id, at] of pings.waiting) {
    if (now - at < PING_LOST_AFTER_MS) break;
    pings.waiting.delete(id);
    pings.lost++;
    addSample(pings, NaN);
  }
  showPings(pings);
}

/** Returns whether `value` is one of our measuring datagrams, of this run or an earlier one. */
export function receivePing(attempt, value) {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (value.length < PING_HEADER || view.getUint32(0) !== PING_MAGIC) return false;
  const { pings } = attempt;
  if (pings !== null && view.getUint32(4) === pings.run && pings.waiting.delete(view.getUint32(8))) {
    pings.back++;
    addSample(pings, performance.now() - view.getFloat64(12));
    showPings(pings);
  }
  return true;
}

function addSample(pings, value) {
  pings.samples.push(value);
  if (pings.samples.length > MAX_SAMPLES) pings.samples.shift();
}

function showPings(pings) {
  const sorted = pings.samples.filter(Number.isFinite).sort((a, b) => a - b);
  const rank = (part) => Math.min(sorted.length - 1, Math.floor(sorted.length * part));
  const at = (part) => (sorted.length === 0 ? '–' : millis(sorted[rank(part)]));
  const decided = pings.back + pings.lost;
  const loss = decided === 0 ? '–' : `${((100 * pings.lost) / decided).toFixed(1)} %`;
  $('rtt-min').textContent = at(0);
  $('rtt-median').textContent = at(0.5);
  $('rtt-p95').textContent = at(0.95);
  $('rtt-loss').textContent = loss;
  $('rtt-sent').textContent = number(pings.sent);
  const shown = pings.samples.length;
  rttChart.show(pings.samples, Math.max(60, shown), ['', `last ${number(shown)} round trips`]);
  $('rtt-chart').setAttribute('aria-label',
    `Round-trip times of ${shown} datagrams: min ${at(0)}, median ${at(0.5)}, 95th percentile ${at(0.95)}, ` +
      `lost ${loss}`);
}
