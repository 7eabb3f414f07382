//! Made-up routes in Google's polyline encoding, which Strava uses; backslashes and all.

use lifehub_testkit::Seeded;

/// A random walk from a place, encoded, of at least that many bytes (and a few more); nothing for zero.
pub(super) fn route(dice: &mut Seeded, start: [f64; 2], bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 12);
    if bytes == 0 {
        return text;
    }
    for degrees in start {
        // Five decimals fit into i64 by far.
        encode(&mut text, (degrees * 1e5).round() as i64);
    }
    while text.len() < bytes {
        encode(&mut text, dice.whole(-400, 400));
        encode(&mut text, dice.whole(-400, 400));
    }
    text
}

/// One number: zigzag, then five bits a character, the lowest first.
fn encode(text: &mut String, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)).unsigned_abs();
    while rest >= 0x20 {
        text.push(letter((rest & 0x1f) | 0x20));
        rest >>= 5;
    }
    text.push(letter(rest));
}

fn letter(bits: u64) -> char {
    // Six bits at most, so the sum stays in ASCII.
    char::from(u8::try_from(bits + 63).unwrap_or(b'?'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_encodings_documentation() {
        let mut text = String::new();
        for number in [3_850_000, -12_020_000, 220_000, -75_000, 255_200, -550_300] {
            encode(&mut text, number);
        }
        assert_eq!(text, "_p~iF~ps|U_ulLnnqC_mqNvxq`@");
    }
}
