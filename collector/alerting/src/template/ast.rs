//! What a template is after it was read.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Where something stands in its text: line and column, from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// What is written or done one after the other.
pub(super) type Nodes = Vec<Node>;

/// A part of a template.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// As it stands.
    Text(Box<str>),
    /// `{{pipeline}}`; one that declares or assigns writes nothing.
    Action(Pipeline),
    /// `{{if}}`.
    If(Branch),
    /// `{{with}}`.
    With(Branch),
    /// `{{range}}`.
    Range(Branch),
    /// `{{template "name" pipeline}}`.
    Template { at: Spot, name: String, data: Option<Pipeline> },
    /// `{{break}}`.
    Break,
    /// `{{continue}}`.
    Continue,
}

/// A condition or list, and what follows from it.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) pipeline: Pipeline,
    pub(super) then: Nodes,
    pub(super) otherwise: Nodes,
}

/// `$a, $b := command | command`.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) at: Spot,
    pub(super) variables: Vec<String>,
    /// `=` and not `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// A term, or a function or method and its arguments.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) at: Spot,
    pub(super) head: Term,
    pub(super) args: Vec<Term>,
}

/// An operand.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) at: Spot,
    pub(super) kind: TermKind,
}

/// Kinds of operands.
#[derive(Clone, Debug)]
pub(super) enum TermKind {
    /// `.`.
    Dot,
    /// `nil`.
    Nil,
    /// `true`.
    Bool(bool),
    /// `5`, `'a'`.
    Int(i64),
    /// `5.0`.
    Float(f64),
    /// `"text"`.
    Str(Arc<str>),
    /// `.a.b`.
    Fields(Vec<String>),
    /// `$x.a.b`; `$` is the variable of the empty name.
    Variable(String, Vec<String>),
    /// `printf`.
    Function(String),
    /// `(pipeline)`.
    Pipe(Box<Pipeline>),
    /// `(pipeline).a.b`, `function.a.b`.
    Chain(Box<Term>, Vec<String>),
}

/// A named template, and the text it is of.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    /// The name of the file, for messages.
    pub(super) source: Arc<str>,
    pub(super) nodes: Arc<Nodes>,
}

/// Named templates.
pub(super) type Definitions = BTreeMap<String, Definition>;

/// Whether nothing would be written: such a definition replaces none.
pub(super) fn is_blank(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
}
