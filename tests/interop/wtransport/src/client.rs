// SPDX-License-Identifier: MIT
//! The cases of ../README.md that wtransport can do as a client. Each returns when it passed.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use wtransport::endpoint::endpoint_side::Client;
use wtransport::error::{ConnectingError, ConnectionError, StreamReadError};
use wtransport::tls::{Sha256Digest, Sha256DigestFmt};
use wtransport::{ClientConfig, Connection, Endpoint, VarInt};

use crate::bytes::{check, codes, digest_line, pattern, Result, SIZES};
use crate::streams::{from_wire, read_all, reset_early, send_uni, write_all};

const DEADLINE: Duration = Duration::from_secs(28);
const LOST: Duration = Duration::from_secs(1);

struct Server {
    endpoint: Endpoint<Client>,
    url: String,
}

impl Server {
    async fn session(&self, path: &str) -> std::result::Result<Connection, ConnectingError> {
        self.endpoint.connect(format!("{}{path}", self.url)).await
    }
}

/// Sends `data` on a stream of ours while it reads what comes back: on it, or on a new one of the server.
async fn round_trip(session: &Connection, is_uni: bool, data: &[u8]) -> Result<Vec<u8>> {
    if is_uni {
        send_uni(session, data).await?;
        return Ok(read_all(&mut session.accept_uni().await?).await?);
    }
    let (send, mut recv) = session.open_bi().await?.await?;
    let reading = async { Ok(read_all(&mut recv).await?) };
    let (_, back) = tokio::try_join!(write_all(send, data), reading)?;
    Ok(back)
}

/// Closes the session, which here is the connection, and waits until that has gone out.
async fn close(server: &Server, session: Connection) {
    session.close(VarInt::from_u32(0), b"");
    server.endpoint.wait_idle().await;
}

async fn handshake(server: &Server) -> Result<()> {
    let session = server.session("/echo").await?;
    let back = round_trip(&session, false, b"hello").await?;
    check("the echo", back, b"hello".to_vec())?;
    close(server, session).await;
    Ok(())
}

/// The status is not told.
async fn rejection(server: &Server) -> Result<()> {
    match server.session("/nowhere").await {
        Err(ConnectingError::SessionRejected) => Ok(()),
        Err(why) => Err(format!("/nowhere: {why:?}").into()),
        Ok(_) => Err("/nowhere was accepted".into()),
    }
}

async fn transfers(server: &Server, is_uni: bool, echo: usize) -> Result<()> {
    let session = server.session("/digest").await?;
    for size in SIZES {
        let data = pattern(size);
        let found = round_trip(&session, is_uni, &data).await?;
        check(&format!("the digest of {size} bytes"), found, digest_line(&data))?;
    }
    for size in SIZES {
        let kind = if is_uni { "uni" } else { "bidi" };
        let path = format!("/source?kind={kind}&bytes={size}&streams=1");
        let session = server.session(&path).await?;
        let mut recv = if is_uni {
            session.accept_uni().await?
        } else {
            let (mut send, recv) = session.accept_bi().await?;
            send.finish().await?;
            recv
        };
        let found = read_all(&mut recv).await?;
        check(&format!("{size} bytes from the server"), found, pattern(size))?;
    }
    let session = server.session("/echo").await?;
    let back = round_trip(&session, is_uni, &pattern(echo)).await?;
    check("the echo", back, pattern(echo))
}

async fn datagrams(server: &Server) -> Result<()> {
    let session = server.session("/echo").await?;
    let (mut waiting, mut sent, mut good) = (HashSet::new(), 0_u16, 0);
    while sent < 100 || !waiting.is_empty() {
        while sent < 100 && waiting.len() < 8 {
            let mut data = sent.to_be_bytes().to_vec();
            data.extend(pattern(62));
            session.send_datagram(&data)?;
            waiting.insert(data);
            sent += 1;
        }
        match timeout(LOST, session.receive_datagram()).await {
            Ok(data) => good += usize::from(waiting.remove(&data?[..])),
            Err(_) => waiting.clear(),
        }
    }
    if good < 95 {
        return Err(format!("{good} of 100 datagrams came back").into());
    }
    Ok(())
}

async fn resets_out(server: &Server) -> Result<()> {
    let session = server.session("/collect?count=1000").await?;
    let mut kept = Vec::new();
    for (number, code) in codes(1000).into_iter().enumerate() {
        kept.push(reset_early(&session, number % 2 == 0, code).await?);
    }
    let listed = String::from_utf8(read_all(&mut session.accept_uni().await?).await?)?;
    let found = listed
        .lines()
        .map(str::parse)
        .collect::<std::result::Result<Vec<u32>, _>>()?;
    check("the server's list", found, codes(1000))
}

async fn resets_in(server: &Server) -> Result<()> {
    let session = server.session("/resets?count=1000").await?;
    let (mut readers, mut found) = (JoinSet::new(), Vec::new());
    while found.len() < 1000 {
        tokio::select! {
            stream = session.accept_uni() => {
                let mut stream = stream?;
                readers.spawn(async move { read_all(&mut stream).await });
            }
            Some(ended) = readers.join_next() => match ended? {
                Err(StreamReadError::Reset(code)) => found.push(from_wire(code)?),
                other => return Err(format!("a stream ended otherwise: {other:?}").into()),
            },
        }
    }
    found.sort_unstable();
    check("the codes", found, codes(1000))
}

/// `Connection::closed` does not tell what a capsule said; waiting for a stream does.
async fn close_server(server: &Server) -> Result<()> {
    let session = server
        .session("/close?code=3735928559&reason=so%20long%20%E2%9C%93")
        .await?;
    match session.accept_uni().await {
        Ok(_) => Err("the session has a stream".into()),
        Err(ConnectionError::ApplicationClosed(close)) => {
            check("the code", close.code().into_inner(), 3735928559)?;
            check("the reason", close.reason(), "so long \u{2713}".as_bytes())
        }
        Err(why) => Err(format!("the session ended otherwise: {why:?}").into()),
    }
}

async fn case(name: &str, server: &Server) -> Result<()> {
    match name {
        "handshake" => handshake(server).await,
        "rejection" => rejection(server).await,
        "bidi" => transfers(server, false, 2097152).await,
        "uni" => transfers(server, true, 65536).await,
        "datagrams" => datagrams(server).await,
        "resets-out" => resets_out(server).await,
        "resets-in" => resets_in(server).await,
        "close-server" => close_server(server).await,
        _ => Err("no such case".into()),
    }
}

pub async fn run(name: &str, url: &str, hash: &str) -> Result<()> {
    let pairs: Vec<&str> = (0..hash.len()).step_by(2).map(|i| &hash[i..i + 2]).collect();
    let digest = Sha256Digest::from_str_fmt(pairs.join(":"), Sha256DigestFmt::DottedHex)?;
    let config = ClientConfig::builder()
        .with_bind_address((Ipv4Addr::LOCALHOST, 0).into())
        .with_server_certificate_hashes([digest])
        .build();
    let server = Server {
        endpoint: Endpoint::client(config)?,
        url: url.to_string(),
    };
    match timeout(DEADLINE, case(name, &server)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(format!("{name}: {why}").into()),
        Err(_) => Err(format!("{name}: not done after {} seconds", DEADLINE.as_secs()).into()),
    }
}
