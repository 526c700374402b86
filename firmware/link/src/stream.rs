//! Streams: messages that are numbered for longer than a boot, and what each side keeps of them.
//!
//! | word | what |
//! |---|---|
//! | *stream* | the messages of one side, numbered from 1; named after the boot that began it |
//! | *outbox* | of the sender: the messages that the other side's application has not accepted yet |
//! | *accepted* | what follows from the message is stored over there; only then may it leave the outbox |
//! | *cursor* | of the receiver: the last message that its application accepted |
//!
//! Both are plain values. Who keeps them over a reboot (retained memory, a disk) and hands them in again loses nothing and
//! takes nothing twice.

/// Names a stream; random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StreamId(pub u32);

/// Names a message for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id {
    /// The stream that it is in.
    pub stream: StreamId,
    /// Its number there, from 1.
    pub number: u32,
}

/// How far a receiver's application accepted a stream.
///
/// It must be stored together with what follows from the message, as one, before the session is told: so neither can be
/// without the other after a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The stream.
    pub stream: StreamId,
    /// The last number that was accepted; 0 before the first.
    pub accepted: u32,
}
