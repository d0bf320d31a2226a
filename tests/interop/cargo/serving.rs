// SPDX-License-Identifier: MIT
//! What servers need for each path of ../README.md.

use std::collections::HashMap;
use std::future::Future;

use crate::bytes::Result;

pub type Query = HashMap<String, String>;

pub fn number(query: &Query, name: &str) -> Result<u32> {
    Ok(query
        .get(name)
        .ok_or_else(|| format!("no {name} in the query"))?
        .parse()?)
}

/// Runs `work` by itself; a failure is told, and is the client's to notice.
pub fn spawn(work: impl Future<Output = Result<()>> + Send + 'static) {
    tokio::spawn(async move {
        if let Err(why) = work.await {
            eprintln!("a stream: {why}");
        }
    });
}
