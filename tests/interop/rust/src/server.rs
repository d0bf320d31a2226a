// SPDX-License-Identifier: MIT
//! What the paths of ../README.md do.

use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::mpsc;
use web_transport_quinn::proto::ConnectResponse;
use web_transport_quinn::{http, ReadError, ReadToEndError, RecvStream, Request, SendStream, ServerBuilder};
use web_transport_quinn::{Session, SessionError, WebTransportError};

use crate::bytes::{codes, digest_line, pattern, Result};
use crate::serving::{number, spawn, Query};
use crate::streams::{read_all, reset_early, send_uni, write_all, MOST};

const SERVED: [&str; 2] = ["interop-b", "interop-c"];
const PATHS: [&str; 6] = ["/echo", "/digest", "/source", "/resets", "/collect", "/close"];

/// Accepts streams of both kinds until the session ends; the sending half is None for a unidirectional one.
async fn each_stream<F>(session: Session, handle: impl Fn(Session, Option<SendStream>, RecvStream) -> F)
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            uni = session.accept_uni() => uni.map(|recv| (None, recv)),
            bidi = session.accept_bi() => bidi.map(|(send, recv)| (Some(send), recv)),
        };
        let Ok((send, recv)) = accepted else { return };
        spawn(handle(session.clone(), send, recv));
    }
}

async fn echo_stream(session: Session, send: Option<SendStream>, mut recv: RecvStream) -> Result<()> {
    let Some(mut send) = send else {
        return send_uni(&session, &read_all(recv).await?).await;
    };
    while let Some(chunk) = recv.read_chunk(65536, true).await? {
        send.write_all(&chunk.bytes).await?;
    }
    send.finish()?;
    Ok(())
}

async fn echo_datagrams(session: Session) -> Result<()> {
    while let Ok(data) = session.read_datagram().await {
        session.send_datagram(data)?;
    }
    Ok(())
}

async fn digest_stream(session: Session, send: Option<SendStream>, recv: RecvStream) -> Result<()> {
    let line = digest_line(&read_all(recv).await?);
    match send {
        Some(send) => write_all(send, &line).await,
        None => send_uni(&session, &line).await,
    }
}

async fn source(session: Session, query: &Query) -> Result<()> {
    let data = Arc::new(pattern(number(query, "bytes")? as usize));
    let is_uni = query.get("kind").is_some_and(|kind| kind == "uni");
    for _ in 0..number(query, "streams")? {
        let (session, data) = (session.clone(), data.clone());
        if is_uni {
            let send = session.open_uni().await?;
            spawn(async move { write_all(send, &data).await });
        } else {
            let (send, recv) = session.open_bi().await?;
            spawn(async move {
                write_all(send, &data).await?;
                read_all(recv).await.map(|_| ())
            });
        }
    }
    Ok(())
}

async fn resets(session: Session, query: &Query) -> Result<()> {
    for code in codes(number(query, "count")?) {
        reset_early(&session, true, code).await?;
    }
    Ok(())
}

async fn collect(session: Session, query: &Query) -> Result<()> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let streams = each_stream(session.clone(), move |_, send, mut recv| {
        let tell = tell.clone();
        async move {
            if let Err(ReadToEndError::ReadError(ReadError::Reset(code))) = recv.read_to_end(MOST).await {
                tell.send(code)?;
            }
            if let Some(mut send) = send {
                send.finish()?;
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

async fn serve(path: &str, session: Session, query: &Query) -> Result<()> {
    match path {
        "/echo" => {
            spawn(echo_datagrams(session.clone()));
            each_stream(session, echo_stream).await;
            Ok(())
        }
        "/digest" => {
            each_stream(session, digest_stream).await;
            Ok(())
        }
        "/source" => source(session, query).await,
        "/resets" => resets(session, query).await,
        "/collect" => collect(session, query).await,
        _ => {
            let reason = query.get("reason").map(String::as_str).unwrap_or_default();
            session.close(number(query, "code")?, reason.as_bytes());
            Ok(())
        }
    }
}

async fn run_session(request: Request) -> Result<()> {
    let url = request.url.clone();
    if !PATHS.contains(&url.path()) {
        let connection = request.conn().clone(); // without it the answer would be lost with the connection
        request.reject(http::StatusCode::NOT_FOUND).await?;
        connection.closed().await;
        return Ok(());
    }
    let mut response = ConnectResponse::OK;
    if let Some(chosen) = request
        .protocols
        .iter()
        .find(|offered| SERVED.contains(&offered.as_str()))
    {
        response = response.with_protocol(chosen.clone());
    }
    let session = request.respond(response).await?;
    let query: Query = url.query_pairs().into_owned().collect();
    let (work, ended) = tokio::join!(serve(url.path(), session.clone(), &query), session.closed());
    if let Err(why) = work {
        eprintln!("{}: {why}", url.path());
    }
    let (code, reason) = match ended {
        SessionError::WebTransportError(WebTransportError::Closed(code, reason)) => (code, reason),
        _ => (0, String::new()),
    };
    let path = &url[url::Position::BeforePath..];
    println!("closed {path} {code} {reason}");
    Ok(())
}

pub async fn run(port: u16, cert: &str, key: &str) -> Result<()> {
    let chain = CertificateDer::pem_file_iter(cert)?.collect::<std::result::Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let mut server = ServerBuilder::new()
        .with_addr((Ipv4Addr::LOCALHOST, port).into())
        .with_certificate(chain, key)?;
    let mut stop = signal(SignalKind::terminate())?;
    println!("ready {}", server.local_addr()?.port());
    loop {
        tokio::select! {
            request = server.accept() => match request {
                Some(request) => spawn(run_session(request)),
                None => return Ok(()),
            },
            _ = stop.recv() => return Ok(()),
        }
    }
}
