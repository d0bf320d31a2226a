// SPDX-License-Identifier: MIT
//! The command line of the peers in Rust, whose crates include the files of this folder.
//!
//!     interop-peer client --url https://127.0.0.1:PORT --case NAME --hash HEX
//!     interop-peer server --port PORT --cert PEM --key PEM

use std::collections::HashMap;
use std::process::ExitCode;

use crate::bytes::Result;

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

async fn run_role(
    role: &str,
    options: &HashMap<String, String>,
    client: impl AsyncFnOnce(&str, &str, &str) -> Result<()>,
    server: impl AsyncFnOnce(u16, &str, &str) -> Result<()>,
) -> Result<()> {
    let get = |name: &str| options.get(name).ok_or_else(|| format!("--{name} is missing\n{USAGE}"));
    match role {
        "client" => client(get("case")?, get("url")?, get("hash")?).await,
        "server" => server(get("port")?.parse()?, get("cert")?, get("key")?).await,
        _ => Err(USAGE.into()),
    }
}

/// Does what the command line asks for: `client` gets case, URL and hash, `server` port, certificate and key.
pub async fn run(
    client: impl AsyncFnOnce(&str, &str, &str) -> Result<()>,
    server: impl AsyncFnOnce(u16, &str, &str) -> Result<()>,
) -> ExitCode {
    let mut args = std::env::args().skip(1);
    let role = args.next().unwrap_or_default();
    let Some(options) = options(args) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run_role(&role, &options, client, server).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
