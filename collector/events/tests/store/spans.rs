//! Spans from outside: every answer is the one that a naive scan of the same spans gives,
//! wherever they are by then.

mod fixture;
mod life;
mod naive;
mod queries;
mod world;
