// SPDX-License-Identifier: MIT
//! Reading and writing whole streams, and ending them early.

use tokio::task::yield_now;
use web_transport_quinn::{RecvStream, SendStream, Session};

use crate::bytes::{pattern, Result};

pub const MOST: usize = 4194304;

pub fn from_hex(text: &str) -> Result<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return Err(format!("{text} is not hexadecimal").into());
    }
    let pairs = (0..text.len()).step_by(2);
    Ok(pairs
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16))
        .collect::<std::result::Result<_, _>>()?)
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
