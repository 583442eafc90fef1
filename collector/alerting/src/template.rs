//! Go's `text/template`, as rule files and Alertmanager's files use it.
//!
//! A text is read once ([`Templates::parse`]) and rendered often. What it can call beside Go's own functions comes
//! from [`Functions`]; Prometheus' are in [`prometheus`]. Rendering is bounded in steps, depth and output.

mod ast;
mod builtin;
mod evaluate;
mod html;
mod lex;
mod method;
mod number;
mod parse;
mod printf;
pub mod prometheus;
mod time;
mod value;

use std::fmt;
use std::sync::Arc;

use ast::{Definitions, Nodes, Spot};
use evaluate::Rendering;
use parse::Known;

pub use self::time::{Moment, duration_text};
pub(crate) use html::query_escape;
pub use value::{Struct, Value};

/// Why a text is no template, or cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The name of the text that it is in; may be empty.
    pub source: String,
    /// From 1; 0 if there is no place.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}

/// Functions and methods that a template may use beside Go's own.
pub trait Functions {
    /// `{{name arg}}`; `None` if there is no such function.
    fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>>;

    /// `{{receiver.Name arg}}`; `None` if it is a field or unknown.
    fn method(&self, _receiver: &Value, _name: &str, _args: &[Value]) -> Option<Result<Value, String>> {
        None
    }
}

/// No functions but Go's own.
pub struct NoFunctions;

impl Functions for NoFunctions {
    fn call(&self, _: &str, _: &[Value]) -> Option<Result<Value, String>> {
        None
    }
}

/// Named templates of several files, for texts that use them.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    definitions: Definitions,
    functions: Option<&'static [&'static str]>,
    variables: &'static [(&'static str, &'static str)],
}

impl Templates {
    /// None yet; any function may be named, and is looked for when it is called.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses texts that name another function than these or Go's own.
    pub fn with_functions(self, functions: &'static [&'static str]) -> Self {
        Self { functions: Some(functions), ..self }
    }

    /// Variables that every text has from the beginning, and the fields of the data that they are.
    pub fn with_variables(self, variables: &'static [(&'static str, &'static str)]) -> Self {
        Self { variables, ..self }
    }

    /// Takes in what a file defines. A definition replaces one of an earlier file.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), TemplateError> {
        let parsed = parse::parse(name, text, &self.known())?;
        for (name, definition) in parsed.definitions {
            let is_kept = self.definitions.contains_key(&name) && ast::is_blank(&definition.nodes);
            if !is_kept {
                self.definitions.insert(name, definition);
            }
        }
        // The whole file can be used by its name, too.
        let whole = ast::Definition { source: Arc::from(name), nodes: Arc::new(parsed.nodes) };
        self.definitions.insert(name.to_owned(), whole);
        Ok(())
    }

    /// Reads a text that may use the definitions, and have its own.
    pub fn parse(&self, text: &str) -> Result<Template, TemplateError> {
        let parsed = parse::parse("", text, &self.known())?;
        let mut definitions = self.definitions.clone();
        definitions.extend(parsed.definitions);
        Ok(Template { nodes: parsed.nodes, definitions, variables: self.variables })
    }

    /// Whether a template of that name is defined.
    pub fn contains(&self, name: &str) -> bool {
        self.definitions.contains_key(name)
    }

    fn known(&self) -> Known<'_> {
        Known { functions: self.functions, variables: self.variables }
    }
}

/// A text that was read.
#[derive(Clone, Debug)]
pub struct Template {
    nodes: Nodes,
    definitions: Definitions,
    variables: &'static [(&'static str, &'static str)],
}

impl Template {
    /// The text that it is for some data.
    pub fn render(&self, data: &Value, functions: &dyn Functions) -> Result<String, TemplateError> {
        self.rendering(functions, false).run(data)
    }

    /// The same as HTML: values are escaped by where they stand, as Go's `html/template` does.
    pub fn render_html(&self, data: &Value, functions: &dyn Functions) -> Result<String, TemplateError> {
        self.rendering(functions, true).run(data)
    }

    /// Whether it is text alone, the same for all data.
    pub fn is_constant(&self) -> bool {
        self.nodes.iter().all(|node| matches!(node, ast::Node::Text(_)))
    }

    fn rendering<'a>(&'a self, functions: &'a dyn Functions, is_html: bool) -> Rendering<'a> {
        Rendering {
            source: "",
            nodes: &self.nodes,
            definitions: &self.definitions,
            variables: self.variables,
            functions,
            is_html,
        }
    }
}

impl TemplateError {
    fn at(at: Spot, message: impl Into<String>) -> Self {
        Self { source: String::new(), line: at.line, column: at.column, message: message.into() }
    }

    fn unplaced(message: impl Into<String>) -> Self {
        Self { source: String::new(), line: 0, column: 0, message: message.into() }
    }

    fn of(self, source: &str) -> Self {
        Self { source: source.to_owned(), ..self }
    }

    fn or_at(self, at: Spot) -> Self {
        if self.line > 0 { self } else { Self { line: at.line, column: at.column, ..self } }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.source.is_empty() {
            write!(f, "{}:", self.source)?;
        }
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests;
