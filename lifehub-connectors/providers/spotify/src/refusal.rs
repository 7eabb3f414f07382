//! What Spotify's 403 means: a user whom the app does not know, a scope that is missing, or something that is not theirs.

use lifehub_core::prelude::*;

/// Reads a 403 by single words of its message. Of the message itself nothing is shown.
pub(crate) fn read(answer: &Answer) -> Option<Error> {
    let kind = answer.header("content-type").unwrap_or_default();
    // A web page is that of whoever stands between.
    if answer.status.as_u16() != 403 || kind.starts_with("text/html") {
        return None;
    }
    let message: String = answer.member("error.message").unwrap_or_default();
    let says = |word| message.to_ascii_lowercase().contains(word);
    let (text, hint, extent) = if says("registered") || !kind.starts_with("application/json") {
        // It comes as bare text, too, with a wording that has changed before.
        (
            "the Spotify app does not know this user",
            "an app in development mode serves up to five users whom its owner names: add the account's e-mail address \
             under User Management of the app at https://developer.spotify.com/dashboard, then sync again",
            Extent::Connection,
        )
    } else if says("scope") {
        (
            "the consent does not include what this stream needs",
            "connect the account again; what is stored stays",
            Extent::Stream,
        )
    } else {
        (
            "Spotify does not let this app or this user read that",
            "an app in development mode works while its owner has Spotify Premium, and reads the entries of playlists \
             that the user owns or works on; connecting again does not help",
            Extent::Partition,
        )
    };
    Some(Error::new(ErrorKind::Forbidden, text).hint(hint).stops(extent).with("status", 403))
}
