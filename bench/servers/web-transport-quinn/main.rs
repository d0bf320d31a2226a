// SPDX-License-Identifier: MIT
//! web-transport-quinn as a server of the benchmark: /echo, /sink and /source, as `webtransport serve` has them.
//! It is built with the interop peer, from the same versions of the same crates.
//!
//!     bench-server [--host ADDRESS] --port PORT --cert PEM --key PEM

use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::net::Ipv4Addr;

use bytes::Bytes;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use web_transport_quinn::{http, RecvStream, Request, SendStream, ServerBuilder, Session};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const CHUNK: usize = 1 << 16;

/// Runs `work` by itself. How it fails does not matter: the load generator notices.
fn spawn(work: impl Future<Output = Result<()>> + Send + 'static) {
    tokio::spawn(async move {
        let _ = work.await;
    });
}

async fn echo_stream(mut send: SendStream, mut recv: RecvStream) -> Result<()> {
    while let Some(chunk) = recv.read_chunk(CHUNK, true).await? {
        send.write_chunk(chunk.bytes).await?;
    }
    send.finish()?;
    Ok(())
}

async fn echo_datagrams(session: Session) -> Result<()> {
    loop {
        session.send_datagram(session.read_datagram().await?)?;
    }
}

async fn sink_stream(mut send: SendStream, mut recv: RecvStream) -> Result<()> {
    let mut total = 0;
    while let Some(chunk) = recv.read_chunk(CHUNK, true).await? {
        total += chunk.bytes.len();
    }
    send.write_all(format!("{{\"bytes\":{total}}}").as_bytes()).await?;
    send.finish()?;
    Ok(())
}

/// The same bytes again and again, without a copy of them.
async fn source_stream(mut send: SendStream, mut left: u64, chunk: Bytes) -> Result<()> {
    while left > 0 {
        let len = left.min(CHUNK as u64);
        send.write_chunk(chunk.slice(..len as usize)).await?;
        left -= len;
    }
    send.finish()?;
    Ok(())
}

async fn source(session: Session, query: &HashMap<String, String>) -> Result<()> {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
    let chunk = Bytes::from(vec![0x5a; CHUNK]);
    spawn(echo_datagrams(session.clone()));
    for _ in 0..number("streams").unwrap_or(1) {
        let send = session.open_uni().await?;
        spawn(source_stream(send, number("bytes").unwrap_or(0), chunk.clone()));
    }
    session.closed().await;
    Ok(())
}

async fn serve(request: Request) -> Result<()> {
    let url = request.url.clone();
    let path = url.path();
    if !["/echo", "/sink", "/source"].contains(&path) {
        request.reject(http::StatusCode::NOT_FOUND).await?;
        return Ok(());
    }
    let session = request.ok().await?;
    if path == "/source" {
        return source(session, &url.query_pairs().into_owned().collect()).await;
    }
    if path == "/echo" {
        spawn(echo_datagrams(session.clone()));
    }
    loop {
        let (send, recv) = session.accept_bi().await?;
        if path == "/echo" {
            spawn(echo_stream(send, recv));
        } else {
            spawn(sink_stream(send, recv));
        }
    }
}

// One thread: the server has one core, and more threads would only cost it switches between them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let options: HashMap<&str, &str> = args
        .chunks_exact(2)
        .map(|pair| (pair[0].as_str(), pair[1].as_str()))
        .collect();
    let option = |name: &str| options.get(name).copied().ok_or(format!("{name} is missing"));
    let host: Ipv4Addr = options.get("--host").copied().unwrap_or("127.0.0.1").parse()?;
    let chain = CertificateDer::pem_file_iter(option("--cert")?)?.collect::<std::result::Result<Vec<_>, _>>()?;
    let mut server = ServerBuilder::new()
        .with_addr((host, option("--port")?.parse()?).into())
        .with_certificate(chain, PrivateKeyDer::from_pem_file(option("--key")?)?)?;
    println!("ready {}", server.local_addr()?.port());
    while let Some(request) = server.accept().await {
        spawn(serve(request));
    }
    Ok(())
}
