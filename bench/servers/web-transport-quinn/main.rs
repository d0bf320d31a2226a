// SPDX-License-Identifier: MIT
//! web-transport-quinn as a server of the benchmark: /echo, /sink, /source and /tick, as `webtransport serve` has them.
//! It is built with the interop peer, from the same versions of the same crates.
//!
//!     bench-server [--host ADDRESS] --port PORT --cert PEM --key PEM

use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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

/// A player of /tick: what came from it, which each tick tells (tools/webtransport/common/tick.h).
struct Player {
    session: Session,
    size: usize,
    next: AtomicU64,
    received: AtomicU64,
}

type Players = Arc<Mutex<Vec<Arc<Player>>>>;

static CLOCKS: Mutex<Vec<(u64, Players)>> = Mutex::new(Vec::new());

/// Sends a tick to all players at the same time. Those that have ended are left out from then on.
async fn clock(hz: u64, players: Players) -> Result<()> {
    let begun = tokio::time::Instant::now();
    for n in 0u64.. {
        let due = Duration::from_secs(n / hz) + Duration::from_nanos(n % hz * 1_000_000_000 / hz);
        tokio::time::sleep_until(begun + due).await;
        players.lock().unwrap().retain(|player| {
            let mut data = vec![0u8; player.size];
            data[..8].copy_from_slice(&n.to_be_bytes());
            data[8..16].copy_from_slice(&player.next.load(Relaxed).to_be_bytes());
            data[16..24].copy_from_slice(&player.received.load(Relaxed).to_be_bytes());
            player.session.send_datagram(data.into()).is_ok()
        });
    }
    Ok(())
}

fn players_of(hz: u64) -> Players {
    let mut clocks = CLOCKS.lock().unwrap();
    if let Some((_, players)) = clocks.iter().find(|(of, _)| *of == hz) {
        return players.clone();
    }
    let players = Players::default();
    clocks.push((hz, players.clone()));
    spawn(clock(hz, players.clone()));
    players
}

async fn tick(session: Session, query: &HashMap<String, String>) -> Result<()> {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or(60);
    let player = Arc::new(Player {
        session,
        size: number("bytes").clamp(24, 1024) as usize,
        next: AtomicU64::new(0),
        received: AtomicU64::new(0),
    });
    players_of(number("hz").clamp(1, 1000)).lock().unwrap().push(player.clone());
    loop {
        let data = player.session.read_datagram().await?;
        if let Some(head) = data.get(..8) {
            let number = u64::from_be_bytes(head.try_into()?);
            player.next.fetch_max(number.wrapping_add(1), Relaxed);
            player.received.fetch_add(1, Relaxed);
        }
    }
}

async fn serve(request: Request) -> Result<()> {
    let url = request.url.clone();
    let path = url.path();
    if !["/echo", "/sink", "/source", "/tick"].contains(&path) {
        request.reject(http::StatusCode::NOT_FOUND).await?;
        return Ok(());
    }
    let session = request.ok().await?;
    if path == "/source" {
        return source(session, &url.query_pairs().into_owned().collect()).await;
    }
    if path == "/tick" {
        return tick(session, &url.query_pairs().into_owned().collect()).await;
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
