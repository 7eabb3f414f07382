//! Refusals as Rize words them: `{"errors": [{message, locations, extensions}]}`, whatever the status.
//!
//! The form is documented for a bad variable; the words and codes of the others are those of graphql-ruby, by whose
//! form Rize's server looks to be made.

use lifehub_testkit::SimResponse;
use serde_json::{Value, json};

/// Why a request is not answered.
#[derive(Debug)]
pub(super) enum Fault {
    /// What is wrong with the query: the error, in an answer of status 200 without `data`.
    Query(Value),
    /// A refusal before any query is read. Its words are not documented.
    Status(u16),
}

impl Fault {
    fn new(message: String, extensions: Value) -> Self {
        let locations = json!([{ "line": 1, "column": 1 }]);
        Self::Query(json!({ "message": message, "locations": locations, "extensions": extensions }))
    }

    pub(super) fn unreadable() -> Self {
        Self::new("Parse error on query".into(), json!({}))
    }

    pub(super) fn no_field(field: &str, kind: &str) -> Self {
        Self::new(
            format!("Field '{field}' doesn't exist on type '{kind}'"),
            json!({ "code": "undefinedField", "typeName": kind, "fieldName": field }),
        )
    }

    pub(super) fn selection(field: &str) -> Self {
        let text = format!("Field '{field}' must have selections, or must not have any");
        Self::new(text, json!({ "code": "selectionMismatch", "nodeName": field }))
    }

    pub(super) fn no_argument(field: &str, argument: &str) -> Self {
        Self::new(
            format!("Field '{field}' doesn't accept argument '{argument}'"),
            json!({ "code": "argumentNotAccepted", "name": field, "argumentName": argument }),
        )
    }

    pub(super) fn missing(field: &str, argument: &str) -> Self {
        Self::new(
            format!("Field '{field}' is missing required arguments: {argument}"),
            json!({ "code": "missingRequiredArguments", "name": field, "arguments": argument }),
        )
    }

    pub(super) fn undeclared(variable: &str) -> Self {
        let text = format!("Variable ${variable} is used but not declared");
        Self::new(text, json!({ "code": "variableNotDefined", "variableName": variable }))
    }

    pub(super) fn mismatch(variable: &str, declared: &str, argument: &str, kind: &str) -> Self {
        Self::new(
            format!("Type mismatch on variable ${variable} and argument {argument} ({declared} / {kind})"),
            json!({ "code": "variableMismatch", "variableName": variable, "argumentName": argument }),
        )
    }

    pub(super) fn bad_value(variable: &str, kind: &str, value: &Value) -> Self {
        let explanation = match value {
            Value::Null => "Expected value to not be null".to_owned(),
            value => format!("Could not coerce value {value} to {}", kind.trim_end_matches('!')),
        };
        Self::new(
            format!("Variable ${variable} of type {kind} was provided invalid value"),
            json!({ "value": value, "problems": [{ "path": [], "explanation": explanation }] }),
        )
    }

    /// What went wrong while the answer was made.
    pub(super) fn failed(member: &str) -> Value {
        json!({ "message": "Internal server error", "locations": [{ "line": 1, "column": 1 }], "path": [member] })
    }
}

impl From<Fault> for SimResponse {
    fn from(fault: Fault) -> Self {
        let (status, error) = match fault {
            Fault::Query(error) => (200, error),
            Fault::Status(status) => {
                let message = match status {
                    401 => "Unauthorized",
                    402 | 403 => "Your plan does not include access to the API",
                    404 => "Not found",
                    429 => "Too many requests",
                    _ => "Internal server error",
                };
                (status, json!({ "message": message }))
            }
        };
        Self::json(status, &json!({ "errors": [error] }))
    }
}
