// SPDX-License-Identifier: MIT
//! The bytes and codes of ../README.md that both ends know.

use ring::digest;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

pub const SIZES: [usize; 5] = [0, 1, 1000, 65536, 2097152];

pub fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * 31 + (i >> 8)) as u8).collect()
}

pub fn codes(count: u32) -> Vec<u32> {
    (0..count).map(|number| number * 4294967).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn digest_line(data: &[u8]) -> Vec<u8> {
    let hash = digest::digest(&digest::SHA256, data);
    format!("{} {}\n", data.len(), hex(hash.as_ref())).into_bytes()
}

/// Fails, with a short text, unless the client found what it wanted.
pub fn check<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    let brief = |value: T| format!("{value:?}").chars().take(100).collect::<String>();
    Err(format!("{what}: {} instead of {}", brief(found), brief(wanted)).into())
}
