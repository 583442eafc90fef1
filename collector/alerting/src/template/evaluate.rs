//! Nodes to text.

use std::sync::Arc;

use super::ast::{Branch, Command, Definitions, Node, Pipeline, Spot, Term, TermKind};
use super::builtin;
use super::html::Scanner;
use super::method;
use super::value::Value;
use super::{Functions, TemplateError};

/// What one rendering may write.
const MAX_OUTPUT_BYTES: usize = 1 << 20;
/// What one rendering may do: nodes, calls, rounds of loops.
const MAX_STEPS: usize = 1_000_000;
/// How deep templates may use templates.
const MAX_DEPTH: usize = 50;

/// What a rendering goes by.
pub(super) struct Rendering<'a> {
    pub(super) source: &'a str,
    pub(super) nodes: &'a [Node],
    pub(super) definitions: &'a Definitions,
    pub(super) variables: &'a [(&'a str, &'a str)],
    pub(super) functions: &'a dyn Functions,
    pub(super) is_html: bool,
}

impl Rendering<'_> {
    pub(super) fn run(&self, data: &Value) -> Result<String, TemplateError> {
        let mut run = Run {
            definitions: self.definitions,
            functions: self.functions,
            source: Arc::from(self.source),
            out: String::new(),
            scanner: self.is_html.then(Scanner::new),
            variables: vec![(String::new(), data.clone())],
            steps: 0,
            depth: 0,
        };
        for (name, field) in self.variables {
            run.variables.push(((*name).to_owned(), data.field(field).unwrap_or_default()));
        }
        run.nodes(self.nodes, data)?;
        Ok(run.out)
    }
}

/// Where a loop goes on.
enum Flow {
    Next,
    Break,
    Continue,
}

struct Run<'a> {
    definitions: &'a Definitions,
    functions: &'a dyn Functions,
    source: Arc<str>,
    out: String,
    scanner: Option<Scanner>,
    /// In scope, the innermost last.
    variables: Vec<(String, Value)>,
    steps: usize,
    depth: usize,
}

impl<'a> Run<'a> {
    fn nodes(&mut self, nodes: &'a [Node], dot: &Value) -> Result<Flow, TemplateError> {
        for node in nodes {
            match self.node(node, dot)? {
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &'a Node, dot: &Value) -> Result<Flow, TemplateError> {
        match node {
            Node::Text(text) => {
                if let Some(scanner) = &mut self.scanner {
                    scanner.literal(text);
                }
                self.write(text)?;
            }
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    let text = match &mut self.scanner {
                        Some(scanner) => scanner.value(&value),
                        None => value.printed(),
                    };
                    self.write(&text).map_err(|error| error.or_at(pipeline.at))?;
                }
            }
            Node::If(branch) => return self.branch(branch, dot, false),
            Node::With(branch) => return self.branch(branch, dot, true),
            Node::Range(branch) => return self.range(branch, dot),
            Node::Template { at, name, data } => {
                let data = match data {
                    Some(pipeline) => self.pipeline(pipeline, dot)?,
                    None => Value::Nil,
                };
                self.template(*at, name, &data)?;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn write(&mut self, text: &str) -> Result<(), TemplateError> {
        if self.out.len() + text.len() > MAX_OUTPUT_BYTES {
            let message = format!("the template writes more than {MAX_OUTPUT_BYTES} bytes");
            return Err(TemplateError::unplaced(message).of(&self.source));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn step(&mut self, at: Spot) -> Result<(), TemplateError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(self.error(at, format!("the template takes more than {MAX_STEPS} steps")));
        }
        Ok(())
    }

    fn error(&self, at: Spot, message: impl Into<String>) -> TemplateError {
        TemplateError::at(at, message).of(&self.source)
    }

    fn branch(&mut self, branch: &'a Branch, dot: &Value, moves: bool) -> Result<Flow, TemplateError> {
        let outer = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let flow = match (value.is_true(), moves) {
            (true, true) => self.nodes(&branch.then, &value)?,
            (true, false) => self.nodes(&branch.then, dot)?,
            (false, _) => self.nodes(&branch.otherwise, dot)?,
        };
        self.variables.truncate(outer);
        Ok(flow)
    }

    fn range(&mut self, branch: &'a Branch, dot: &Value) -> Result<Flow, TemplateError> {
        let outer = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let at = branch.pipeline.at;
        let is_empty = match &value {
            Value::List(list) => list.is_empty(),
            Value::Map(map) => map.is_empty(),
            Value::Int(count) => *count <= 0,
            Value::Nil => true,
            other => {
                return Err(self.error(at, format!("range can't iterate over a {}", other.type_name())));
            }
        };
        if is_empty {
            let flow = self.nodes(&branch.otherwise, dot)?;
            self.variables.truncate(outer);
            return Ok(flow);
        }
        let inner = self.variables.len();
        let count = match &value {
            Value::List(list) => list.len() as i64,
            Value::Map(map) => map.len() as i64,
            Value::Int(count) => *count,
            _ => 0,
        };
        let mut pairs: Box<dyn Iterator<Item = (Value, Value)>> = match &value {
            Value::Map(map) => {
                Box::new(map.iter().map(|(name, value)| (name.as_str().into(), value.clone())))
            }
            Value::List(list) => Box::new((0..count).map(|at| (Value::Int(at), list[at as usize].clone()))),
            _ => Box::new((0..count).map(|at| (Value::Int(at), Value::Int(at)))),
        };
        for (key, item) in &mut pairs {
            self.step(at)?;
            self.set_range_variables(&branch.pipeline, &key, &item);
            let flow = self.nodes(&branch.then, &item)?;
            self.variables.truncate(inner);
            if matches!(flow, Flow::Break) {
                break;
            }
        }
        self.variables.truncate(outer);
        Ok(Flow::Next)
    }

    fn set_range_variables(&mut self, pipeline: &Pipeline, key: &Value, item: &Value) {
        let values: &[&Value] = match pipeline.variables.len() {
            2 => &[key, item],
            _ => &[item],
        };
        for (name, value) in pipeline.variables.iter().zip(values) {
            self.set(name, (*value).clone());
        }
    }

    /// Gives the innermost variable of the name a value.
    fn set(&mut self, name: &str, value: Value) {
        if let Some(slot) = self.variables.iter_mut().rev().find(|(known, _)| known == name) {
            slot.1 = value;
        }
    }

    fn template(&mut self, at: Spot, name: &str, data: &Value) -> Result<(), TemplateError> {
        let definitions = self.definitions;
        let Some(definition) = definitions.get(name) else {
            return Err(self.error(at, format!("template {name:?} not defined")));
        };
        self.step(at)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(at, format!("templates use each other deeper than {MAX_DEPTH} levels")));
        }
        let source = std::mem::replace(&mut self.source, definition.source.clone());
        let variables = std::mem::replace(&mut self.variables, vec![(String::new(), data.clone())]);
        self.nodes(&definition.nodes, data)?;
        self.source = source;
        self.variables = variables;
        self.depth -= 1;
        Ok(())
    }

    // Pipelines.

    fn pipeline(&mut self, pipeline: &'a Pipeline, dot: &Value) -> Result<Value, TemplateError> {
        let mut value = None;
        for command in &pipeline.commands {
            self.step(command.at)?;
            value = Some(self.command(command, dot, value)?);
        }
        let value = value.unwrap_or_default();
        for name in &pipeline.variables {
            if pipeline.assigns {
                self.set(name, value.clone());
            } else {
                self.variables.push((name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    /// A command, given what the one before it came to.
    fn command(
        &mut self,
        command: &'a Command,
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value, TemplateError> {
        let at = command.at;
        match &command.head.kind {
            TermKind::Function(name) => self.function(at, name, &command.args, dot, last),
            TermKind::Fields(names) => self.fields(at, dot.clone(), names, &command.args, dot, last),
            TermKind::Variable(name, names) if !names.is_empty() => {
                let value = self.variable(name);
                self.fields(at, value, names, &command.args, dot, last)
            }
            TermKind::Chain(inner, names) => {
                let value = self.term(inner, dot)?;
                self.fields(at, value, names, &command.args, dot, last)
            }
            _ if !command.args.is_empty() || last.is_some() => {
                Err(self.error(at, "can't give an argument to what is no function"))
            }
            _ => self.term(&command.head, dot),
        }
    }

    fn variable(&self, name: &str) -> Value {
        let found = self.variables.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn term(&mut self, term: &'a Term, dot: &Value) -> Result<Value, TemplateError> {
        match &term.kind {
            TermKind::Dot => Ok(dot.clone()),
            TermKind::Nil => Ok(Value::Nil),
            TermKind::Bool(value) => Ok(Value::Bool(*value)),
            TermKind::Int(value) => Ok(Value::Int(*value)),
            TermKind::Float(value) => Ok(Value::Float(*value)),
            TermKind::Str(text) => Ok(Value::Str(text.clone())),
            TermKind::Fields(names) => self.fields(term.at, dot.clone(), names, &[], dot, None),
            TermKind::Variable(name, names) => {
                let value = self.variable(name);
                self.fields(term.at, value, names, &[], dot, None)
            }
            TermKind::Function(name) => self.function(term.at, name, &[], dot, None),
            TermKind::Pipe(pipeline) => self.pipeline(pipeline, dot),
            TermKind::Chain(inner, names) => {
                let value = self.term(inner, dot)?;
                self.fields(term.at, value, names, &[], dot, None)
            }
        }
    }

    fn arguments(
        &mut self,
        args: &'a [Term],
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Vec<Value>, TemplateError> {
        let mut values = Vec::with_capacity(args.len() + 1);
        for arg in args {
            values.push(self.term(arg, dot)?);
        }
        values.extend(last);
        Ok(values)
    }

    /// A chain of fields; the last may be a method that takes arguments.
    fn fields(
        &mut self,
        at: Spot,
        value: Value,
        names: &[String],
        args: &'a [Term],
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value, TemplateError> {
        let Some((final_name, names)) = names.split_last() else { return Ok(value) };
        let mut value = value;
        for name in names {
            value = self.field(at, &value, name, &[], false)?;
        }
        let has_args = !args.is_empty() || last.is_some();
        let args = self.arguments(args, dot, last)?;
        self.field(at, &value, final_name, &args, has_args)
    }

    fn field(
        &self,
        at: Spot,
        receiver: &Value,
        name: &str,
        args: &[Value],
        has_args: bool,
    ) -> Result<Value, TemplateError> {
        let called =
            self.functions.method(receiver, name, args).or_else(|| method::call(receiver, name, args));
        if let Some(called) = called {
            return called.map_err(|reason| self.error(at, format!("error calling {name}: {reason}")));
        }
        if has_args {
            return Err(self.error(at, format!("{name} is no method and takes no arguments")));
        }
        match (receiver.field(name), receiver) {
            (Some(value), _) => Ok(value),
            (None, Value::Nil) => Err(self.error(at, format!("nil data; no entry for key \"{name}\""))),
            (None, other) => {
                Err(self.error(at, format!("can't evaluate field {name} in type {}", other.type_name())))
            }
        }
    }

    fn function(
        &mut self,
        at: Spot,
        name: &str,
        args: &'a [Term],
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value, TemplateError> {
        if matches!(name, "and" | "or") {
            return self.and_or(at, name, args, dot, last);
        }
        let values = self.arguments(args, dot, last)?;
        if name == "tmpl" {
            return self.tmpl(at, &values);
        }
        let called = self.functions.call(name, &values).or_else(|| builtin::call(name, &values));
        let called = called.ok_or_else(|| self.error(at, format!("function {name:?} not defined")))?;
        let value = called.map_err(|reason| self.error(at, format!("error calling {name}: {reason}")))?;
        if value.as_str().is_some_and(|text| text.len() > MAX_OUTPUT_BYTES) {
            return Err(self.error(at, format!("{name} gives more than {MAX_OUTPUT_BYTES} bytes")));
        }
        Ok(value)
    }

    /// Stops at the first value that decides.
    fn and_or(
        &mut self,
        at: Spot,
        name: &str,
        args: &'a [Term],
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value, TemplateError> {
        let mut value = None;
        for arg in args {
            let next = self.term(arg, dot)?;
            if next.is_true() == (name == "or") {
                return Ok(next);
            }
            value = Some(next);
        }
        let value = last.or(value);
        value.ok_or_else(|| self.error(at, format!("wrong number of args for {name}: want at least 1 got 0")))
    }

    /// What a named template writes, as a value.
    fn tmpl(&mut self, at: Spot, args: &[Value]) -> Result<Value, TemplateError> {
        let [Value::Str(name), rest @ ..] = args else {
            return Err(self.error(at, "tmpl needs the name of a template"));
        };
        let data = rest.first().cloned().unwrap_or_default();
        let before = std::mem::take(&mut self.out);
        let scanner = self.scanner.as_ref().map(|_| Scanner::new());
        let scanner = std::mem::replace(&mut self.scanner, scanner);
        self.template(at, name, &data)?;
        self.scanner = scanner;
        Ok(Value::Html(std::mem::replace(&mut self.out, before).into()))
    }
}
