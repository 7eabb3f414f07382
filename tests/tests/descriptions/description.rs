//! API descriptions in the three forms in which providers publish them: OpenAPI 3, Swagger 2, and Google's discovery
//! documents.

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::schema::{Root, fits};

/// The operations of one API.
#[derive(Debug)]
pub(crate) struct Description {
    document: Value,
    operations: Vec<Operation>,
}

#[derive(Debug)]
struct Operation {
    method: String,
    /// Parts between slashes; a part in braces stands for any.
    path: Vec<String>,
    parameters: Vec<Parameter>,
}

#[derive(Debug, Clone)]
struct Parameter {
    name: String,
    place: String,
    required: bool,
    repeated: bool,
    schema: Value,
}

impl Description {
    /// Reads JSON or YAML.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let document: Value = match text.trim_start().starts_with('{') {
            true => serde_json::from_str(text).map_err(|e| e.to_string())?,
            false => serde_saphyr::from_str(text).map_err(|e| e.to_string())?,
        };
        let mut operations = Vec::new();
        if document.get("discoveryVersion").is_some() {
            discovered(&document, &document, &mut operations);
        } else {
            described(&document, &mut operations);
        }
        match operations.is_empty() {
            true => Err("it describes no operation".to_owned()),
            false => Ok(Self { document, operations }),
        }
    }

    /// How many operations it has.
    pub(crate) fn len(&self) -> usize {
        self.operations.len()
    }

    /// What is wrong with a request, by this description.
    pub(crate) fn check(&self, method: &str, path: &str, query: &str) -> Vec<String> {
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        let candidates = self.operations.iter().filter(|op| op.method.eq_ignore_ascii_case(method));
        let mut fitting: Vec<&Operation> = candidates.filter(|op| op.matches(&parts)).collect();
        // A part that is written out is meant before one that stands for any.
        fitting.sort_by_key(|op| op.path.iter().filter(|part| is_any(part)).count());
        let Some(operation) = fitting.first() else {
            return vec![format!("{method} {path} is no operation")];
        };
        let name = format!("{method} /{}", operation.path.join("/"));
        let root = Root(&self.document);
        let mut faults = Vec::new();
        for (part, value) in operation.path.iter().zip(&parts).filter(|(part, _)| is_any(part)) {
            let own = part.trim_matches(['{', '}', '+']);
            let parameter = operation.parameters.iter().find(|p| p.place == "path" && p.name == own);
            if let Some(fault) = parameter.and_then(|p| fits(root, &p.schema, value).err()) {
                faults.push(format!("{name}: {own} in the path: {fault}"));
            }
        }
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        for (key, value) in &pairs {
            let known = operation.parameters.iter().find(|p| p.place == "query" && p.name == *key);
            let Some(parameter) = known else {
                faults.push(format!("{name}: there is no parameter {key}"));
                continue;
            };
            if !parameter.repeated && pairs.iter().filter(|(other, _)| other == key).count() > 1 {
                faults.push(format!("{name}: {key} stands twice"));
            }
            if let Err(fault) = fits(root, &parameter.schema, value) {
                faults.push(format!("{name}: {key}: {fault}"));
            }
        }
        for parameter in operation.parameters.iter().filter(|p| p.place == "query" && p.required) {
            if !pairs.iter().any(|(key, _)| *key == parameter.name) {
                faults.push(format!("{name}: {} is missing", parameter.name));
            }
        }
        faults
    }
}

impl Operation {
    fn matches(&self, parts: &[String]) -> bool {
        self.path.len() == parts.len()
            && self.path.iter().zip(parts).all(|(own, part)| is_any(own) || own == part)
    }
}

fn is_any(part: &str) -> bool {
    part.starts_with('{') && part.ends_with('}')
}

fn decoded(part: &str) -> String {
    // As a query, but for the plus sign, which stands for itself in a path.
    let pair = format!("x={}", part.replace('+', "%2B"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn parts(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// OpenAPI 3 and Swagger 2.
fn described(document: &Value, operations: &mut Vec<Operation>) {
    let root = Root(document);
    let none = Map::new();
    for (path, item) in document["paths"].as_object().unwrap_or(&none) {
        let shared = item["parameters"].as_array().cloned().unwrap_or_default();
        for method in ["get", "post", "put", "patch", "delete"] {
            let Some(operation) = item.get(method) else { continue };
            let own = operation["parameters"].as_array().cloned().unwrap_or_default();
            let parameters =
                own.iter().chain(&shared).map(|parameter| parameter_of(root.resolved(parameter)));
            operations.push(Operation {
                method: method.to_ascii_uppercase(),
                path: parts(path),
                parameters: parameters.collect(),
            });
        }
    }
}

fn parameter_of(value: &Value) -> Parameter {
    // Swagger 2 writes the schema's members beside the parameter's.
    let schema = value.get("schema").unwrap_or(value).clone();
    let repeated =
        schema["type"] == "array" && value["explode"] != false && value["collectionFormat"] != "csv";
    Parameter {
        name: value["name"].as_str().unwrap_or_default().to_owned(),
        place: value["in"].as_str().unwrap_or_default().to_owned(),
        required: value["required"] == true,
        repeated,
        schema,
    }
}

/// Google's discovery documents: resources in resources, with methods.
fn discovered(document: &Value, resource: &Value, operations: &mut Vec<Operation>) {
    let none = Map::new();
    let base = document["servicePath"].as_str().unwrap_or_default();
    for method in resource["methods"].as_object().unwrap_or(&none).values() {
        let path = method["flatPath"].as_str().or(method["path"].as_str()).unwrap_or_default();
        let of = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let all = of(&method["parameters"]).into_iter().chain(of(&document["parameters"]));
        let parameters = all.map(|(name, schema)| Parameter {
            name,
            place: schema["location"].as_str().unwrap_or_default().to_owned(),
            required: schema["required"] == true,
            repeated: schema["repeated"] == true,
            schema: numbered(schema),
        });
        operations.push(Operation {
            method: method["httpMethod"].as_str().unwrap_or_default().to_owned(),
            path: parts(&format!("{base}{path}")),
            parameters: parameters.collect(),
        });
    }
    for inner in resource["resources"].as_object().unwrap_or(&none).values() {
        discovered(document, inner, operations);
    }
}

/// Discovery documents write bounds as texts.
fn numbered(mut schema: Value) -> Value {
    for bound in ["minimum", "maximum"] {
        if let Some(number) = schema[bound].as_str().and_then(|text| text.parse::<f64>().ok()) {
            schema[bound] = json!(number);
        }
    }
    schema
}

#[test]
fn the_three_forms_are_read_and_what_is_wrong_is_found() {
    let openapi = r#"
openapi: 3.1.0
components:
  parameters:
    limit: { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 50 } }
  schemas:
    Range: { type: string, enum: [short, long] }
paths:
  /me/{kind}/list:
    parameters:
      - { name: kind, in: path, required: true, schema: { type: string, enum: [plays, tracks] } }
    get:
      parameters:
        - $ref: '#/components/parameters/limit'
        - { name: day, in: query, required: true, schema: { anyOf: [{ type: string, format: date }, { type: "null" }] } }
        - { name: range, in: query, schema: { allOf: [{ $ref: '#/components/schemas/Range' }] } }
"#;
    let swagger = r#"{"swagger":"2.0","paths":{"/me/{kind}/list":{"get":{"parameters":[
        {"name":"kind","in":"path","type":"string","enum":["plays","tracks"]},
        {"name":"limit","in":"query","type":"integer","minimum":1,"maximum":50},
        {"name":"day","in":"query","required":true,"type":"string","format":"date"},
        {"name":"range","in":"query","type":"string","enum":["short","long"]}]}}}}"#;
    let discovery = r#"{"discoveryVersion":"v1","servicePath":"me/","parameters":{
        "limit":{"type":"integer","minimum":"1","maximum":"50","location":"query"}},"resources":{"lists":{"methods":{"get":{
        "flatPath":"{kind}/list","httpMethod":"GET","parameters":{
        "kind":{"type":"string","enum":["plays","tracks"],"location":"path","required":true},
        "day":{"type":"string","format":"date","location":"query","required":true},
        "range":{"type":"string","enum":["short","long"],"location":"query"}}}}}}}"#;
    for text in [openapi, swagger, discovery] {
        let description = Description::read(text).unwrap();
        let check = |path: &str, query: &str, expected: &[&str]| {
            let found = description.check("GET", path, query);
            assert_eq!(found.len(), expected.len(), "{path}?{query}: {found:?}");
            for (fault, words) in found.iter().zip(expected) {
                assert!(fault.contains(words), "{path}?{query}: {fault}");
            }
        };
        check("/me/plays/list", "day=2026-03-01&limit=50&range=long", &[]);
        check("/me/plays", "day=2026-03-01", &["is no operation"]);
        check("/me/songs/list", "day=2026-03-01", &["kind in the path"]);
        check("/me/plays/list", "day=2026-03-01&limit=51", &["limit"]);
        check("/me/plays/list", "day=2026-03-01&limit=some", &["limit"]);
        check("/me/plays/list", "day=2026-3-1", &["day"]);
        check("/me/plays/list", "day=2026-03-01&range=middle", &["range"]);
        check("/me/plays/list", "day=2026-03-01&since=1", &["there is no parameter since"]);
        check("/me/plays/list", "limit=1&limit=2&day=2026-03-01", &["stands twice", "stands twice"]);
        check("/me/plays/list", "", &["day is missing"]);
    }
    assert!(Description::read("{}").is_err());
}
