// SPDX-License-Identifier: MIT
//! wtransport as a peer of ../run.py; ../README.md says what it is to do, and ../cargo has what peers in Rust share.

#[path = "../../cargo/bytes.rs"]
mod bytes;
mod client;
#[path = "../../cargo/command.rs"]
mod command;
mod server;
#[path = "../../cargo/serving.rs"]
mod serving;
mod streams;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    command::run(client::run, server::run).await
}
