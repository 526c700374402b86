//! The two ends of the line.

use crate::message::{Message, ToController, ToHost};
use crate::packet::Role;

/// An end of the line: what it says and what it hears.
pub trait Side {
    /// Which end.
    const ROLE: Role;
    /// What it says.
    type Says: Message;
    /// What it hears.
    type Hears: Message;
}

/// The box's end.
#[derive(Debug)]
pub enum Host {}

/// A scanner's or a drawer's end.
#[derive(Debug)]
pub enum Controller {}

impl Side for Host {
    const ROLE: Role = Role::Host;
    type Says = ToController;
    type Hears = ToHost;
}

impl Side for Controller {
    const ROLE: Role = Role::Controller;
    type Says = ToHost;
    type Hears = ToController;
}
