// SPDX-License-Identifier: MIT
//! wtransport as a peer of ../run.py; ../README.md says what it is to do.
//!
//!     interop-peer client --url https://127.0.0.1:PORT --case NAME --hash HEX
//!     interop-peer server --port PORT --cert PEM --key PEM

mod client;
mod server;
mod shared;

use std::collections::HashMap;
use std::process::ExitCode;

const USAGE: &str = "usage: interop-peer client --url URL --case NAME --hash HEX
       interop-peer server --port PORT --cert PEM --key PEM";

/// The options after the role: pairs of a name with two dashes and a value.
fn options(mut args: impl Iterator<Item = String>) -> Option<HashMap<String, String>> {
    let mut found = HashMap::new();
    while let Some(name) = args.next() {
        found.insert(name.strip_prefix("--")?.to_string(), args.next()?);
    }
    Some(found)
}

async fn run(role: &str, options: &HashMap<String, String>) -> shared::Result<()> {
    let get = |name: &str| options.get(name).ok_or_else(|| format!("--{name} is missing\n{USAGE}"));
    match role {
        "client" => client::run(get("case")?, get("url")?, get("hash")?).await,
        "server" => server::run(get("port")?.parse()?, get("cert")?, get("key")?).await,
        _ => Err(USAGE.into()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let role = args.next().unwrap_or_default();
    let Some(options) = options(args) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&role, &options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
