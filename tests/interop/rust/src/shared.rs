// SPDX-License-Identifier: MIT
//! The bytes and codes of ../README.md that both ends know, and reading and writing whole streams.

use ring::digest;
use tokio::task::yield_now;
use web_transport_quinn::{RecvStream, SendStream, Session};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

pub const SIZES: [usize; 5] = [0, 1, 1000, 65536, 2097152];
pub const MOST: usize = 4194304;

pub fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * 31 + (i >> 8)) as u8).collect()
}

pub fn codes(count: u32) -> Vec<u32> {
    (0..count).map(|number| number * 4294967).collect()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn from_hex(text: &str) -> Result<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return Err(format!("{text} is not hexadecimal").into());
    }
    let pairs = (0..text.len()).step_by(2);
    Ok(pairs
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16))
        .collect::<std::result::Result<_, _>>()?)
}

pub fn digest_line(data: &[u8]) -> Vec<u8> {
    let hash = digest::digest(&digest::SHA256, data);
    format!("{} {}\n", data.len(), hex(hash.as_ref())).into_bytes()
}

pub async fn write_all(mut send: SendStream, data: &[u8]) -> Result<()> {
    send.write_all(data).await?;
    send.finish()?;
    Ok(())
}

pub async fn read_all(mut recv: RecvStream) -> Result<Vec<u8>> {
    Ok(recv.read_to_end(MOST).await?)
}

/// A new unidirectional stream with these bytes.
pub async fn send_uni(session: &Session, data: &[u8]) -> Result<()> {
    write_all(session.open_uni().await?, data).await
}

/// Opens a stream, writes on it and resets it right after that; what can be read of it is the caller's to keep.
///
/// quinn does not send what it still has when a stream is reset, the session's id included. So this waits until a
/// frame has left; only in a runtime with one thread is it then the other task's turn.
pub async fn reset_early(session: &Session, is_uni: bool, code: u32) -> Result<Option<RecvStream>> {
    let frames = || (**session).stats().frame_tx.stream;
    let (mut send, recv) = if is_uni {
        (session.open_uni().await?, None)
    } else {
        let (send, recv) = session.open_bi().await?;
        (send, Some(recv))
    };
    let before = frames();
    send.write_all(&pattern(100)).await?;
    while frames() == before {
        yield_now().await;
    }
    send.reset(code)?;
    Ok(recv)
}
