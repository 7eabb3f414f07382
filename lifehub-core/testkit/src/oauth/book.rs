//! What an authorization server remembers: codes, tokens, and the families that they belong to.

use std::collections::HashMap;
use std::time::Duration;

use lifehub_core::clock::Timestamp;

use super::dialect::{Issued, Refused};
use super::pkce::{code_challenge, well_formed};
use super::rules::{OAuthRules, Pkce, Refresh};
use crate::seeded::Seeded;

/// What an access token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// The number of its family; none for a token that was admitted.
    pub family: Option<usize>,
    /// The scopes.
    pub scopes: Vec<String>,
    /// Until when it is good; `None` for ever.
    pub expires_at: Option<Timestamp>,
}

impl Grant {
    /// Whether it has that scope.
    pub fn allows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }
}

/// All that came of one consent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Family {
    /// The scopes that the user agreed to.
    pub scopes: Vec<String>,
    /// The newest access token, good or not.
    pub access_token: String,
    /// The newest refresh token, good or not.
    pub refresh_token: Option<String>,
    /// Whether all of its tokens are dead.
    pub revoked: bool,
}

/// What an authorization server was asked so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Calls of the token endpoint, refused ones included.
    pub token_calls: u64,
    /// Those of them that were refused.
    pub refused: u64,
    /// Codes that were exchanged.
    pub exchanges: u64,
    /// Refreshes that were granted.
    pub refreshes: u64,
    /// Those of them that were granted to a refresh token that had been replaced, within its leeway.
    pub in_leeway: u64,
    /// Those of them that came while the newest access token had more than a tenth of its life left, and more than a
    /// minute if that is less: an app that knows its tokens has no need of them.
    pub early: u64,
    /// Uses of a code that was spent, or of a refresh token that had been replaced, after its leeway.
    pub reuses: u64,
    /// Families that were revoked, for a reuse or because somebody asked.
    pub families_revoked: u64,
}

/// What was agreed to, until it is exchanged.
#[derive(Debug)]
pub(super) struct Agreed {
    pub(super) scopes: Vec<String>,
    /// As the app wrote it.
    pub(super) redirect: Option<String>,
    pub(super) challenge: Option<String>,
}

#[derive(Debug)]
struct Code {
    agreed: Agreed,
    issued: Timestamp,
    /// The family that it became.
    spent: Option<usize>,
}

#[derive(Debug)]
struct Access {
    grant: Grant,
    revoked: bool,
}

#[derive(Debug)]
struct RefreshToken {
    family: usize,
    expires: Option<Timestamp>,
    replaced: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Book {
    prefix: String,
    dice: Seeded,
    serial: u64,
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    admitted: HashMap<String, Vec<String>>,
    refresh: HashMap<String, RefreshToken>,
    pub(super) families: Vec<Family>,
    pub(super) tally: Tally,
}

impl Book {
    pub(super) fn new(prefix: &str, seed: u64) -> Self {
        Self {
            prefix: prefix.to_owned(),
            dice: Seeded::new(seed),
            serial: 0,
            codes: HashMap::new(),
            access: HashMap::new(),
            admitted: HashMap::new(),
            refresh: HashMap::new(),
            families: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Hands out a code for what the user agreed to.
    pub(super) fn agree(&mut self, agreed: Agreed, now: Timestamp) -> String {
        let code = self.draw("code");
        self.codes.insert(code.clone(), Code { agreed, issued: now, spent: None });
        code
    }

    /// Exchanges a code, once. A refusal leaves the code as it is.
    pub(super) fn exchange(
        &mut self,
        rules: &OAuthRules,
        code: &str,
        redirect: Option<&str>,
        verifier: Option<&str>,
        now: Timestamp,
    ) -> Result<Issued, Refused> {
        let known = self.codes.get_mut(code).ok_or(Refused::Code)?;
        if let Some(family) = known.spent {
            // RFC 6749, section 4.1.2: somebody else has it too.
            self.reused(rules, family);
            return Err(Refused::Code);
        }
        if now.since(known.issued) >= rules.code_lifetime {
            return Err(Refused::ExpiredCode);
        }
        let agreed = &known.agreed;
        if rules.exchange_names_redirect && agreed.redirect.as_deref() != redirect {
            return Err(Refused::Redirect);
        }
        let proven = match (&agreed.challenge, verifier) {
            (Some(challenge), Some(verifier)) => {
                well_formed(verifier) && code_challenge(verifier) == *challenge
            }
            (None, None) => true,
            _ => false,
        };
        if !proven && rules.pkce != Pkce::Ignored {
            return Err(Refused::Verifier);
        }
        known.spent = Some(self.families.len());
        let scopes = agreed.scopes.clone();
        self.tally.exchanges += 1;
        Ok(self.found(rules, scopes, now))
    }

    /// Begins a family with its first tokens.
    pub(super) fn found(&mut self, rules: &OAuthRules, scopes: Vec<String>, now: Timestamp) -> Issued {
        let family = self.families.len();
        self.families.push(Family {
            scopes: scopes.clone(),
            access_token: String::new(),
            refresh_token: None,
            revoked: false,
        });
        if rules.refresh != Refresh::Never {
            self.replace(rules, family, now);
        }
        Issued { first: true, ..self.issue(rules, family, scopes, now) }
    }

    /// Takes this access token for good from now on, whatever the time; it belongs to no family.
    pub(super) fn admit(&mut self, token: &str, scopes: Vec<String>) {
        self.admitted.insert(token.to_owned(), scopes);
    }

    /// Ends a token that was admitted. False if it was not.
    pub(super) fn dismiss(&mut self, token: &str) -> bool {
        self.admitted.remove(token).is_some()
    }

    /// Answers a refresh, for `scopes` or for all that its family has.
    pub(super) fn refresh(
        &mut self,
        rules: &OAuthRules,
        token: &str,
        scopes: Option<Vec<String>>,
        now: Timestamp,
    ) -> Result<Issued, Refused> {
        let known = self.refresh.get(token).ok_or(Refused::RefreshToken)?;
        let family = known.family;
        let own = self.families.get(family).filter(|own| !own.revoked).ok_or(Refused::RefreshToken)?;
        let late = known.replaced.is_some();
        if known.replaced.is_some_and(|at| now.since(at) >= rules.leeway) {
            self.reused(rules, family);
            return Err(Refused::RefreshToken);
        }
        if known.expires.is_some_and(|expires| now >= expires) {
            return Err(Refused::ExpiredRefreshToken);
        }
        let scopes = scopes.unwrap_or_else(|| own.scopes.clone());
        if scopes.iter().any(|scope| !own.scopes.contains(scope)) {
            return Err(Refused::Scope);
        }
        self.tally.refreshes += 1;
        self.tally.in_leeway += u64::from(late);
        self.tally.early += u64::from(self.has_time_left(rules, family, now));
        if let Some(kept) = self.kept(rules, family, &scopes, now) {
            return Ok(kept);
        }
        if rules.refresh == Refresh::Rotate {
            if let Some(old) = self.refresh.get_mut(token) {
                old.replaced.get_or_insert(now);
            }
            self.replace(rules, family, now);
        }
        Ok(self.issue(rules, family, scopes, now))
    }

    /// What that access token allows.
    pub(super) fn check(&self, token: &str, now: Timestamp) -> Result<Grant, Refused> {
        if let Some(scopes) = self.admitted.get(token) {
            return Ok(Grant { family: None, scopes: scopes.clone(), expires_at: None });
        }
        let known = self.access.get(token).ok_or(Refused::Token)?;
        let dead =
            known.grant.family.and_then(|own| self.families.get(own)).is_none_or(|family| family.revoked);
        if known.revoked || dead {
            return Err(Refused::Token);
        }
        if known.grant.expires_at.is_some_and(|expires| now >= expires) {
            return Err(Refused::ExpiredToken);
        }
        Ok(known.grant.clone())
    }

    /// The family of a token of either kind.
    pub(super) fn family_of(&self, token: &str) -> Option<usize> {
        let access = self.access.get(token).and_then(|known| known.grant.family);
        access.or_else(|| self.refresh.get(token).map(|known| known.family))
    }

    /// Kills one access token, or the whole family of a refresh token (RFC 7009, section 2.1).
    pub(super) fn revoke(&mut self, token: &str) {
        if let Some(access) = self.access.get_mut(token) {
            access.revoked = true;
        } else if let Some(family) = self.family_of(token) {
            self.revoke_family(family);
        } else {
            self.dismiss(token);
        }
    }

    /// Kills all tokens of a family. False if there is none, or it is dead.
    pub(super) fn revoke_family(&mut self, family: usize) -> bool {
        let alive = self.families.get_mut(family).filter(|family| !family.revoked);
        let Some(family) = alive else { return false };
        family.revoked = true;
        self.tally.families_revoked += 1;
        true
    }

    fn reused(&mut self, rules: &OAuthRules, family: usize) {
        self.tally.reuses += 1;
        if rules.reuse_revokes {
            self.revoke_family(family);
        }
    }

    fn has_time_left(&self, rules: &OAuthRules, family: usize, now: Timestamp) -> bool {
        let newest = self.families.get(family).and_then(|own| self.access.get(&own.access_token));
        let Some((access, life)) = newest.zip(rules.access_lifetime) else { return false };
        let needed = (life / 10).min(Duration::from_secs(60));
        !access.revoked && access.grant.expires_at.is_some_and(|end| end.since(now) > needed)
    }

    /// The newest tokens of a family once more, if its access token has enough time left.
    fn kept(&self, rules: &OAuthRules, family: usize, scopes: &[String], now: Timestamp) -> Option<Issued> {
        let (enough, own) = (rules.keep_while_left?, self.families.get(family)?);
        let grant = self.check(&own.access_token, now).ok().filter(|grant| grant.scopes == scopes)?;
        let lasts = grant.expires_at.is_none_or(|expires| expires.since(now) > enough);
        lasts.then(|| issued(rules, own, grant, now))
    }

    /// Gives a family a new access token.
    fn issue(&mut self, rules: &OAuthRules, family: usize, scopes: Vec<String>, now: Timestamp) -> Issued {
        let token = self.draw("access");
        let grant =
            Grant { family: Some(family), scopes, expires_at: rules.access_lifetime.map(|life| now + life) };
        self.access.insert(token.clone(), Access { grant: grant.clone(), revoked: false });
        let own = &mut self.families[family];
        own.access_token = token;
        issued(rules, own, grant, now)
    }

    /// Gives a family a new refresh token; those before it that were not used stay as they are.
    fn replace(&mut self, rules: &OAuthRules, family: usize, now: Timestamp) {
        let token = self.draw("refresh");
        let expires = rules.refresh_lifetime.map(|life| now + life);
        self.refresh.insert(token.clone(), RefreshToken { family, expires, replaced: None });
        self.families[family].refresh_token = Some(token);
    }

    /// A token that nothing else looks like: `strava-sim-refresh-` and 32 digits.
    fn draw(&mut self, kind: &str) -> String {
        self.serial += 1;
        let mut dice = self.dice.fork(self.serial);
        let mut half = || dice.whole(i64::MIN, i64::MAX);
        format!("{}-{kind}-{:016x}{:016x}", self.prefix, half(), half())
    }
}

/// The newest tokens of a family as an answer.
fn issued(rules: &OAuthRules, family: &Family, grant: Grant, now: Timestamp) -> Issued {
    Issued {
        access_token: family.access_token.clone(),
        expires_at: grant.expires_at,
        expires_in_s: grant.expires_at.map(|at| at.since(now).as_secs()),
        refresh_token: family.refresh_token.clone(),
        scope: grant.scopes.join(&rules.scope_separator.to_string()),
        first: false,
    }
}
