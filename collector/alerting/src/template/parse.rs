//! Tokens to nodes, by descent. Variables have to be declared where they are used, as in Go; functions have to be
//! known where the set says which there are.

use std::sync::Arc;

use super::TemplateError;
use super::ast::{
    Branch, Command, Definition, Definitions, Node, Nodes, Pipeline, Spot, Term, TermKind, is_blank,
};
use super::builtin;
use super::lex::{Kind, Token, tokens};

/// How deep actions and parentheses may be in each other.
const MAX_NESTING: usize = 100;
/// The longest text of a template, in bytes.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// What a text may use beside what it defines.
pub(super) struct Known<'a> {
    /// Functions; `None`: any.
    pub(super) functions: Option<&'a [&'a str]>,
    /// Variables that are there from the beginning.
    pub(super) variables: &'a [(&'a str, &'a str)],
}

/// What a text is: its own nodes, and what it defines.
pub(super) struct Parsed {
    pub(super) nodes: Nodes,
    pub(super) definitions: Definitions,
}

/// Reads a text.
pub(super) fn parse(source: &str, text: &str, known: &Known<'_>) -> Result<Parsed, TemplateError> {
    let named = |error: TemplateError| error.of(source);
    if text.len() > MAX_TEXT_BYTES {
        let message = format!("the template has {} bytes; {MAX_TEXT_BYTES} are allowed", text.len());
        return Err(named(TemplateError::at(Spot { line: 1, column: 1 }, message)));
    }
    let mut parser = Parser {
        source: Arc::from(source),
        tokens: tokens(text).map_err(named)?,
        next: 0,
        known,
        variables: Vec::new(),
        definitions: Definitions::new(),
        nesting: 0,
        loops: 0,
    };
    parser.begin();
    parser.whole().map_err(named)
}

/// What ends a list of nodes.
enum Stop {
    End,
    Else,
    /// The end of the text.
    Text,
}

struct Parser<'a> {
    source: Arc<str>,
    tokens: Vec<Token>,
    next: usize,
    known: &'a Known<'a>,
    /// In scope, the innermost last.
    variables: Vec<String>,
    definitions: Definitions,
    nesting: usize,
    loops: usize,
}

impl Parser<'_> {
    fn whole(mut self) -> Result<Parsed, TemplateError> {
        let at = self.at();
        let (nodes, stop) = self.nodes()?;
        match stop {
            Stop::Text => Ok(Parsed { nodes, definitions: self.definitions }),
            Stop::End => Err(TemplateError::at(self.before(), "this {{end}} ends nothing")),
            Stop::Else => Err(TemplateError::at(at, "{{else}} outside of if, with or range")),
        }
    }

    /// The variables at the beginning of a template that is the whole of a text.
    fn begin(&mut self) {
        self.variables = vec![String::new()];
        self.variables.extend(self.known.variables.iter().map(|(name, _)| (*name).to_owned()));
    }

    // Tokens. The last one, the end, is never passed.

    fn token(&self) -> &Token {
        &self.tokens[self.next]
    }

    fn kind(&self) -> &Kind {
        &self.token().kind
    }

    fn at(&self) -> Spot {
        self.token().at
    }

    /// Where the token before the next one stands.
    fn before(&self) -> Spot {
        self.tokens[self.next.saturating_sub(1)].at
    }

    fn advance(&mut self) {
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    fn eat(&mut self, kind: &Kind) -> bool {
        let is_there = self.kind() == kind;
        if is_there {
            self.advance();
        }
        is_there
    }

    fn close(&mut self, what: &str) -> Result<(), TemplateError> {
        if self.eat(&Kind::Close) { Ok(()) } else { Err(self.unexpected(what)) }
    }

    fn unexpected(&self, context: &str) -> TemplateError {
        TemplateError::at(self.at(), format!("unexpected {} in {context}", self.kind().describe()))
    }

    fn deeper(&mut self) -> Result<(), TemplateError> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(TemplateError::at(self.at(), format!("nested deeper than {MAX_NESTING} levels")));
        }
        Ok(())
    }

    // Nodes.

    /// Nodes up to what ends them, which is passed.
    fn nodes(&mut self) -> Result<(Nodes, Stop), TemplateError> {
        let mut nodes = Nodes::new();
        loop {
            match self.kind().clone() {
                Kind::End => return Ok((nodes, Stop::Text)),
                Kind::Text(text) => {
                    self.advance();
                    nodes.push(Node::Text(text.into()));
                }
                _ => {
                    self.advance();
                    if let Some(stop) = self.action(&mut nodes)? {
                        return Ok((nodes, stop));
                    }
                }
            }
        }
    }

    /// What is in one pair of braces.
    fn action(&mut self, nodes: &mut Nodes) -> Result<Option<Stop>, TemplateError> {
        let at = self.at();
        let word = match self.kind() {
            Kind::Word(word) => word.clone(),
            _ => String::new(),
        };
        if matches!(
            word.as_str(),
            "end" | "else" | "if" | "with" | "range" | "template" | "block" | "define" | "break" | "continue"
        ) {
            self.advance();
        }
        match word.as_str() {
            "end" => {
                self.close("end")?;
                return Ok(Some(Stop::End));
            }
            // What follows is read by whoever the `else` is of.
            "else" => return Ok(Some(Stop::Else)),
            "if" => nodes.push(Node::If(self.branch("if")?)),
            "with" => nodes.push(Node::With(self.branch("with")?)),
            "range" => nodes.push(Node::Range(self.branch("range")?)),
            "template" => nodes.push(self.template(at)?),
            "block" => nodes.push(self.block(at)?),
            "define" => self.define(at)?,
            "break" | "continue" => {
                self.close(&word)?;
                if self.loops == 0 {
                    return Err(TemplateError::at(at, format!("{{{{{word}}}}} outside {{{{range}}}}")));
                }
                nodes.push(if word == "break" { Node::Break } else { Node::Continue });
            }
            _ => {
                let pipeline = self.pipeline("command", &Kind::Close)?;
                nodes.push(Node::Action(pipeline));
            }
        }
        Ok(None)
    }

    fn branch(&mut self, what: &str) -> Result<Branch, TemplateError> {
        self.deeper()?;
        let at = self.before();
        let outer = self.variables.len();
        let pipeline = self.pipeline(what, &Kind::Close)?;
        let inner = self.variables.len();
        self.loops += usize::from(what == "range");
        let (then, stop) = self.nodes()?;
        self.loops -= usize::from(what == "range");
        self.variables.truncate(inner);
        let otherwise = match stop {
            Stop::End => Nodes::new(),
            Stop::Else => self.otherwise(what)?,
            Stop::Text => return Err(unclosed(at, what)),
        };
        self.variables.truncate(outer);
        self.nesting -= 1;
        Ok(Branch { pipeline, then, otherwise })
    }

    /// After the word `else`.
    fn otherwise(&mut self, what: &str) -> Result<Nodes, TemplateError> {
        let at = self.before();
        // `else if` is `else` and an `if` that end together.
        for (word, node) in [("if", Node::If as fn(Branch) -> Node), ("with", Node::With)] {
            if what == word && self.kind() == &Kind::Word(word.to_owned()) {
                self.advance();
                return Ok(vec![node(self.branch(word)?)]);
            }
        }
        self.close("else")?;
        let (nodes, stop) = self.nodes()?;
        match stop {
            Stop::End => Ok(nodes),
            Stop::Else => Err(TemplateError::at(self.before(), "there is an {{else}} already")),
            Stop::Text => Err(unclosed(at, "else")),
        }
    }

    fn name(&mut self, what: &str) -> Result<String, TemplateError> {
        let Kind::Str(name) = self.kind().clone() else {
            let found = self.kind().describe();
            return Err(TemplateError::at(
                self.at(),
                format!("{what} needs a name in quotes, found {found}"),
            ));
        };
        self.advance();
        Ok(name)
    }

    fn template(&mut self, at: Spot) -> Result<Node, TemplateError> {
        let name = self.name("template")?;
        let data = match self.eat(&Kind::Close) {
            true => None,
            false => Some(self.pipeline("template", &Kind::Close)?),
        };
        Ok(Node::Template { at, name, data })
    }

    fn block(&mut self, at: Spot) -> Result<Node, TemplateError> {
        let name = self.name("block")?;
        let data = Some(self.pipeline("block", &Kind::Close)?);
        self.definition(at, name.clone(), "block")?;
        Ok(Node::Template { at, name, data })
    }

    fn define(&mut self, at: Spot) -> Result<(), TemplateError> {
        if self.nesting > 0 {
            return Err(TemplateError::at(at, "{{define}} is allowed at the top only"));
        }
        let name = self.name("define")?;
        self.close("define")?;
        self.definition(at, name, "define")
    }

    /// The body of a named template, which sees no variables but `$`.
    fn definition(&mut self, at: Spot, name: String, what: &str) -> Result<(), TemplateError> {
        self.deeper()?;
        let outer = std::mem::replace(&mut self.variables, vec![String::new()]);
        let loops = std::mem::take(&mut self.loops);
        let (nodes, stop) = self.nodes()?;
        match stop {
            Stop::End => {}
            Stop::Else => {
                return Err(TemplateError::at(self.before(), "{{else}} outside of if, with or range"));
            }
            Stop::Text => return Err(unclosed(at, what)),
        }
        self.variables = outer;
        self.loops = loops;
        self.nesting -= 1;
        let before = self.definitions.get(&name);
        match before {
            Some(before) if !is_blank(&before.nodes) => {
                if is_blank(&nodes) {
                    return Ok(());
                }
                Err(TemplateError::at(at, format!("the template {name:?} is defined twice")))
            }
            _ => {
                let definition = Definition { source: self.source.clone(), nodes: Arc::new(nodes) };
                self.definitions.insert(name, definition);
                Ok(())
            }
        }
    }

    // Pipelines.

    /// A pipeline up to what ends it, which is passed.
    fn pipeline(&mut self, what: &str, end: &Kind) -> Result<Pipeline, TemplateError> {
        self.deeper()?;
        let at = self.at();
        let (variables, assigns) = self.declaration(what)?;
        let mut commands = Vec::new();
        loop {
            if self.eat(end) {
                break;
            }
            if commands.is_empty() || self.eat(&Kind::Pipe) {
                if matches!(self.kind(), Kind::Pipe) || self.kind() == end {
                    return Err(TemplateError::at(self.at(), format!("missing value for {what}")));
                }
                commands.push(self.command(what)?);
            } else {
                return Err(self.unexpected(what));
            }
        }
        if commands.is_empty() {
            return Err(TemplateError::at(at, format!("missing value for {what}")));
        }
        for (stage, command) in commands.iter().enumerate().skip(1) {
            if is_plain(&command.head.kind) {
                let message = format!("stage {} of this pipeline is no function", stage + 1);
                return Err(TemplateError::at(command.at, message));
            }
        }
        if !assigns {
            self.variables.extend(variables.iter().cloned());
        }
        self.nesting -= 1;
        Ok(Pipeline { at, variables, assigns, commands })
    }

    /// `$a :=`, `$a =`, `$i, $v :=`.
    fn declaration(&mut self, what: &str) -> Result<(Vec<String>, bool), TemplateError> {
        let kind = |ahead: usize| self.tokens.get(self.next + ahead).map(|token| &token.kind);
        let (names, sign) = match (kind(0), kind(1), kind(2)) {
            (Some(Kind::Variable(one)), Some(Kind::Declare | Kind::Assign), _) => (vec![one.clone()], 1),
            (Some(Kind::Variable(one)), Some(Kind::Comma), Some(Kind::Variable(two))) if what == "range" => {
                (vec![one.clone(), two.clone()], 3)
            }
            _ => return Ok((Vec::new(), false)),
        };
        let assigns = match kind(sign) {
            Some(Kind::Declare) => false,
            Some(Kind::Assign) => true,
            _ => return Err(TemplateError::at(self.at(), "range needs := after its variables")),
        };
        for name in names.iter().filter(|_| assigns) {
            self.check_variable(name, self.at())?;
        }
        self.next += sign + 1;
        Ok((names, assigns))
    }

    fn command(&mut self, what: &str) -> Result<Command, TemplateError> {
        let at = self.at();
        let head = self.operand(what)?;
        let mut args = Vec::new();
        while !matches!(self.kind(), Kind::Pipe | Kind::Close | Kind::RightParen) {
            if !self.token().spaced && !matches!(self.kind(), Kind::LeftParen) {
                return Err(self.unexpected(what));
            }
            args.push(self.operand(what)?);
        }
        Ok(Command { at, head, args })
    }

    /// A term and the fields directly behind it.
    fn operand(&mut self, what: &str) -> Result<Term, TemplateError> {
        let at = self.at();
        let kind = self.term(what)?;
        let mut fields = Vec::new();
        while let Token { kind: Kind::Field(name), spaced: false, .. } = self.token() {
            fields.push(name.clone());
            self.advance();
        }
        if fields.is_empty() {
            return Ok(Term { at, kind });
        }
        let kind = match kind {
            TermKind::Fields(mut first) => {
                first.append(&mut fields);
                TermKind::Fields(first)
            }
            TermKind::Variable(name, _) => TermKind::Variable(name, fields),
            TermKind::Bool(_)
            | TermKind::Int(_)
            | TermKind::Float(_)
            | TermKind::Str(_)
            | TermKind::Nil
            | TermKind::Dot => {
                return Err(TemplateError::at(at, format!("unexpected .{} after a value", fields[0])));
            }
            kind => TermKind::Chain(Box::new(Term { at, kind }), fields),
        };
        Ok(Term { at, kind })
    }

    fn term(&mut self, what: &str) -> Result<TermKind, TemplateError> {
        let at = self.at();
        let kind = match self.kind().clone() {
            Kind::Dot => TermKind::Dot,
            Kind::Field(name) => TermKind::Fields(vec![name]),
            Kind::Variable(name) => {
                self.check_variable(&name, at)?;
                TermKind::Variable(name, Vec::new())
            }
            Kind::Str(text) => TermKind::Str(text.into()),
            Kind::Int(number) => TermKind::Int(number),
            Kind::Float(number) => TermKind::Float(number),
            Kind::Word(word) => match word.as_str() {
                "true" => TermKind::Bool(true),
                "false" => TermKind::Bool(false),
                "nil" => TermKind::Nil,
                _ => {
                    self.check_function(&word, at)?;
                    TermKind::Function(word)
                }
            },
            Kind::LeftParen => {
                self.advance();
                let pipeline = self.pipeline("parenthesized pipeline", &Kind::RightParen)?;
                return Ok(TermKind::Pipe(Box::new(pipeline)));
            }
            _ => return Err(self.unexpected(what)),
        };
        self.advance();
        Ok(kind)
    }

    fn check_variable(&self, name: &str, at: Spot) -> Result<(), TemplateError> {
        if self.variables.iter().any(|known| known == name) {
            return Ok(());
        }
        Err(TemplateError::at(at, format!("undefined variable \"${name}\"")))
    }

    fn check_function(&self, name: &str, at: Spot) -> Result<(), TemplateError> {
        let is_known = self.known.functions.is_none_or(|functions| functions.contains(&name));
        if is_known || builtin::is_builtin(name) {
            return Ok(());
        }
        Err(TemplateError::at(at, format!("function {name:?} not defined")))
    }
}

/// Whether it is a value and can take no argument.
fn is_plain(kind: &TermKind) -> bool {
    matches!(
        kind,
        TermKind::Bool(_)
            | TermKind::Int(_)
            | TermKind::Float(_)
            | TermKind::Str(_)
            | TermKind::Nil
            | TermKind::Dot
    )
}

fn unclosed(at: Spot, what: &str) -> TemplateError {
    TemplateError::at(at, format!("this {{{{{what}}}}} has no {{{{end}}}}"))
}
