// SPDX-License-Identifier: MIT
//! The cases of ../README.md that web-transport-quinn can do as a client. Each returns when it passed.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;
use web_transport_quinn::proto::{self, ConnectRequest};
use web_transport_quinn::{http, ClientBuilder, ClientError, ConnectError};
use web_transport_quinn::{Client, ReadError, ReadToEndError, Session, SessionError, WebTransportError};

use crate::bytes::{check, codes, digest_line, pattern, Result, SIZES};
use crate::streams::{from_hex, read_all, reset_early, send_uni, write_all};

const DEADLINE: Duration = Duration::from_secs(28);
const LOST: Duration = Duration::from_secs(1);

struct Server {
    client: Client,
    url: Url,
}

impl Server {
    fn request(&self, path: &str) -> Result<ConnectRequest> {
        Ok(ConnectRequest::new(self.url.join(path)?))
    }

    async fn session(&self, path: &str) -> Result<Session> {
        Ok(self.client.connect(self.request(path)?).await?)
    }

    async fn offer(&self, protocols: &[&str]) -> Result<std::result::Result<Session, ClientError>> {
        let protocols = protocols.iter().map(|protocol| protocol.to_string());
        Ok(self
            .client
            .connect(self.request("/echo")?.with_protocols(protocols))
            .await)
    }
}

/// Sends `data` on a stream of ours while it reads what comes back: on it, or on a new one of the server.
async fn round_trip(session: &Session, is_uni: bool, data: &[u8]) -> Result<Vec<u8>> {
    if is_uni {
        send_uni(session, data).await?;
        return read_all(session.accept_uni().await?).await;
    }
    let (send, recv) = session.open_bi().await?;
    let (_, back) = tokio::try_join!(write_all(send, data), read_all(recv))?;
    Ok(back)
}

async fn echo_works(session: &Session) -> Result<()> {
    check(
        "the echo",
        round_trip(session, false, b"hello").await?,
        b"hello".to_vec(),
    )
}

/// Closes the session, and waits until the connection has ended with it.
async fn close(session: Session, code: u32, reason: &str) {
    session.close(code, reason.as_bytes());
    session.closed().await;
}

async fn handshake(server: &Server) -> Result<()> {
    let session = server.session("/echo").await?;
    echo_works(&session).await?;
    close(session, 0, "").await;
    Ok(())
}

async fn rejection(server: &Server) -> Result<()> {
    match server.client.connect(server.request("/nowhere")?).await {
        Err(ClientError::HttpError(ConnectError::ProtoError(proto::ConnectError::WrongStatus(Some(status))))) => {
            check("the status of /nowhere", status, http::StatusCode::NOT_FOUND)
        }
        Err(why) => Err(format!("/nowhere: {why:?}").into()),
        Ok(_) => Err("/nowhere was accepted".into()),
    }
}

async fn subprotocol(server: &Server) -> Result<()> {
    let session = server.offer(&["interop-a", "interop-b"]).await??;
    check("the subprotocol", session.protocol(), Some("interop-b"))?;
    match server.offer(&["interop-x"]).await? {
        Ok(session) => {
            check("the subprotocol that was not on offer", session.protocol(), None)?;
            echo_works(&session).await
        }
        Err(ClientError::HttpError(_)) => Ok(()),
        Err(why) => Err(why.into()),
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
        let session = server
            .session(&format!("/source?kind={kind}&bytes={size}&streams=1"))
            .await?;
        let recv = if is_uni {
            session.accept_uni().await?
        } else {
            let (mut send, recv) = session.accept_bi().await?;
            send.finish()?;
            recv
        };
        check(
            &format!("{size} bytes from the server"),
            read_all(recv).await?,
            pattern(size),
        )?;
    }
    let session = server.session("/echo").await?;
    check(
        "the echo",
        round_trip(&session, is_uni, &pattern(echo)).await?,
        pattern(echo),
    )
}

async fn datagrams(server: &Server) -> Result<()> {
    let session = server.session("/echo").await?;
    let (mut waiting, mut sent, mut good) = (HashSet::new(), 0_u16, 0);
    while sent < 100 || !waiting.is_empty() {
        while sent < 100 && waiting.len() < 8 {
            let mut data = sent.to_be_bytes().to_vec();
            data.extend(pattern(62));
            session.send_datagram(Bytes::from(data.clone()))?;
            waiting.insert(data);
            sent += 1;
        }
        match timeout(LOST, session.read_datagram()).await {
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
    let listed = String::from_utf8(read_all(session.accept_uni().await?).await?)?;
    let found = listed
        .lines()
        .map(str::parse)
        .collect::<std::result::Result<Vec<u32>, _>>()?;
    check("the server's list", found, codes(1000))
}

/// A stream's header is only read while somebody accepts: so each stream is read to its end elsewhere.
async fn resets_in(server: &Server) -> Result<()> {
    let session = server.session("/resets?count=1000").await?;
    let (mut readers, mut found) = (JoinSet::new(), Vec::new());
    while found.len() < 1000 {
        tokio::select! {
            stream = session.accept_uni() => {
                let mut stream = stream?;
                readers.spawn(async move { stream.read_to_end(1000).await });
            }
            Some(ended) = readers.join_next() => match ended? {
                Err(ReadToEndError::ReadError(ReadError::Reset(code))) => found.push(code),
                other => return Err(format!("a stream ended otherwise: {other:?}").into()),
            },
        }
    }
    found.sort_unstable();
    check("the codes", found, codes(1000))
}

async fn close_client(server: &Server) -> Result<()> {
    let session = server.session("/echo?case=close-client").await?;
    close(session, u32::MAX, "bye \u{2713}").await;
    Ok(())
}

async fn close_server(server: &Server) -> Result<()> {
    let session = server
        .session("/close?code=3735928559&reason=so%20long%20%E2%9C%93")
        .await?;
    match session.closed().await {
        SessionError::WebTransportError(WebTransportError::Closed(code, reason)) => {
            check("the code", code, 3735928559)?;
            check("the reason", reason.as_str(), "so long \u{2713}")
        }
        why => Err(format!("the session ended otherwise: {why:?}").into()),
    }
}

async fn case(name: &str, server: &Server) -> Result<()> {
    match name {
        "handshake" => handshake(server).await,
        "rejection" => rejection(server).await,
        "subprotocol" => subprotocol(server).await,
        "bidi" => transfers(server, false, 2097152).await,
        "uni" => transfers(server, true, 65536).await,
        "datagrams" => datagrams(server).await,
        "resets-out" => resets_out(server).await,
        "resets-in" => resets_in(server).await,
        "close-client" => close_client(server).await,
        "close-server" => close_server(server).await,
        _ => Err("no such case".into()),
    }
}

pub async fn run(name: &str, url: &str, hash: &str) -> Result<()> {
    let client = ClientBuilder::new().with_server_certificate_hashes(vec![from_hex(hash)?])?;
    let server = Server {
        client,
        url: Url::parse(url)?,
    };
    match timeout(DEADLINE, case(name, &server)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(format!("{name}: {why}").into()),
        Err(_) => Err(format!("{name}: not done after {} seconds", DEADLINE.as_secs()).into()),
    }
}
