/* SPDX-License-Identifier: MIT
 *
 * Small things: numbers as text, hashes, error texts.
 */
export const $ = (id) => document.getElementById(id);
export const CHUNK = 65536; // bytes per write

export const number = (value) => value.toLocaleString('en-US');
export const bytes = (value) => `${number(value)} ${value === 1 ? 'byte' : 'bytes'}`;
export const plural = (count, word) => `${number(count)} ${word}${count === 1 ? '' : 's'}`;
export const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function millis(value) {
  if (value < 10) return `${value.toFixed(2)} ms`;
  return value < 100 ? `${value.toFixed(1)} ms` : `${number(Math.round(value))} ms`;
}

export function quoted(text) {
  return text === '' ? 'no reason' : `“${text}”`;
}

export function randomBytes(length) {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += CHUNK) crypto.getRandomValues(out.subarray(at, at + CHUNK));
  return out;
}

export function startsWith(whole, part, at) {
  if (at + part.length > whole.length) return false;
  for (let i = 0; i < part.length; i++) if (whole[at + i] !== part[i]) return false;
  return true;
}

/** The first bytes as text if they are printable UTF-8, else in hex. */
export function preview(data) {
  const head = data.subarray(0, 160);
  const text = new TextDecoder().decode(head).replace(/\uFFFD+$/, data.length > head.length ? '' : '\uFFFD');
  if (!/[\u0000-\u0008\u000e-\u001f\uFFFD]/.test(text)) return text + (data.length > head.length ? '…' : '');
  const hex = Array.from(data.subarray(0, 24), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return hex + (data.length > 24 ? ' …' : '');
}

/** An application's error for abort() and cancel(). Chromium still has the constructor of an early draft. */
export function streamError(code) {
  try {
    return new WebTransportError('ended by the page', { streamErrorCode: code });
  } catch {
    return new WebTransportError({ message: 'ended by the page', streamErrorCode: code });
  }
}

export function describeError(error) {
  const code = error && error.streamErrorCode;
  if (code !== null && code !== undefined) return `code ${code}`;
  return (error && error.message) || String(error);
}

/** SHA-256 as 64 hex digits (colons allowed) or base64; null if it is neither. */
export function parseHash(text) {
  const plain = text.replace(/[\s:]/g, '');
  if (/^[0-9a-f]{64}$/i.test(plain)) return Uint8Array.from(plain.match(/../g), (pair) => parseInt(pair, 16));
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(plain)) return null;
  return Uint8Array.from(atob(plain), (char) => char.charCodeAt(0));
}

export const hexOf = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');
