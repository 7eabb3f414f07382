//! As much of GraphQL's language as a reader of Rize needs: one query with variables, aliases, arguments and nested
//! selections. Fragments, directives, lists and defaults are no part of it.

use std::collections::VecDeque;

use serde_json::Value;

/// A query.
#[derive(Debug)]
pub(super) struct Query {
    /// The declared variables: their names and types, `ISO8601Date!`.
    pub(super) variables: Vec<(String, String)>,
    pub(super) fields: Vec<Field>,
}

/// A field that is asked for.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) alias: Option<String>,
    pub(super) name: String,
    pub(super) arguments: Vec<(String, Argument)>,
    /// What is asked for of it; empty for a scalar.
    pub(super) fields: Vec<Field>,
}

/// The value of an argument.
#[derive(Debug)]
pub(super) enum Argument {
    Variable(String),
    Literal(Value),
}

impl Field {
    /// The name under which it is answered.
    pub(super) fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

impl Query {
    /// Reads a query; nothing if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut tokens = Tokens::read(text)?;
        let mut variables = Vec::new();
        if tokens.take("query") {
            if tokens.peek().is_some_and(is_word) {
                tokens.word()?;
            }
            if tokens.take("(") {
                while !tokens.take(")") {
                    tokens.expect("$")?;
                    let name = tokens.word()?;
                    tokens.expect(":")?;
                    let mark = |tokens: &mut Tokens<'_>| if tokens.take("!") { "!" } else { "" };
                    variables.push((name, format!("{}{}", tokens.word()?, mark(&mut tokens))));
                }
            }
        }
        let fields = tokens.fields()?;
        tokens.0.is_empty().then_some(Self { variables, fields })
    }
}

/// Words, texts with their quotes, and signs.
struct Tokens<'a>(VecDeque<&'a str>);

impl<'a> Tokens<'a> {
    fn read(mut text: &'a str) -> Option<Self> {
        let mut tokens = VecDeque::new();
        loop {
            text = text.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            let Some(first) = text.chars().next() else { return Some(Self(tokens)) };
            let length = match first {
                '{' | '}' | '(' | ')' | ':' | '!' | '$' => 1,
                '"' => text.get(1..)?.find('"')? + 2,
                _ => text.find(|c| !is_word_sign(c)).unwrap_or(text.len()),
            };
            if length == 0 {
                return None;
            }
            let (token, rest) = text.split_at(length);
            tokens.push_back(token);
            text = rest;
        }
    }

    fn peek(&self) -> Option<&'a str> {
        self.0.front().copied()
    }

    fn take(&mut self, token: &str) -> bool {
        let there = self.peek() == Some(token);
        if there {
            self.0.pop_front();
        }
        there
    }

    fn expect(&mut self, token: &str) -> Option<()> {
        self.take(token).then_some(())
    }

    fn word(&mut self) -> Option<String> {
        self.0.pop_front().filter(|token| is_word(token)).map(str::to_owned)
    }

    /// A selection in braces, which is never empty.
    fn fields(&mut self) -> Option<Vec<Field>> {
        self.expect("{")?;
        let mut fields = vec![self.field()?];
        while !self.take("}") {
            fields.push(self.field()?);
        }
        Some(fields)
    }

    fn field(&mut self) -> Option<Field> {
        let first = self.word()?;
        let (alias, name) = if self.take(":") { (Some(first), self.word()?) } else { (None, first) };
        let mut arguments = Vec::new();
        if self.take("(") {
            while !self.take(")") {
                let name = self.word()?;
                self.expect(":")?;
                arguments.push((name, self.argument()?));
            }
        }
        let fields = if self.peek() == Some("{") { self.fields()? } else { Vec::new() };
        Some(Field { alias, name, arguments, fields })
    }

    fn argument(&mut self) -> Option<Argument> {
        if self.take("$") {
            return self.word().map(Argument::Variable);
        }
        let token = self.0.pop_front()?;
        // A bare word is one of an enumeration.
        let value = serde_json::from_str(token).unwrap_or_else(|_| Value::from(token));
        Some(Argument::Literal(value))
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(is_word_sign)
}

fn is_word_sign(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
