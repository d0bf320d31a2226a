// SPDX-License-Identifier: MIT
//! What the paths of ../README.md do. /close is missing: wtransport cannot send a code.

use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::mpsc;
use url::Url;
use wtransport::endpoint::IncomingSession;
use wtransport::error::{ConnectionError, StreamReadError};
use wtransport::{Connection, Endpoint, Identity, RecvStream, SendStream, ServerConfig};

use crate::bytes::{codes, digest_line, pattern, Result};
use crate::serving::{number, spawn, Query};
use crate::streams::{from_wire, read_all, reset_early, send_uni, write_all};

const SERVED: [&str; 2] = ["\"interop-b\"", "\"interop-c\""];
const PATHS: [&str; 5] = ["/echo", "/digest", "/source", "/resets", "/collect"];

/// Accepts streams of both kinds until the session ends, and returns why it did; the sending half is None for a
/// unidirectional one. `Connection::closed` does not tell the code of a capsule.
async fn each_stream<F>(
    session: Arc<Connection>,
    handle: impl Fn(Arc<Connection>, Option<SendStream>, RecvStream) -> F,
) -> ConnectionError
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            uni = session.accept_uni() => uni.map(|recv| (None, recv)),
            bidi = session.accept_bi() => bidi.map(|(send, recv)| (Some(send), recv)),
        };
        match accepted {
            Ok((send, recv)) => spawn(handle(session.clone(), send, recv)),
            Err(why) => return why,
        }
    }
}

async fn echo_stream(session: Arc<Connection>, send: Option<SendStream>, mut recv: RecvStream) -> Result<()> {
    let Some(mut send) = send else {
        return send_uni(&session, &read_all(&mut recv).await?).await;
    };
    let mut some = vec![0; 65536];
    while let Some(count) = recv.read(&mut some).await? {
        send.write_all(&some[..count]).await?;
    }
    send.finish().await?;
    Ok(())
}

async fn echo_datagrams(session: Arc<Connection>) -> Result<()> {
    while let Ok(data) = session.receive_datagram().await {
        session.send_datagram(data.payload())?;
    }
    Ok(())
}

async fn digest_stream(session: Arc<Connection>, send: Option<SendStream>, mut recv: RecvStream) -> Result<()> {
    let line = digest_line(&read_all(&mut recv).await?);
    match send {
        Some(send) => write_all(send, &line).await,
        None => send_uni(&session, &line).await,
    }
}

async fn source(session: Arc<Connection>, query: &Query) -> Result<()> {
    let data = Arc::new(pattern(number(query, "bytes")? as usize));
    let is_uni = query.get("kind").is_some_and(|kind| kind == "uni");
    for _ in 0..number(query, "streams")? {
        let (session, data) = (session.clone(), data.clone());
        if is_uni {
            let send = session.open_uni().await?.await?;
            spawn(async move { write_all(send, &data).await });
        } else {
            let (send, mut recv) = session.open_bi().await?.await?;
            spawn(async move {
                write_all(send, &data).await?;
                read_all(&mut recv).await?;
                Ok(())
            });
        }
    }
    Ok(())
}

async fn resets(session: Arc<Connection>, query: &Query) -> Result<()> {
    for code in codes(number(query, "count")?) {
        reset_early(&session, true, code).await?;
    }
    Ok(())
}

async fn collect(session: Arc<Connection>, query: &Query) -> Result<()> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let streams = each_stream(session.clone(), move |_, send, mut recv| {
        let tell = tell.clone();
        async move {
            if let Err(StreamReadError::Reset(code)) = read_all(&mut recv).await {
                tell.send(from_wire(code)?)?;
            }
            if let Some(mut send) = send {
                send.finish().await?;
            }
            Ok(())
        }
    });
    let count = number(query, "count")? as usize;
    let list = async {
        let mut found = Vec::new();
        while found.len() < count {
            found.extend(told.recv().await);
        }
        found.sort_unstable();
        let lines: String = found.iter().map(|code| format!("{code}\n")).collect();
        send_uni(&session, lines.as_bytes()).await
    };
    tokio::join!(streams, list).1
}

/// Until the session ends.
async fn serve(path: &str, session: Arc<Connection>, query: &Query) -> Result<ConnectionError> {
    match path {
        "/echo" => {
            spawn(echo_datagrams(session.clone()));
            return Ok(each_stream(session, echo_stream).await);
        }
        "/digest" => return Ok(each_stream(session, digest_stream).await),
        "/source" => source(session.clone(), query).await?,
        "/resets" => resets(session.clone(), query).await?,
        _ => collect(session.clone(), query).await?,
    }
    Ok(session.closed().await)
}

async fn run_session(incoming: IncomingSession) -> Result<()> {
    let request = incoming.await?;
    let path = request.path().to_string();
    let url = Url::parse("https://localhost")?.join(&path)?;
    if !PATHS.contains(&url.path()) {
        request.not_found().await;
        return Ok(());
    }
    let offered = request.headers().get("wt-available-protocols");
    let chosen = offered.and_then(|list| list.split(',').map(str::trim).find(|name| SERVED.contains(name)));
    let headers = chosen.map(|name| ("wt-protocol", name.to_string()));
    let session = Arc::new(request.accept_with_headers(headers).await?);
    let query: Query = url.query_pairs().into_owned().collect();
    match serve(url.path(), session, &query).await? {
        ConnectionError::ApplicationClosed(close) => {
            let reason = String::from_utf8_lossy(close.reason());
            println!("closed {path} {} {reason}", close.code());
        }
        _ => println!("closed {path} 0 "),
    }
    Ok(())
}

pub async fn run(port: u16, cert: &str, key: &str) -> Result<()> {
    let config = ServerConfig::builder()
        .with_bind_address((Ipv4Addr::LOCALHOST, port).into())
        .with_identity(Identity::load_pemfiles(cert, key).await?)
        .build();
    let server = Endpoint::server(config)?;
    let mut stop = signal(SignalKind::terminate())?;
    println!("ready {}", server.local_addr()?.port());
    loop {
        tokio::select! {
            incoming = server.accept() => spawn(run_session(incoming)),
            _ = stop.recv() => return Ok(()),
        }
    }
}
