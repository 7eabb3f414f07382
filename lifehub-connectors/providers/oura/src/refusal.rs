//! What Oura's refusals say beyond their status.

use lifehub_core::prelude::*;

const REFUSED: &[Refused] = &[
    Refused::on(
        403,
        ErrorKind::Forbidden,
        "Oura gives none of this data",
        "see in the Oura app whether the membership has ended; if not, connect the account again and leave every box ticked",
    ),
    Refused::on(
        426,
        ErrorKind::Forbidden,
        "the Oura app on the phone is too old for this data",
        "update the app and let it sync with the ring",
    ),
];

/// Reads a refusal by its status and, of a 401, by one word in `{"status": 401, "title": "…", "detail": "…"}`
/// (<https://cloud.ouraring.com/docs/error-handling>): a token that lacks a scope is refused like one that has ended, and
/// another token would lack it too.
pub(crate) fn read(answer: &Answer) -> Option<Error> {
    let names_scope = |member| {
        let text = answer.member_opt::<String>(member).ok().flatten();
        text.is_some_and(|text| text.to_ascii_lowercase().contains("scope"))
    };
    match answer.status.as_u16() {
        401 => (names_scope("detail") || names_scope("title")).then(missing_scope),
        _ => refused(answer, REFUSED),
    }
}

/// The consent does not open a collection.
pub(crate) fn missing_scope() -> Error {
    Error::new(ErrorKind::Forbidden, "the consent does not include what this stream needs").hint(
        "connect the account again and leave every box ticked; for an own app, switch its scopes on at Oura first; what is \
         stored stays",
    )
}
