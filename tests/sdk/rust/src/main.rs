//! The Rust SDK as a line filter; see ../../README.md.
use base64::prelude::{Engine, BASE64_STANDARD};
use chrono::{DateTime, Utc};
use cloudevents::binding::http::{to_event, Builder, Serializer};
use cloudevents::event::ExtensionValue;
use cloudevents::message::{self, BinaryDeserializer, StructuredDeserializer};
use cloudevents::{AttributesReader, AttributesWriter, Data, Event};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{json, Map, Value};
use std::error::Error;
use std::io::{stdin, BufRead};

/// Takes what the SDK's HTTP binding writes.
#[derive(Default)]
struct Message(Map<String, Value>);

impl Builder<Value> for Message {
    fn header(&mut self, name: &str, value: HeaderValue) {
        self.0.insert(name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into());
    }
    fn body(&mut self, bytes: Vec<u8>) -> message::Result<Value> {
        Ok(json!({"headers": self.0, "body": BASE64_STANDARD.encode(bytes)}))
    }
    fn finish(&mut self) -> message::Result<Value> {
        self.body(Vec::new())
    }
}

fn media_type(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}

fn is_json(kind: &str) -> bool {
    media_type(kind).ends_with("/json") || media_type(kind).ends_with("+json")
}

fn is_text(kind: &str) -> bool {
    kind.starts_with("text/") || media_type(kind).ends_with("/xml")
}

fn event_of(input: &Value) -> Result<Event, Box<dyn Error>> {
    let mut event = Event::default();
    for (name, value) in input["attributes"].as_object().ok_or("no attributes")? {
        let text = value.as_str().unwrap_or_default();
        match name.as_str() {
            "id" => drop(event.set_id(text)),
            "source" => drop(event.set_source(text)),
            "type" => drop(event.set_type(text)),
            "subject" => drop(event.set_subject(Some(text))),
            "dataschema" => drop(event.set_dataschema(Some(url::Url::parse(text)?))),
            "datacontenttype" => drop(event.set_datacontenttype(Some(text))),
            "time" => drop(event.set_time(Some(DateTime::<Utc>::from(DateTime::parse_from_rfc3339(text)?)))),
            _ => event.set_extension(name, serde_json::from_value::<ExtensionValue>(value.clone())?),
        }
    }
    if let Some(data) = input["data"].as_str() {
        let bytes = BASE64_STANDARD.decode(data)?;
        let kind = event.datacontenttype().unwrap_or("application/json").to_owned();
        event.set_data_unchecked(if is_json(&kind) {
            Data::Json(serde_json::from_slice(&bytes)?)
        } else if is_text(&kind) {
            Data::String(String::from_utf8(bytes)?)
        } else {
            Data::Binary(bytes)
        });
    }
    Ok(event)
}

fn encode(input: &Value) -> Result<Value, Box<dyn Error>> {
    if input["mode"] == "batch" {
        return Ok(json!({"unsupported": "its HTTP binding has no function that writes a batch"}));
    }
    let event = event_of(&input["events"][0])?;
    let serializer = Serializer::new(Message::default());
    Ok(match input["mode"].as_str() {
        Some("binary") => event.deserialize_binary(serializer)?,
        _ => event.deserialize_structured(serializer)?,
    })
}

fn decode(input: &Value) -> Result<Value, Box<dyn Error>> {
    let mut headers = HeaderMap::new();
    for (name, value) in input["headers"].as_object().ok_or("no headers")? {
        headers.insert(name.parse::<HeaderName>()?, HeaderValue::from_str(value.as_str().unwrap_or_default())?);
    }
    let event = to_event(&headers, BASE64_STANDARD.decode(input["body"].as_str().unwrap_or_default())?)?;
    let mut attributes = Map::new();
    for (name, value) in event.iter_attributes() {
        attributes.insert(name.to_owned(), value.to_string().into());
    }
    for (name, value) in event.iter_extensions() {
        attributes.insert(name.to_owned(), serde_json::to_value(value)?);
    }
    let mut one = json!({"attributes": attributes});
    if let Some(data) = event.data() {
        one["data"] = BASE64_STANDARD.encode(Vec::<u8>::try_from(data.clone())?).into();
    }
    Ok(json!({"events": [one]}))
}

fn answer(line: &str) -> Result<Value, Box<dyn Error>> {
    let input: Value = serde_json::from_str(line)?;
    if input["binding"] == "kafka" {
        return Ok(json!({"unsupported": "its Kafka binding builds a C library"}));
    }
    if input["op"] == "encode" { encode(&input) } else { decode(&input) }
}

fn main() {
    for line in stdin().lock().lines() {
        let line = line.expect("a line");
        println!("{}", answer(&line).unwrap_or_else(|error| json!({"error": error.to_string()})));
    }
}
