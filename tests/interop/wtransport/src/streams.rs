// SPDX-License-Identifier: MIT
//! Reading and writing whole streams, and ending them early.

use tokio::task::yield_now;
use wtransport::error::StreamReadError;
use wtransport::{Connection, RecvStream, SendStream, VarInt};

use crate::bytes::{pattern, Result};

/// Where the codes of WebTransport's applications begin among those of HTTP/3; each 31st is left out.
const FIRST: u64 = 0x52e4a40fa8db;

/// wtransport has no codes of its own for streams: what it is given goes out as it is.
pub fn to_wire(code: u32) -> VarInt {
    let code = u64::from(code);
    VarInt::try_from_u64(FIRST + code + code / 0x1e).expect("it has 62 bits")
}

pub fn from_wire(wire: VarInt) -> Result<u32> {
    let shifted = wire
        .into_inner()
        .checked_sub(FIRST)
        .ok_or("no code of an application")?;
    Ok(u32::try_from(shifted - shifted / 0x1f)?)
}

pub async fn write_all(mut send: SendStream, data: &[u8]) -> Result<()> {
    send.write_all(data).await?;
    send.finish().await?;
    Ok(())
}

pub async fn read_all(recv: &mut RecvStream) -> std::result::Result<Vec<u8>, StreamReadError> {
    let (mut all, mut some) = (Vec::new(), vec![0; 65536]);
    while let Some(count) = recv.read(&mut some).await? {
        all.extend_from_slice(&some[..count]);
    }
    Ok(all)
}

/// A new unidirectional stream with these bytes.
pub async fn send_uni(session: &Connection, data: &[u8]) -> Result<()> {
    write_all(session.open_uni().await?.await?, data).await
}

/// Opens a stream, writes on it and resets it right after that; what can be read of it is the caller's to keep.
///
/// quinn does not send what it still has when a stream is reset, the session's id included. So this waits until a
/// frame has left; only in a runtime with one thread is it then the other task's turn.
pub async fn reset_early(session: &Connection, is_uni: bool, code: u32) -> Result<Option<RecvStream>> {
    let frames = || session.quic_connection().stats().frame_tx.stream;
    let before = frames();
    let (mut send, recv) = if is_uni {
        (session.open_uni().await?.await?, None)
    } else {
        let (send, recv) = session.open_bi().await?.await?;
        (send, Some(recv))
    };
    send.write_all(&pattern(100)).await?;
    while frames() == before {
        yield_now().await;
    }
    send.reset(to_wire(code))?;
    Ok(recv)
}
